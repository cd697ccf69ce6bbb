"""What a look around finds, and why on Linux it may find nothing."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """A device that could be driven with.

    Attributes:
        backend: sdl, inputs or keyboard: what `--pad` calls it.
        name: what it calls itself.
        usable: it can be driven with as it is.
        note: what is to be said about it.
    """

    backend: str
    name: str
    usable: bool
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def linux_hint(folder: Path = Path("/dev/input")) -> str:
    """Why Linux may show no pad, as a continued sentence; "" where nothing speaks against it."""
    if not folder.is_dir():
        return f" (this machine has no {folder}: a container, or a kernel without input devices)"
    # Keyboards and mice are closed to everybody for good reason: only what also is a joystick is looked at.
    joysticks = [path.resolve() for path in folder.glob("by-*/*-event-joystick")]
    closed = sorted({path.name for path in joysticks if path.exists() and not os.access(path, os.R_OK)})
    if closed:
        return (
            f" (you may not read {', '.join(closed)} in {folder}: become a member of the group input, and log in anew)"
        )
    return ""
