"""The person's own pad in an emulator beside the model: whoever moves it has the controls, until they let go."""

from kart_pipeline.core.action import Action, steering_channels
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.takeover import Hands, Takeover
from kart_pipeline.games.base import Game
from kart_pipeline.games.bizhawk.game import BizHawk
from player.live.person import DEAD_ZONE


def under_hands(driver: Driver, game: Game) -> Driver:
    """`driver`, whom a person can take the controls from where the game tells how their pad stands."""
    if not isinstance(game, BizHawk):
        return driver
    return Takeover(driver, lambda: hands(game.held))


def hands(held: Action) -> Hands:
    """What a pad that stands so says of the hands at it; worn sticks rest a little beside their middle."""
    felt = {name for name in held.spec.axes if abs(held[name]) > DEAD_ZONE}
    felt |= {name for name in held.spec.buttons if held[name]}
    return Hands(held, moved=bool(felt), steers=bool(felt & steering_channels(held.spec)))
