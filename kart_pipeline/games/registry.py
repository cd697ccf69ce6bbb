"""The games by name: how to open one, and how its frames are prepared unless somebody says otherwise."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.games.base import Game
from kart_pipeline.games.bizhawk.consoles import console
from kart_pipeline.games.bizhawk.game import CONTRACT as BIZHAWK_CONTRACT
from kart_pipeline.games.bizhawk.game import GAME as BIZHAWK_GAME
from kart_pipeline.games.bizhawk.game import NAME as BIZHAWK
from kart_pipeline.games.bizhawk.game import BizHawk
from kart_pipeline.games.bizhawk.tables import load_tables
from kart_pipeline.games.car_racing import CONTRACT, CarRacing
from kart_pipeline.games.car_racing_keys import CONTRACT_OF_KEYS, CarRacingKeys
from kart_pipeline.games.pictures import PICTURES
from kart_pipeline.games.supertuxkart.game import CONTRACT as SUPERTUXKART_CONTRACT
from kart_pipeline.games.supertuxkart.game import SuperTuxKart


@dataclass(frozen=True, slots=True)
class GameInfo:
    """What is known of a game without opening it.

    Attributes:
        description: half a sentence.
        make: opens it.
        contract: how its frames are prepared by default.
        simulated: as `Game.simulated`.
        emulated: it runs in BizHawk. As of a game in real time, one can be open on a machine.
    """

    description: str
    make: Callable[..., Game]
    contract: Contract
    simulated: bool = True
    emulated: bool = False

    def workers(self, wanted: int) -> int:
        """How many processes can play it side by side, of `wanted`."""
        return wanted if self.simulated and not self.emulated else 1


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
    BIZHAWK: GameInfo(
        "what runs in the emulator BizHawk, as Mario Kart 64, over its own socket",
        BizHawk,
        BIZHAWK_CONTRACT,
        BizHawk.simulated,
        emulated=True,
    ),
}


def find_game(name: str) -> GameInfo | None:
    """A game that can be opened from here; None where it cannot.

    Beside `GAMES` these are the games of BizHawk that `bizhawk.toml` in KART_HOME says how to launch. Nobody is taken
    to look on there, so they run as fast as they can.

    Raises:
        KartError: that file is broken.
    """
    if name in GAMES:
        return GAMES[name]
    table = load_tables(Settings.from_env().home).get(name)
    if table is None or table.launch is None:
        return None
    contract = Contract(console(table.system).spec, BIZHAWK_CONTRACT.rate_hz, **PICTURES.get(name, {}))
    return GameInfo(table.title, partial(BizHawk, game=name, fast=True), contract, BizHawk.simulated, emulated=True)


def openable() -> list[str]:
    """The names of all games that can be opened from here, in order.

    Raises:
        KartError: as for `find_game`.
    """
    tables = load_tables(Settings.from_env().home)
    return sorted({*GAMES, *(name for name, table in tables.items() if table.launch is not None)})


def session_name(name: str, options: Mapping[str, Any]) -> str:
    """What sessions of a game are called, opened with these options: in BizHawk the game that runs there."""
    return str(options.get("game", BIZHAWK_GAME)) if name == BIZHAWK else name


def launched(name: str, options: Mapping[str, Any], launch: Sequence[str] | None) -> dict[str, Any]:
    """The options of a game with the emulator and the ROM that a person wants started; None starts nothing.

    Raises:
        KartError: the game runs in no emulator.
    """
    if launch is None:
        return dict(options)
    info = find_game(name)
    if info is None or not info.emulated:
        raise KartError(f"--launch EMUHAWK ROM starts BizHawk; {name} does not run in it.")
    emuhawk, rom = launch
    return {**options, "emuhawk": emuhawk, "rom": rom}


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
    info = find_game(name)
    if info is None:
        raise KartError(f"There is no game {name!r}; the games are: {', '.join(openable())}.")
    return info
