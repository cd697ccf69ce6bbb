"""What every output device offers; which control of it is which channel of a game is said elsewhere, by a mapping."""

from collections.abc import Mapping
from typing import Any, Protocol

from kart_pipeline.desktop.pad import PadState


class Controller(Protocol):
    """A pad or keyboard that a program holds, seen as a standard pad.

    Attributes:
        name: as `--controller` has it: uinput, keyboard, retroarch …
    """

    name: str

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: the device, and what is mapped to what on it."""

    def apply(self, state: PadState) -> None:
        """Hold the controls as in `state` from now on; returns within a millisecond.

        Raises:
            KartError: the device is gone.
        """

    def neutral(self) -> None:
        """Let go of everything. May be called at any time, from any thread, and more than once."""

    def close(self) -> None:
        """Let go of everything and give the device back; may be called more than once."""
