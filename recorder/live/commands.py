"""What can be asked for while recording, and by what: pad combinations, keys heard everywhere, keys of the terminal.

In `pads.toml` of KART_HOME:

    [commands]
    hold_s = 0.4        # for which a pad combination is held
    drop_s = 5          # what `drop` cuts
    pause = { pad = "back + start", keys = "f9", terminal = "p" }
    lap = { pad = "" }  # none

Whatever is not named keeps its default.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.key_layout import checked_key
from kart_pipeline.desktop.pad import BUTTONS

SPACE = "space"


class Command(StrEnum):
    """What a person asks for."""

    PAUSE = "pause"
    LAP = "lap"
    DROP = "drop"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Binding:
    """By what a command is given; what is empty is not in use.

    Attributes:
        pad: buttons of the standard pad, held together.
        keys: held together in any window, by the names of `KeyLayout`.
        terminal: a character typed in the terminal; " " is the space bar.
    """

    pad: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    terminal: str = ""


def _default(button: str, letter: str, terminal: str = "") -> Binding:
    # Back is on every pad and in no kart game's way; control and alt together mean something to no game.
    return Binding(frozenset({"back", button}), frozenset({"left ctrl", "left alt", letter}), terminal or letter)


DEFAULTS: Mapping[Command, Binding] = {
    Command.PAUSE: _default("start", "p", " "),
    Command.LAP: _default("dpad_up", "l"),
    Command.DROP: _default("dpad_left", "d"),
    Command.STOP: _default("dpad_down", "s"),
}


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands and what a person has set about them.

    Attributes:
        bindings: of each command.
        hold_s: how long a pad combination must be held, so that none is given by mistake.
        drop_s: how much `drop` cuts.

    Raises:
        KartError: two commands are given in the same way.
    """

    bindings: Mapping[Command, Binding] = field(default_factory=lambda: dict(DEFAULTS))
    hold_s: float = 0.4
    drop_s: float = 5.0

    def __post_init__(self) -> None:
        for way in ("pad", "keys", "terminal"):
            given: dict[Any, Command] = {}
            for command, binding in self.bindings.items():
                chord = getattr(binding, way)
                if chord and chord in given:
                    raise KartError(f"{given[chord]} and {command} are both {_shown(chord)}; give one another.")
                given[chord] = command

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Commands":
        """From the section of the file.

        Raises:
            KartError: it sets something that does not exist.
        """
        names = (*Command, "hold_s", "drop_s")
        unknown = sorted(set(data) - set(names))
        if unknown:
            raise KartError(f"there is no command {', '.join(unknown)}; there are {', '.join(names)}.")
        bindings = {command: _binding(command, data.get(command, {})) for command in Command}
        default = cls()
        hold_s = _seconds("hold_s", data.get("hold_s", default.hold_s), 0.0)
        return cls(bindings, hold_s, _seconds("drop_s", data.get("drop_s", default.drop_s), 0.1))

    def deeds(self) -> Mapping[Command, str]:
        """What each of them does, in a few words."""
        return {
            Command.PAUSE: "pause, go on",
            Command.LAP: "mark a lap",
            Command.DROP: f"drop the last {self.drop_s:g} s",
            Command.STOP: "end",
        }

    def help(self, ways: Collection[str]) -> Iterator[tuple[str, ...]]:
        """What each command does, and how it is given in each of the `ways` (pad, keys, terminal)."""
        for command, deed in self.deeds().items():
            yield (deed, *(_shown(getattr(self.bindings[command], way)) for way in ways))


def _shown(chord: Collection[str]) -> str:
    if chord == " ":
        return SPACE
    if isinstance(chord, str):
        return chord
    order = {name: place for place, name in enumerate(("left ctrl", "left alt", *BUTTONS[::-1]))}
    order |= {"back": -1}
    return " + ".join(sorted(chord, key=lambda name: (order.get(name, len(order)), name)))


def _binding(command: Command, data: Any) -> Binding:
    binding = DEFAULTS[command]
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise KartError(f'{command} is written as {{ pad = "back + start", keys = "f9", terminal = "p" }}.')
    unknown = sorted(set(data) - {"pad", "keys", "terminal"})
    if unknown:
        raise KartError(f"{command} is given by pad, keys or terminal, not by {', '.join(unknown)}.")
    if "pad" in data:
        binding = replace(binding, pad=frozenset(map(_checked_button, _parts(data["pad"]))))
    if "keys" in data:
        binding = replace(binding, keys=frozenset(map(checked_key, _parts(data["keys"]))))
    if "terminal" in data:
        text = " " if data["terminal"] == SPACE else data["terminal"]
        if len(text) > 1 or not text.isprintable():
            raise KartError(f"{command}: {text!r} is no single character, nor {SPACE}.")
        binding = replace(binding, terminal=text)
    return binding


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("+")] if text.strip() else []


def _checked_button(name: str) -> str:
    if name not in BUTTONS:
        raise KartError(f"{name!r} is no button of a pad; those are {', '.join(BUTTONS)}.")
    return name


def _seconds(name: str, value: Any, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 600:
        raise KartError(f"{name} is a number of seconds from {least:g} to 600, not {value!r}.")
    return float(value)
