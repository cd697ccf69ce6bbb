"""Keys as a standard pad: held arrows turn the stick bit by bit, as a hand would."""

import math
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kart_pipeline.core.errors import KartError
from recorder.devices.state import BUTTONS, PadState
from recorder.devices.timeline import Timeline

# A key that jumped to full lock and back would teach bang-bang steering, which no network at a few Hz can imitate.
TURN_PER_S = 3.0  # full lock after a third of a second
RETURN_PER_S = 6.0  # back to the middle in half of that

ARROWS = ("left", "right", "up", "down")

# Names of keys that are no single letter or digit: how X11 and pynput call them. Ours are pygame's.
NAMED_KEYS: Mapping[str, tuple[str, str]] = {
    "left": ("Left", "left"),
    "right": ("Right", "right"),
    "up": ("Up", "up"),
    "down": ("Down", "down"),
    "return": ("Return", "enter"),
    "space": ("space", "space"),
    "tab": ("Tab", "tab"),
    "backspace": ("BackSpace", "backspace"),
    "left shift": ("Shift_L", "shift"),
    "right shift": ("Shift_R", "shift_r"),
    "left ctrl": ("Control_L", "ctrl_l"),
    "right ctrl": ("Control_R", "ctrl_r"),
    "left alt": ("Alt_L", "alt_l"),
    "right alt": ("Alt_R", "alt_r"),
    **{f"f{number}": (f"F{number}", f"f{number}") for number in range(1, 13)},
}

_LETTERS = string.ascii_lowercase + string.digits

_DEFAULT_KEYS = {
    **{arrow: arrow for arrow in ARROWS},
    **dict(zip(("a", "b", "x", "y", "rb", "lb"), "xcvbnm", strict=True)),
    "start": "return",
    "back": "backspace",
}


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """Which key is which part of the pad.

    Attributes:
        keys: by the pad's part (left, right, up, down: the stick and the d-pad; any of its buttons) the name of the
            key: a letter, a digit, or one of `NAMED_KEYS`.
        ramp: the stick turns by and by; else it jumps.

    Raises:
        KartError: no such part or no such key.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: dict(_DEFAULT_KEYS))
    ramp: bool = True

    def __post_init__(self) -> None:
        for control, key in self.keys.items():
            if control not in ARROWS + BUTTONS:
                raise KartError(
                    f"{control!r} is no part of a pad that can be a key; those are {_list(ARROWS + BUTTONS)}."
                )
            if key not in tuple(NAMED_KEYS) and key not in tuple(_LETTERS):
                raise KartError(f"{key!r} is no key; keys are small letters, digits, {_list(NAMED_KEYS)}.")

    @property
    def about(self) -> dict[str, Any]:
        """For the manifest."""
        ramp = {"turn_per_s": TURN_PER_S, "return_per_s": RETURN_PER_S} if self.ramp else {}
        return {"device": "keyboard", "keys": dict(self.keys), **ramp}


@dataclass(frozen=True, slots=True)
class _Held:
    """From `t_ns` on the `controls` are held; the stick stood at `x` and `y` then."""

    t_ns: int
    controls: frozenset[str]
    x: float = 0.0
    y: float = 0.0


class KeyStick:
    """The pad that keys make; whoever hears the keys says which are held."""

    def __init__(self, layout: KeyLayout, t_ns: int) -> None:
        self.layout = layout
        self._held: Timeline[_Held] = Timeline(_Held(t_ns, frozenset()))

    def hold(self, t_ns: int, keys: Collection[str]) -> None:
        """From `t_ns` on exactly these keys are held, by our names; those that are not of the layout are not kept."""
        last = self._held.last
        controls = frozenset(control for control, key in self.layout.keys.items() if key in keys)
        if controls != last.controls:
            self._held.push(t_ns, _Held(t_ns, controls, *self._stick(last, t_ns)))

    def at(self, t_ns: int) -> PadState:
        """Where the keys have turned the stick by `t_ns`: left_x and left_y, and up and down as triggers too."""
        held = self._held.at(t_ns)
        x, y = self._stick(held, t_ns)
        axes = {"left_x": x, "left_y": y, "right_trigger": max(0.0, y), "left_trigger": max(0.0, -y)}
        buttons = {f"dpad_{name}" if name in ARROWS else name for name in held.controls}
        return PadState(axes, frozenset(buttons))

    def _stick(self, held: _Held, t_ns: int) -> tuple[float, float]:
        x = ("right" in held.controls) - ("left" in held.controls)
        y = ("up" in held.controls) - ("down" in held.controls)
        if not self.layout.ramp:
            return float(x), float(y)
        passed = (t_ns - held.t_ns) / 1e9
        return ramp(held.x, x, passed), ramp(held.y, y, passed)


def ramp(value: float, target: float, seconds: float) -> float:
    """`value` on its way to `target` after so many seconds; faster towards the middle than away from it."""
    if value * target < 0:
        back_s = abs(value) / RETURN_PER_S
        return ramp(value, 0.0, seconds) if seconds < back_s else ramp(0.0, target, seconds - back_s)
    step = (RETURN_PER_S if target == 0 else TURN_PER_S) * seconds
    return float(target) if abs(target - value) <= step else value + math.copysign(step, target - value)


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
