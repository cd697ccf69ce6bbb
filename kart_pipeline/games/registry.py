"""The games by name: how to open one, and how its frames are prepared unless somebody says otherwise."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.games.base import Game
from kart_pipeline.games.car_racing import CONTRACT, CarRacing
from kart_pipeline.games.car_racing_keys import CONTRACT_OF_KEYS, CarRacingKeys


@dataclass(frozen=True, slots=True)
class GameInfo:
    """What is known of a game without opening it."""

    description: str
    make: Callable[..., Game]
    contract: Contract


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
