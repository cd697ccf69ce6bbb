"""What a session holds at the other end: `pushed.json`, written there when everything else is there and was checked.

    {"format": 1, "session": "20261123-…", "files": {"steps.parquet": {"bytes": 4711, "sha256": "9f3a…"}, …}}

A session without it is half there and is taken by nobody.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.edits import FILE as EDITS
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.recording import MANIFEST, STEPS
from kart_pipeline.core.video import VIDEO

INDEX = "pushed.json"
FORMAT = 1
_BASE = ".base.json"  # in a session here: by URL, the SHA-256 of the edits that both ends had last
RECORDED = (VIDEO, STEPS, MANIFEST)  # never changed after recording; in the order in which they are sent
_FILES = {*RECORDED, EDITS}  # a name from elsewhere must not become a path here
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: its size in bytes and SHA-256 (hex)."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Index:
    """A whole session at the other end."""

    session: str
    files: Mapping[str, Entry]

    @property
    def edits(self) -> str | None:
        """SHA-256 of its edits; None where there are none."""
        return self.files[EDITS].sha256 if EDITS in self.files else None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    def to_json(self) -> bytes:
        """`parse_index` gives an equal object back."""
        files = {name: {"bytes": entry.size, "sha256": entry.sha256} for name, entry in self.files.items()}
        return (json.dumps({"format": FORMAT, "session": self.session, "files": files}, indent=2) + "\n").encode()


def parse_index(text: bytes, session: str) -> Index:
    """Read the content of the file beside `session`.

    Raises:
        KartError: it is damaged, of another session, or of a newer release.
    """
    try:
        data = json.loads(text)
        if data["format"] > FORMAT:
            raise KartError(f"{INDEX} of session {session} is of a newer release; upgrade kart-pipeline.")
        files = {str(name): _entry(item) for name, item in data["files"].items()}
        if data["session"] != session:
            raise ValueError(f"it is that of {data['session']!r}")
        if not {STEPS, MANIFEST} <= files.keys() <= _FILES:
            raise ValueError(f"it names {', '.join(sorted(files))}")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise KartError(
            f"{INDEX} of session {session} at the other end is damaged ({error}); "
            "delete that file there, and push the session again from where it was recorded."
        ) from error
    return Index(session, files)


def _entry(item: Any) -> Entry:
    size, sha256 = item["bytes"], item["sha256"]
    if type(size) is not int or size < 0 or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"{item} is no size and SHA-256")
    return Entry(size, sha256)


Newer = Literal["same", "ours", "theirs", "both"]


def newer_edits(ours: str | None, theirs: str | None, base: str | None) -> Newer:
    """Whose edits of a session were changed since both ends had the same.

    Args:
        ours: SHA-256 of those here; None where there are none.
        theirs: of those at the other end.
        base: of those that both ends had last; None where they never had.
    """
    if ours == theirs:
        return "same"
    if theirs is None or (ours is not None and base == theirs):
        return "ours"
    if ours is None or base == ours:
        return "theirs"
    return "both"


def base_edits(folder: Path, url: str) -> str | None:
    """SHA-256 of the edits that the session in a local folder and that at `url` had last; None where they never had."""
    base = _bases(folder).get(url)
    return base if isinstance(base, str) else None


def note_base_edits(folder: Path, url: str, edits: str | None) -> None:
    """Remember what `base_edits` gives."""
    write_json(folder / _BASE, {**_bases(folder), url: edits})


def _bases(folder: Path) -> dict[str, object]:
    try:
        data = json.loads((folder / _BASE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # damaged is as good as none: edits are then asked about, not overwritten
        return {}
    return data if isinstance(data, dict) else {}
