"""What a person has set about pads and keys, theirs and a program's, in `pads.toml` of KART_HOME.

    [games.mario_kart_64]
    steer = { from = "left_x", dead_zone = 0.1, curve = 1.5 }
    pitch = "-left_y"
    RB = ["rb", "right_trigger"]

    [keyboard]
    ramp = false
    keys = { left = "a", right = "d", a = "left shift" }

    [output.mario_kart_64]
    steer = { dead_zone = 0.1, curve = 0.7, inverted = false, reach = 0.63 }

`games` is how a person's pad is read, and how a virtual one is held so that the same comes out; where the game behind
the virtual pad wants more than that, `output` says what, axis by axis. Whatever is not named keeps its default. The
section `commands` is told of in `recorder/live/commands.py`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.mapping import AxisMap, PadMapping, Source, axis_map, default_mapping
from kart_pipeline.desktop.response import Response
from recorder.live.commands import Commands

FILE = "pads.toml"
_AXIS_SETTINGS = ("from", "dead_zone", "curve")


@dataclass(frozen=True, slots=True)
class PadSettings:
    """The content of the file.

    Attributes:
        home: KART_HOME.
        games: by game, what is set for its channels.
        output: by game, how a virtual pad brings the values of its axes about.
        keys: of the keyboard.
        commands: what can be asked for while recording, and by what.
    """

    home: Path
    games: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    output: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keys: KeyLayout = field(default_factory=KeyLayout)
    commands: Commands = field(default_factory=Commands)

    @classmethod
    def load(cls, home: Path) -> "PadSettings":
        """Read `pads.toml` in KART_HOME; without that file everything has its default.

        Raises:
            KartError: the file cannot be read, is no TOML, or sets something that does not exist.
        """
        path = home / FILE
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(home)
        except OSError as error:
            raise KartError(f"{path} cannot be read: {error.strerror or error}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise KartError(f"{path} is no TOML: {error}.") from error
        try:
            _only(data, ("games", "output", "keyboard", "commands"), "the file")
            games, output = (_tables(data.get(name, {}), name) for name in ("games", "output"))
            keys = _keys(_table(data.get("keyboard", {}), "keyboard"))
            return cls(home, games, output, keys, Commands.parse(_table(data.get("commands", {}), "commands")))
        except KartError as error:
            raise KartError(f"{path}: {error}") from error

    def mapping(self, game: str, spec: ActionSpec) -> PadMapping:
        """Between the standard pad and the channels of a game.

        Raises:
            KartError: the file sets a channel that the game has not, or something that is no control of a pad; or the
                game has more channels than a pad and the file does not say what the others are.
        """
        changes = self.games.get(game, {})
        where = f"{self.home / FILE}, section [games.{game}]"
        unknown = sorted(set(changes) - set(spec.names))
        if unknown:
            raise KartError(f"{where}: the game has no {', '.join(unknown)}; it has {', '.join(spec.names)}.")
        try:
            axes = {name: _axis(changes[name]) for name in spec.axes if name in changes}
            buttons = {name: _button(changes[name]) for name in spec.buttons if name in changes}
        except KartError as error:
            raise KartError(f"{where}: {error}") from error
        default = default_mapping(spec, without=changes)
        return PadMapping(spec, {**default.axes, **axes}, {**default.buttons, **buttons}, self._responses(game, spec))

    def _responses(self, game: str, spec: ActionSpec) -> dict[str, Response]:
        changes = self.output.get(game, {})
        where = f"{self.home / FILE}, section [output.{game}]"
        unknown = sorted(set(changes) - set(spec.axes))
        if unknown:
            raise KartError(
                f"{where}: the game has no axis {', '.join(unknown)}; it has {', '.join(spec.axes) or 'none'}."
            )
        try:
            return {name: Response.parse(data) for name, data in changes.items()}
        except KartError as error:
            raise KartError(f"{where}: {error}") from error


def _axis(data: Any) -> AxisMap:
    if not isinstance(data, dict):
        return axis_map(Source.parse(data))
    _only(data, _AXIS_SETTINGS, "an axis")
    numbers = {name: data[name] for name in ("dead_zone", "curve") if name in data}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise KartError(f"{name} is a number, not {value!r}.")
    return axis_map(Source.parse(data.get("from")), **numbers)


def _button(data: Any) -> tuple[Source, ...]:
    sources = data if isinstance(data, list) else [data]
    if not sources:
        raise KartError("a button needs at least one control.")
    return tuple(map(Source.parse, sources))


def _keys(data: Mapping[str, Any]) -> KeyLayout:
    _only(data, ("ramp", "keys"), "the keyboard")
    if not isinstance(data.get("ramp", True), bool):
        raise KartError(f"ramp is true or false, not {data['ramp']!r}.")
    default = KeyLayout()
    changes = _table(data.get("keys", {}), "keys")
    # A key does one thing: what it did by default gives way.
    kept = {control: key for control, key in default.keys.items() if key not in changes.values()}
    return replace(default, ramp=data.get("ramp", True), keys={**kept, **changes})


def _tables(data: Any, name: str) -> dict[str, dict[str, Any]]:
    return {key: _table(value, f"{name}.{key}") for key, value in _table(data, name).items()}


def _table(data: Any, name: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise KartError(f"{name} must be a section of settings, not {data!r}.")
    return data


def _only(data: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    unknown = sorted(set(data) - set(names))
    if unknown:
        raise KartError(f"{what} has no {', '.join(unknown)}; it has {', '.join(names)}.")
