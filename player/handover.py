"""A person beside the model in a game that is opened here: whoever moves a control drives, until they let go."""

from collections.abc import Callable
from contextlib import ExitStack

from kart_pipeline.core.action import Action, steering_channels
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.takeover import CALM_S, Hands, ReadHands, Takeover
from kart_pipeline.games.base import Game
from kart_pipeline.games.bizhawk.game import BizHawk
from kart_pipeline.games.supertuxkart.game import SuperTuxKart
from kart_pipeline.games.supertuxkart.hands import LAYOUT, MAPPING
from player.live.person import DEAD_ZONE, Person
from recorder.devices.device import NoDeviceError
from recorder.devices.keys import open_keyboard


def under_hands(driver: Driver, game: Game, say: Callable[[str], None], stack: ExitStack) -> Driver:
    """`driver`, whom a person can take the controls from where they have some: a pad in BizHawk, keys on their screen.

    Args:
        driver: drives while nobody else does.
        game: has not been reset.
        say: is told how to take over, or why nobody can.
        stack: closes what hears the person.
    """
    if isinstance(game, BizHawk):
        return Takeover(driver, lambda: hands(game.held))
    read = _at_keys(game, say, stack) if isinstance(game, SuperTuxKart) and game.shared else None
    return driver if read is None else Takeover(driver, read)


def _at_keys(game: SuperTuxKart, say: Callable[[str], None], stack: ExitStack) -> ReadHands | None:
    """The person's own arrow keys, told from those that the model presses; they reach the game by themselves."""
    try:
        # The stick turns by and by, unlike that of the game's robot: what is learned from is no bang-bang steering.
        keys = open_keyboard(KeyLayout(LAYOUT.keys), by_hand=True)
    except NoDeviceError as nothing:
        say(f"Nobody can take over: {nothing}")
        return None
    person = Person(keys, MAPPING, back="", away=lambda: game.obstacle)
    stack.callback(person.close)
    person.keys_to_keys = True
    game.person = person.passed_on
    say(f"Press an arrow key in the game and you drive; let go for {CALM_S:g} s, and the model drives again.")
    return person.hands


def hands(held: Action) -> Hands:
    """What a pad that stands so says of the hands at it; worn sticks rest a little beside their middle."""
    felt = {name for name in held.spec.axes if abs(held[name]) > DEAD_ZONE}
    felt |= {name for name in held.spec.buttons if held[name]}
    return Hands(held, moved=bool(felt), steers=bool(felt & steering_channels(held.spec)))
