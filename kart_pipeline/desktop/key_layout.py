"""Which key is which part of a standard pad."""

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.pad import BUTTONS

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
            checked_key(key)

    @property
    def about(self) -> dict[str, Any]:
        """For the manifest."""
        ramp = {"turn_per_s": TURN_PER_S, "return_per_s": RETURN_PER_S} if self.ramp else {}
        return {"device": "keyboard", "keys": dict(self.keys), **ramp}


def checked_key(name: str) -> str:
    """`name`; KartError where no key is called so."""
    if name not in tuple(NAMED_KEYS) and name not in tuple(_LETTERS):
        raise KartError(f"{name!r} is no key; keys are small letters, digits, {_list(NAMED_KEYS)}.")
    return name


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
