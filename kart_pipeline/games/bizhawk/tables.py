"""Which games keep what in their memory, and where: `games.toml` beside this, and a person's own `bizhawk.toml`.

    [mario_kart_64]                     # what is played; sessions are named after it
    title = "Mario Kart 64 (USA)"       # for people
    system = "N64"                      # as BizHawk calls it
    roms = ["579C…"]                    # SHA-1 or MD5 of the ROMs that these addresses are right for
    order = "big"                       # of the bytes of a number
    progress = { lap = "laps_driven", laps = 3 }    # (lap + part / parts) / laps; part and parts are optional
    search = { held = ["A"], steers = 11 }          # optional, see `Searching`
    launch = { emuhawk = "…", rom = "…", states = ["…"] }   # optional, of a person's own file, see `Launching`

    [mario_kart_64.values.speed]        # a name of `Frame.state`
    address = 0x0F6BBC                  # or addresses = [ … ]
    type = "f32"                        # u8 s8 u16 s16 u32 s32 f32
    scale = 12.0                        # value = scale * (number + offset), and least at least
    low = 0                             # what the bare number can be; anything else is no race that we know
    high = 50
    domain = "RDRAM"                    # of BizHawk's memory domains; the main one where it is left out
    meaning = "km/h"
    source = "who says so"
    unverified = true                   # nobody is known to have used it in BizHawk

In place of `scale`, `offset` and `least`, `all_in = [7, 8]` makes a value of 1 where all its numbers are among these,
`any_bits = 0x06` where any of these bits is set, else 0; `names` says what each number is called.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id

FILE = "bizhawk.toml"
TYPES = ("u8", "s8", "u16", "s16", "u32", "s32", "f32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a game's state; the fields are those of the file."""

    name: str
    type: str
    address: int = -1
    addresses: tuple[int, ...] = ()
    domain: str = ""
    scale: float = 1.0
    offset: float = 0.0
    least: float | None = None
    low: float | None = None
    high: float | None = None
    all_in: tuple[int, ...] = ()
    any_bits: int = 0
    names: tuple[str, ...] = ()
    meaning: str = ""
    source: str = ""
    unverified: bool = False

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise KartError(f"{self.name} has the type {self.type!r}; there are {', '.join(TYPES)}.")
        if not all(isinstance(at, int) and at >= 0 for at in self.places) or (self.address >= 0) == bool(
            self.addresses
        ):
            raise KartError(f"{self.name} needs an address, or a list of addresses, from 0 on.")
        if len(self.places) > 1 and not (self.all_in or self.any_bits):
            raise KartError(f"{self.name} has several addresses: say with all_in or any_bits what to make of them.")

    @property
    def places(self) -> tuple[int, ...]:
        """The addresses."""
        return self.addresses or (self.address,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the race is: `(lap + part / parts) / laps`, the first three being names of values."""

    lap: str
    laps: int
    part: str = ""
    parts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searching:
    """What a search for the right action tries in a game; see `kart_pipeline.games.search.Plan`.

    Attributes:
        held: buttons that are down all the time, the gas among them.
        steers: how many steers are tried, evenly from full left to full right.
    """

    held: tuple[str, ...] = ()
    steers: int = 11
    hold_s: float = 0.5
    coast_s: float = 1.0
    depth: int = 1
    width: int = 1
    speed: float = 0.0
    off_track: float = 0.0
    hit: float = 0.0
    change: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launching:
    """How the game is started on this machine; with it, all that plays games unattended can play this one.

    Attributes:
        emuhawk: BizHawk's program; "" leaves the start to the person.
        rom: the game's file.
        states: files of save states where drives begin, one a course.
        core: BizHawk's core, such as Ares64, where the person wants it kept in their sessions.
    """

    emuhawk: str = ""
    rom: str = ""
    states: tuple[str, ...] = ()
    core: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GameTable:
    """One game; the fields are those of the file."""

    name: str
    title: str
    system: str
    roms: tuple[str, ...]
    order: str
    values: tuple[Value, ...]
    progress: Progress | None = None
    search: Searching = field(default_factory=Searching)
    launch: Launching | None = None

    def __post_init__(self) -> None:
        if self.order not in ("big", "little"):
            raise KartError(f"{self.name} has the order {self.order!r}; it is big or little.")
        if self.progress is None:
            return
        rule, known = self.progress, {value.name for value in self.values}
        halves = bool(rule.part) != bool(rule.parts)
        if {rule.lap, rule.part, rule.parts} - {""} - known or rule.laps < 1 or halves:
            raise KartError(
                f"The progress of {self.name} is {{ lap = …, laps = … }}, or that with part and parts, all but laps "
                f"names of its values: {', '.join(sorted(known))}."
            )


def load_tables(home: Path) -> dict[str, GameTable]:
    """All games by name: ours, and what `bizhawk.toml` in KART_HOME adds to them or changes in them.

    Raises:
        KartError: the file is no TOML, or describes no game.
    """
    ours = tomllib.loads(resources.files(__package__).joinpath("games.toml").read_text(encoding="utf-8"))
    path = home / FILE
    try:
        theirs = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        theirs = {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KartError(f"{path} is no TOML: {error}.") from error
    tables = {}
    for name in {**ours, **theirs}:
        where = path if name in theirs else "games.toml"
        try:
            tables[name] = _table(checked_id(name, "game name"), _merged(ours.get(name, {}), theirs.get(name, {})))
        except (KartError, TypeError) as error:
            raise KartError(f"{where}, section [{name}]: {error}") from error
    return tables


def find_table(tables: Mapping[str, GameTable], system: str, rom_hash: str) -> tuple[GameTable | None, str]:
    """The table that is right for what runs, and else why there is none, as a sentence.

    Args:
        tables: by name.
        system: as BizHawk calls it.
        rom_hash: as BizHawk tells it, a SHA-1 or MD5 in hexadecimal digits.
    """
    for table in tables.values():
        if rom_hash.upper() in {rom.upper() for rom in table.roms}:
            return table, ""
    near = [table for table in tables.values() if table.system == system]
    if not near:
        return None, f"What games on {system} keep in their memory is not known here, so laps and times are not told."
    names = ", ".join(table.title for table in near)
    return None, (
        f"This ROM (hash {rom_hash}) is not the one whose memory is known ({names}), so laps and times are not told. "
        f'If the addresses are the same in it, write roms = ["{rom_hash}"] under [{near[0].name}] in {FILE} in '
        "KART_HOME."
    )


def _merged(ours: Any, theirs: Any) -> dict[str, Any]:
    """Settings of a person over ours; their ROMs are added to ours, their values change ours one by one."""
    for data in (ours, theirs):
        if not isinstance(data, dict):
            raise KartError("a game is a section of settings.")
    merged = {**ours, **theirs}
    merged["roms"] = [*ours.get("roms", []), *theirs.get("roms", [])]
    values, changed = ours.get("values", {}), theirs.get("values", {})
    merged["values"] = {name: {**values.get(name, {}), **changed.get(name, {})} for name in {**values, **changed}}
    return merged


def _table(name: str, data: dict[str, Any]) -> GameTable:
    values = tuple(Value(name=key, **_known(Value, f"value {key}", item)) for key, item in data.pop("values").items())
    if "progress" in data:
        data["progress"] = Progress(**_known(Progress, "progress", data["progress"]))
    if "search" in data:
        data["search"] = Searching(**_known(Searching, "search", data["search"]))
    if "launch" in data:
        data["launch"] = Launching(**_known(Launching, "launch", data["launch"]))
    return GameTable(name=name, values=values, **_known(GameTable, "game", data))


def _known(kind: type, what: str, data: dict[str, Any]) -> dict[str, Any]:
    """`data` with tuples for lists, if all its keys are fields of `kind`."""
    known = [item.name for item in fields(kind) if item.name not in ("name", "values")]
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise KartError(f"a {what} has no {', '.join(unknown)}; it has {', '.join(known)}.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
