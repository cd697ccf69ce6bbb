"""What a driver does in one step, and the spec that names and orders its channels."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_action_channel


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Names and order of the channels of an action.

    Attributes:
        axes: analog channels, each in [-1, 1]; +1 is right, up or full throttle.
        buttons: digital channels.
        mirrored_axes: the axes that change sign when the picture is mirrored left to right.
        mirrored_buttons: pairs of buttons that change places then (left and right shoulder, say).
    """

    axes: tuple[str, ...]
    buttons: tuple[str, ...] = ()
    mirrored_axes: tuple[str, ...] = ()
    mirrored_buttons: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = [checked_action_channel(name) for name in self.names]
        if not names:
            raise KartError("An action spec needs at least one axis or button.")
        if len(set(names)) != len(names):
            raise KartError(f"An action spec names a channel twice: {', '.join(names)}.")
        for axis in self.mirrored_axes:
            if axis not in self.axes:
                raise KartError(f"Mirrored axis {axis!r} is not one of the axes {self.axes}.")
        swapped = [name for pair in self.mirrored_buttons for name in pair]
        if any(len(pair) != 2 for pair in self.mirrored_buttons) or len(set(swapped)) != len(swapped):
            raise KartError(f"Mirrored buttons must be pairs, each button in one pair: {self.mirrored_buttons}.")
        for name in swapped:
            if name not in self.buttons:
                raise KartError(f"Mirrored button {name!r} is not one of the buttons {self.buttons}.")

    @property
    def names(self) -> tuple[str, ...]:
        """All channels: axes, then buttons; the order of every vector of this spec."""
        return self.axes + self.buttons

    def __len__(self) -> int:
        return len(self.axes) + len(self.buttons)

    def neutral(self) -> "Action":
        """Hands off: every axis at 0, every button up."""
        return Action(self, (0.0,) * len(self.axes), (False,) * len(self.buttons))

    def action(self, **channels: float | bool) -> "Action":
        """An action from named values; channels that are not named stay neutral.

        Raises:
            KartError: an unknown channel, or a value out of range.
        """
        unknown = set(channels) - set(self.names)
        if unknown:
            raise KartError(f"No channel {', '.join(sorted(unknown))} in {', '.join(self.names)}.")
        return Action(
            self,
            tuple(float(channels.get(name, 0.0)) for name in self.axes),
            tuple(bool(channels.get(name, False)) for name in self.buttons),
        )

    def clipped(self, vector: Sequence[float] | npt.NDArray[np.floating]) -> "Action":
        """An action from `len(self)` numbers: axes clipped to [-1, 1], buttons pressed from 0.5 on.

        Raises:
            KartError: a wrong count, or a value that is not finite.
        """
        values = [float(value) for value in vector]
        if len(values) != len(self) or not all(map(math.isfinite, values)):
            raise KartError(f"Expected {len(self)} finite values for {', '.join(self.names)}, got {values}.")
        cut = len(self.axes)
        return Action(
            self,
            tuple(min(1.0, max(-1.0, value)) for value in values[:cut]),
            tuple(value >= 0.5 for value in values[cut:]),
        )

    def mirror(self, vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The labels `(..., len(self))` of the mirrored picture: signs changed, paired buttons swapped."""
        order, sign = self.mirror_map()
        return vectors[..., order] * sign

    def mirror_map(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        """Mirroring as data: `mirrored = vector[order] * sign`, both of length `len(self)`."""
        order = np.arange(len(self))
        for left, right in self.mirrored_buttons:
            a, b = self.names.index(left), self.names.index(right)
            order[a], order[b] = b, a
        sign = np.array([-1.0 if name in self.mirrored_axes else 1.0 for name in self.names], np.float32)
        return order, sign

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal spec back."""
        return {
            "axes": list(self.axes),
            "buttons": list(self.buttons),
            "mirrored_axes": list(self.mirrored_axes),
            "mirrored_buttons": [list(pair) for pair in self.mirrored_buttons],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ActionSpec":
        """Raises KartError where `data` is no action spec."""
        try:
            return cls(
                tuple(data["axes"]),
                tuple(data["buttons"]),
                tuple(data.get("mirrored_axes", ())),
                tuple((left, right) for left, right in data.get("mirrored_buttons", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise KartError(f"Not an action spec: {data!r} ({error}).") from error


@dataclass(frozen=True, slots=True)
class Action:
    """One value per channel of `spec`: axes are finite floats in [-1, 1], buttons are bools.

    Raises:
        KartError: a wrong count, an axis out of range or not finite.
    """

    spec: ActionSpec
    axes: tuple[float, ...]
    buttons: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.spec.axes) or len(self.buttons) != len(self.spec.buttons):
            raise KartError(f"An action needs a value for each of {', '.join(self.spec.names)}.")
        for name, value in zip(self.spec.axes, self.axes, strict=True):
            if not -1.0 <= value <= 1.0:  # NaN fails this too
                raise KartError(f"Axis {name} is {value}, outside [-1, 1].")

    def __getitem__(self, name: str) -> float | bool:
        if name in self.spec.axes:
            return self.axes[self.spec.axes.index(name)]
        return self.buttons[self.spec.buttons.index(name)]

    def vector(self) -> npt.NDArray[np.float32]:
        """Float32 `(len(spec),)`, axes then buttons (0 or 1)."""
        return np.array(self.axes + tuple(map(float, self.buttons)), np.float32)


def steering_channels(spec: ActionSpec) -> frozenset[str]:
    """All channels that steer: those that change in a mirrored picture; where none does, the first axis."""
    mirrored = {*spec.mirrored_axes, *(name for pair in spec.mirrored_buttons for name in pair)}
    return frozenset(mirrored or spec.axes[:1])


def roles(spec: ActionSpec) -> tuple[str | None, str | None]:
    """The axis that steers and the one that drives on or pitches, None where there is none.

    The axis that changes sign in a mirrored picture is the one to steer with; of the others, the first drives.
    """
    if not spec.axes:
        return None, None
    steer = (spec.mirrored_axes or spec.axes)[0]
    others = [axis for axis in spec.axes if axis != steer]
    return steer, others[0] if others else None
