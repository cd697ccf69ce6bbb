"""The pads of the consoles that BizHawk emulates: what a driver does in them, as its names and numbers, both ways."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.response import N64_STICK, Range

FRAMES_PER_S = 60.0  # of NTSC consoles, near enough: 59.8 to 60.1

Pad = Mapping[str, int | bool]

# What TensorKart recorded, so that an imported lap and one of our own train one model.
N64_SPEC = ActionSpec(axes=("steer", "pitch"), buttons=("A", "B", "RB"), mirrored_axes=("steer",))
# Super Mario Kart drives on with B, brakes with Y and hops with R.
SNES_SPEC = ActionSpec((), ("left", "right", "B", "Y", "R"), mirrored_buttons=(("left", "right"),))


@dataclass(frozen=True, slots=True)
class Console:
    """One console's first pad.

    Attributes:
        spec: the channels that are driven with; no other control of the pad is touched.
        axes: by channel, BizHawk's name of the axis, and its numbers.
        buttons: by channel, BizHawk's name of the button.
    """

    spec: ActionSpec
    axes: Mapping[str, tuple[str, Range]]
    buttons: Mapping[str, str]

    def pad(self, action: Action) -> dict[str, int | bool]:
        """How the pad stands for an action: whole numbers for axes, truths for buttons."""
        held: dict[str, int | bool] = {
            control: scale.of(float(action[name])) for name, (control, scale) in self.axes.items()
        }
        return held | {control: bool(action[name]) for name, control in self.buttons.items()}

    def action(self, pad: Pad) -> Action:
        """What a pad that stands so does; beyond the way of a real stick is all of it, what is not told rests."""
        values: dict[str, float | bool] = {
            name: _share(scale, float(pad.get(control, scale.rest))) for name, (control, scale) in self.axes.items()
        }
        return self.spec.action(**values, **{name: bool(pad.get(at)) for name, at in self.buttons.items()})


CONSOLES: Mapping[str, Console] = {
    "N64": Console(
        N64_SPEC,
        {"steer": ("P1 X Axis", N64_STICK), "pitch": ("P1 Y Axis", N64_STICK)},
        {"A": "P1 A", "B": "P1 B", "RB": "P1 R"},
    ),
    "SNES": Console(SNES_SPEC, {}, {"left": "P1 Left", "right": "P1 Right", "B": "P1 B", "Y": "P1 Y", "R": "P1 R"}),
}


def console(system: str) -> Console:
    """The console of a system, as BizHawk calls it.

    Raises:
        KartError: its pad is not known here.
    """
    if system not in CONSOLES:
        raise KartError(f"How the pad of {system} is driven with is not known here; known are {', '.join(CONSOLES)}.")
    return CONSOLES[system]


def _share(scale: Range, number: float) -> float:
    """Of the way from rest to the end, -1 to 1."""
    if not math.isfinite(number):
        return 0.0
    way = (scale.high if number > scale.rest else scale.low) - scale.rest
    return max(-1.0, min(1.0, math.copysign((number - scale.rest) / way, number - scale.rest))) if way else 0.0
