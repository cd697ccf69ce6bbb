"""The standard pad: what any gamepad or keyboard, a person's or a program's, looks like to the rest of the project."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STICKS = ("left_x", "left_y", "right_x", "right_y")
TRIGGERS = ("left_trigger", "right_trigger")
AXES = STICKS + TRIGGERS
BUTTONS = (
    *("a", "b", "x", "y", "lb", "rb", "back", "start", "guide", "ls", "rs"),
    *("dpad_up", "dpad_down", "dpad_left", "dpad_right"),
)


@dataclass(frozen=True, slots=True)
class PadState:
    """How a standard pad stands at one moment.

    Attributes:
        axes: by name from `AXES`, those that are not named rest at 0. Sticks reach from -1 to 1, right and up are
            positive; triggers from 0 to 1.
        buttons: names from `BUTTONS` of those that are pressed.
        connected: False while the pad is unplugged; it rests then.
    """

    axes: Mapping[str, float] = field(default_factory=dict)
    buttons: frozenset[str] = frozenset()
    connected: bool = True

    def value(self, control: str) -> float:
        """Of an axis; of a button 1 where it is pressed and 0 where not."""
        return self.axes.get(control, 0.0) if control in AXES else float(control in self.buttons)


UNPLUGGED = PadState(connected=False)


def clamped(value: float) -> float:
    """`value` cut to [-1, 1]."""
    return max(-1.0, min(1.0, value))
