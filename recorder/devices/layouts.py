"""Layouts of gamepads that SDL does not know by itself, in `gamecontrollerdb.txt` of KART_HOME.

A line is a layout in SDL's own notation (SDL_gamecontroller.h), as in the community's list of that name, from which
lines can be copied.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.errors import KartError

LAYOUTS = "gamecontrollerdb.txt"
_PLATFORM = {"win32": "Windows", "darwin": "Mac OS X"}.get(sys.platform, "Linux")


def layout_line(guid: str, name: str, elements: Mapping[str, str]) -> str:
    """A layout.

    Args:
        guid: 32 hex digits by which SDL knows this kind of pad.
        name: what it is to be called.
        elements: by SDL's name of a control (a, leftx, dpup …) its name of a button, axis or hat (b0, a1~, h0.4 …).
    """
    pairs = ",".join(f"{control}:{element}" for control, element in elements.items())
    return f"{guid},{name.replace(',', ' ').strip()},{pairs},platform:{_PLATFORM},"


def save_layout(path: Path, line: str) -> None:
    """Add a layout, in the place of an older one of the same pad.

    Raises:
        KartError: the file cannot be written.
    """
    guid = line.split(",")[0]
    kept = [old for old in read_layouts(path) if old.split(",")[0] != guid or f"platform:{_PLATFORM}" not in old]
    try:
        with replace_file(path) as temporary:
            temporary.write_text("".join(f"{text}\n" for text in [*kept, line]), encoding="utf-8")
    except OSError as error:
        raise KartError(f"The layout of the gamepad cannot be saved to {path} ({error}).") from error


def read_layouts(path: Path) -> list[str]:
    """The lines of the file that are layouts; none where there is no file.

    Raises:
        KartError: it cannot be read.
    """
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KartError(f"The layouts of gamepads in {path} cannot be read ({error}).") from error
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def announce_layouts(path: Path) -> None:
    """Make SDL read the layouts in `path` too, the next time that its joysticks are initialised.

    Raises:
        KartError: the file cannot be read.
    """
    lines = os.environ.get("SDL_GAMECONTROLLERCONFIG", "").splitlines()
    added = read_layouts(path)
    if added:
        # Of two for the same pad SDL takes the later one.
        os.environ["SDL_GAMECONTROLLERCONFIG"] = "\n".join([*(line for line in lines if line not in added), *added])
