"""What every output device offers; which control of it is which channel of a game is said elsewhere, by a mapping."""

import sys
from collections.abc import Mapping
from typing import Any, Protocol

from kart_pipeline.core.errors import KartError
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
        """Let go of everything. May be called at any time, from any thread, and more than once; raises nothing.

        Not from a signal handler: it may wait for the very thread that was interrupted.
        """

    def close(self) -> None:
        """Let go of everything and give the device back; may be called more than once."""


class UnavailableError(KartError):
    """This kind of controller cannot be had here.

    Attributes:
        reason: why, as half a sentence.
        remedy: what brings it, as a sentence; one command where there is one.
    """

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        super().__init__(f"--controller {name} cannot be had here: {reason}. {remedy}")
        self.reason = reason
        self.remedy = remedy


def needs_extra(name: str, error: ImportError, extra: str) -> UnavailableError:
    """What is missing of Python's packages.

    Args:
        name: of the controller.
        error: of the import.
        extra: of ours that has the package.
    """
    return UnavailableError(name, f"{error.name} is not installed", f"Run `pip install 'kart-pipeline[{extra}]'`.")


def check_windows(name: str) -> None:
    """That this is the system for a controller whose driver is for Windows.

    Raises:
        UnavailableError: it is not.
    """
    if sys.platform != "win32":
        raise UnavailableError(name, "its driver is for Windows only", "Use --controller uinput or keyboard.")
