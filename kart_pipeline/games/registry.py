"""The games by name: how to open one, and how its frames are prepared unless somebody says otherwise."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.games.base import Game
from kart_pipeline.games.car_racing import CONTRACT, CarRacing
from kart_pipeline.games.car_racing_keys import CONTRACT_OF_KEYS, CarRacingKeys
from kart_pipeline.games.supertuxkart.game import CONTRACT as SUPERTUXKART_CONTRACT
from kart_pipeline.games.supertuxkart.game import SuperTuxKart


@dataclass(frozen=True, slots=True)
class GameInfo:
    """What is known of a game without opening it.

    Attributes:
        description: half a sentence.
        make: opens it.
        contract: how its frames are prepared by default.
        simulated: as `Game.simulated`; a game in real time is opened once on a machine.
    """

    description: str
    make: Callable[..., Game]
    contract: Contract
    simulated: bool = True

    def workers(self, wanted: int) -> int:
        """How many processes can play it side by side, of `wanted`."""
        return wanted if self.simulated else 1


GAMES: Mapping[str, GameInfo] = {
    CarRacing.name: GameInfo(
        "Gymnasium's CarRacing-v3: a car on random tracks, simulated in this process, no screen needed",
        CarRacing,
        CONTRACT,
    ),
    CarRacingKeys.name: GameInfo(
        "the same with four keys instead of wheel and pedals: left, right, gas, brake",
        CarRacingKeys,
        CONTRACT_OF_KEYS,
    ),
    SuperTuxKart.name: GameInfo(
        "SuperTuxKart, a real 3D game in its own window, started here, seen through the screen and steered with keys",
        SuperTuxKart,
        SUPERTUXKART_CONTRACT,
        SuperTuxKart.simulated,
    ),
}


def make_game(name: str, **options: Any) -> Game:
    """Open a game.

    Args:
        name: one of `GAMES`.
        **options: of the game's class.

    Raises:
        KartError: an unknown game or option, or a package that the game needs is missing.
    """
    make = _info(name).make
    try:
        inspect.signature(make).bind(**options)
    except TypeError as error:
        known = ", ".join(inspect.signature(make).parameters) or "none"
        raise KartError(f"The options {sorted(options)} do not suit {name} ({error}); its options: {known}.") from error
    return make(**options)


def game_options(texts: Sequence[str]) -> dict[str, Any]:
    """Options of a game from what a person types: `track=hacienda`, `laps=3`.

    Numbers, true and false are read as in JSON; anything else is text.

    Raises:
        KartError: one is not NAME=VALUE, or is given twice.
    """
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals) or name in options:
            raise KartError(f"An option of a game is NAME=VALUE, each once, as laps=3; not {text!r}.")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def default_contract(name: str) -> Contract:
    """How the frames of a game are prepared by default.

    Raises:
        KartError: an unknown game.
    """
    return _info(name).contract


def _info(name: str) -> GameInfo:
    if name not in GAMES:
        raise KartError(f"There is no game {name!r}; the games are: {', '.join(sorted(GAMES))}.")
    return GAMES[name]
