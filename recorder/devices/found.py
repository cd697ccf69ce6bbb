"""What a look around finds, and why on Linux it may find nothing."""

import os
import sys
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
    """Why Linux may show no pad, as a sentence; "" on other systems and where nothing speaks against one."""
    if sys.platform != "linux":
        return ""
    if not folder.is_dir():
        return f"This machine has no {folder}: it is a container, or its kernel has no input devices."
    # Keyboards and mice are closed to everybody for good reason: only what also is a joystick is looked at.
    joysticks = [path.resolve() for path in folder.glob("by-*/*-event-joystick")]
    closed = sorted({path.name for path in joysticks if path.exists() and not os.access(path, os.R_OK)})
    if not closed:
        return ""
    return f"You may not read {', '.join(closed)} in {folder}: become a member of the group input, and log in anew."
