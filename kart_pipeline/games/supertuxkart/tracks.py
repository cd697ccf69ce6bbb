"""Which tracks are installed, and how one of them is made to tell where the kart is."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.supertuxkart.telemetry import SCRIPT

DATA = Path("/usr/share/games/supertuxkart/data/tracks")  # of Debian and its kin
SUFFIX = "_tm"  # of the folder with the script in it
_SCRIPT_FILE = "scripting.as"
_NO_RACE = ("arena", "soccer", "cutscene", "internal", "ctf")


def race_tracks(data: Path = DATA) -> Sequence[str]:
    """Tracks that can be raced and told about: those with a course and without a script of their own."""
    return sorted(folder.name for folder in data.glob("*") if _usable(folder)) if data.is_dir() else []


def find_track(name: str, data: Path = DATA) -> Path:
    """The folder of a track.

    Raises:
        KartError: there is none of that name that can be driven; the sentence lists those that can.
    """
    known = race_tracks(data)
    if name not in known:
        raise KartError(f"There is no track {name!r} of SuperTuxKart to drive on; there are {', '.join(known)}.")
    return data / name


def goes_both_ways(track: Path) -> bool:
    """Whether a track, by its folder, can be raced in reverse."""
    return _says_yes(ET.parse(track / "track.xml").getroot().attrib, "reverse")  # noqa: S314 - files of an installed game


def make_telling(track: Path, folder: Path) -> str:
    """A track like `track` whose script logs the kart's place: links to its files, and the script.

    Args:
        track: as installed.
        folder: where the new one is made, for the game's `--trackdir`.

    Returns:
        Its name.
    """
    telling = folder / f"{track.name}{SUFFIX}"
    telling.mkdir(parents=True)
    for file in track.iterdir():
        (telling / file.name).symlink_to(file)
    (telling / _SCRIPT_FILE).write_text(SCRIPT, encoding="utf-8")
    return telling.name


def _usable(folder: Path) -> bool:
    if not all((folder / file).is_file() for file in ("track.xml", "quads.xml", "graph.xml")):
        return False
    if (folder / _SCRIPT_FILE).exists():
        return False
    try:
        about = ET.parse(folder / "track.xml").getroot().attrib  # noqa: S314 - files of an installed game
    except ET.ParseError:
        return False
    return not any(_says_yes(about, name) for name in _NO_RACE)


def _says_yes(about: Mapping[str, str], name: str) -> bool:
    return re.match("y|t|1", about.get(name, ""), re.IGNORECASE) is not None
