"""What a person holds: the one interface of keyboards and gamepads, and the driver behind it."""

from collections.abc import Mapping
from typing import Any, Protocol

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import Choice, Frame


class Pad(Protocol):
    """A device that is read once a step."""

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: device, its own name, what is mapped to what."""

    @property
    def done(self) -> bool:
        """The person asked for the end (Escape, a closed window)."""

    def read(self) -> Action:
        """How the controls stand now; never blocks.

        Raises:
            KartError: the device is gone.
        """

    def close(self) -> None:
        """Release the device; may be called more than once."""


class Human:
    """A person as a driver: what they do is the label."""

    name = "human"

    def __init__(self, pad: Pad) -> None:
        self._pad = pad

    def reset(self) -> None:
        """Nothing to forget: the hands stay where they are."""

    def act(self, frame: Frame) -> Choice:  # noqa: ARG002 - the person sees the game, not this frame
        """What the person does now."""
        action = self._pad.read()
        return Choice(action, "human", label=action)


def roles(spec: ActionSpec) -> tuple[str, str | None]:
    """The axis that steers and the one that drives on or pitches, None where there is only one axis.

    The axis that changes sign in a mirrored picture is the one to steer with; of the others, the first drives.
    """
    steer = (spec.mirrored_axes or spec.axes)[0]
    others = [axis for axis in spec.axes if axis != steer]
    return steer, others[0] if others else None
