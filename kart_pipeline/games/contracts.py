"""Which contract a game's sessions are seen through: a default for each game, changed by a person in `contracts.toml`.

    [car_racing]
    width = 64
    height = 64
    crop = { left = 0, top = 0, right = 1, bottom = 0.875 }
    masks = [{ left = 0, top = 0, right = 40, bottom = 12, unit = "pixel" }]
    inset = { left = 0.7, top = 0.6, right = 0.9, bottom = 0.8, width = 32, height = 32 }
    delay_ms = 15
    play_delay_ms = 60

Whatever is not named keeps the game's default. The channels are the session's own and are not set here.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from kart_pipeline.core.contract import VERSION, Contract, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.names import checked_id
from kart_pipeline.games.pictures import PICTURES
from kart_pipeline.games.registry import GAMES

FILE = "contracts.toml"

_SETTABLE = tuple(item.name for item in fields(Contract) if item.name != "spec")


@dataclass(frozen=True, slots=True)
class Contracts:
    """The contracts of all games.

    Attributes:
        path: the file that `changes` came from, for messages.
        changes: by game, the fields that a person set.
    """

    path: Path
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, home: Path) -> "Contracts":
        """Read `contracts.toml` in KART_HOME; without that file all games have their defaults.

        Raises:
            KartError: the file is no TOML, or sets something that a contract does not have.
        """
        path = home / FILE
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(path)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise KartError(f"{path} is no TOML: {error}.") from error
        return cls(path, {game: _read(path, game, section) for game, section in data.items()})

    def contract(self, session: SessionHeader) -> Contract:
        """The contract for a session: of its game, and where the game is not known, of its channels and rate.

        Raises:
            KartError: what the file sets makes no valid contract.
        """
        known = GAMES.get(session.game)
        default = known.contract if known else Contract(session.spec, session.rate_hz, **PICTURES.get(session.game, {}))
        try:
            return replace(default, **self.changes.get(session.game, {}))
        except (KartError, TypeError) as error:
            raise KartError(f"{self.path}, section [{session.game}]: {error}") from error

    def rule(self, game: str) -> str:
        """A mark that changes when the contracts of a game's sessions may: 8 hex digits, no session is needed."""
        known = GAMES.get(game)
        default = known.contract.hash if known else {name: repr(item) for name, item in PICTURES.get(game, {}).items()}
        changed = {name: repr(value) for name, value in self.changes.get(game, {}).items()}
        text = json.dumps([VERSION, default, changed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def prevailing(pairs: Iterable[tuple[Manifest, Contract]]) -> Contract:
    """The contract that most labelled steps share, where sessions of a game differ in channels or rate.

    Raises:
        ValueError: there are no sessions.
    """
    steps: dict[str, int] = {}
    contracts: dict[str, Contract] = {}
    for manifest, contract in pairs:
        key = contract.hash
        contracts[key] = contract
        steps[key] = steps.get(key, 0) + manifest.labelled
    return contracts[max(steps, key=lambda key: (steps[key], key))]


def _read(path: Path, game: str, section: Any) -> dict[str, Any]:
    """The fields that a section sets, as `Contract` wants them."""
    where = f"{path}, section [{game}]"
    try:
        checked_id(game, "game name")
        if not isinstance(section, dict):
            raise KartError(f"{game} must be a section of settings, written [{game}].")
        unknown = sorted(set(section) - set(_SETTABLE))
        if unknown:
            raise KartError(f"a contract has no {', '.join(unknown)}; it has {', '.join(_SETTABLE)}.")
        values = dict(section)
        for name in {"rate_hz", "delay_ms", "play_delay_ms"} & set(values):
            if isinstance(values[name], bool) or not isinstance(values[name], int | float):
                raise KartError(f"{name} is a number, not {values[name]!r}.")
        if "crop" in values:
            values["crop"] = _region("crop", values["crop"])
        if "masks" in values:
            if not isinstance(values["masks"], list):
                raise KartError("masks is a list of regions, written [{ left = 0, … }].")
            values["masks"] = tuple(_region("a mask", item) for item in values["masks"])
        if "inset" in values:
            values["inset"] = _inset(values["inset"])
    except KartError as error:
        raise KartError(f"{where}: {error}") from error
    return values


def _region(what: str, data: Any) -> Region:
    edges = [item.name for item in fields(Region)]
    try:
        return Region(**data)
    except TypeError:
        raise KartError(f"{what} is a region, {{ {' = …, '.join(edges[:4])} = … }}, not {data!r}.") from None


def _inset(data: Any) -> Inset:
    if not isinstance(data, dict) or not {"width", "height"} <= set(data):
        raise KartError(
            f"inset is a region with the size of its tile, {{ left = …, width = …, height = … }}, not {data!r}."
        )
    region = {name: value for name, value in data.items() if name not in ("width", "height")}
    return Inset(_region("inset", region), data["width"], data["height"])
