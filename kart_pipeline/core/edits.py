"""What a person leaves out of a finished session afterwards: kept beside it, in `edits.json`, never in it.

    {"format": 1, "revision": 3, "left_out": [[120, 210]], "history": [[], [[120, 180]]]}

The recording stays what it was, so every edit can be taken back. Whoever saves says which revision that builds on:
of two pages that are open on one session, the second to save is told of the first.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.durable import replace_file, write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.marks import Range, united

FILE = "edits.json"
FORMAT = 1
_LOCK = ".edits.lock"
_MOST_HISTORY = 100  # changes that can be taken back


class EditsConflictError(KartError):
    """Somebody else has saved other edits of the same session meanwhile.

    Attributes:
        theirs: what is saved.
    """

    def __init__(self, session: str, theirs: "Edits") -> None:
        super().__init__(
            f"The edits of session {session} were changed elsewhere meanwhile (revision {theirs.revision}); "
            "look at those, and make yours on top of them."
        )
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Edits:
    """What is left out of a session; steps are those of `Step.index`.

    Attributes:
        left_out: ranges, sorted, without overlap.
        revision: how often they were saved; 0 where there are none yet.
        history: what was left out before each change, the latest last.
    """

    left_out: tuple[Range, ...] = ()
    revision: int = 0
    history: tuple[tuple[Range, ...], ...] = ()

    def with_range(self, first: int, last: int) -> "Edits":
        """These, and the steps from `first` to `last` left out too."""
        return self.changed([*self.left_out, (first, last)])

    def without_range(self, first: int, last: int) -> "Edits":
        """These, with the steps from `first` to `last` back in."""
        kept: list[Range] = []
        for start, end in self.left_out:
            kept += [part for part in ((start, min(end, first - 1)), (max(start, last + 1), end)) if part[0] <= part[1]]
        return self.changed(kept)

    def changed(self, left_out: Iterable[Range]) -> "Edits":
        """These, with other ranges in place of theirs; what was before can be had back."""
        ranges = tuple(united(left_out))
        if ranges == self.left_out:
            return self
        return replace(self, left_out=ranges, history=(*self.history, self.left_out)[-_MOST_HISTORY:])

    def undone(self) -> "Edits":
        """These before their last change.

        Raises:
            KartError: there was none.
        """
        if not self.history:
            raise KartError("There is no change to take back.")
        return replace(self, left_out=self.history[-1], history=self.history[:-1])

    def kept(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of `steps` `(N,)` are not left out: bool `(N,)`."""
        keep = np.ones(len(steps), bool)
        for first, last in self.left_out:
            keep &= (steps < first) | (steps > last)
        return keep

    @property
    def mark(self) -> str:
        """Differs where other steps are left out: 12 hex digits, empty where none are."""
        if not self.left_out:
            return ""
        return hashlib.sha256(json.dumps(self.left_out).encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format": FORMAT,
            "revision": self.revision,
            "left_out": [list(item) for item in self.left_out],
            "history": [[list(item) for item in before] for before in self.history],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Edits":
        """Inverse of `to_dict`; KeyError, TypeError or ValueError where `data` is something else."""
        history = tuple(_ranges(item) for item in data.get("history", []))
        revision = data["revision"]
        if not isinstance(revision, int) or isinstance(revision, bool) or revision < 0:
            raise ValueError(f"a revision is a whole number, not {revision!r}")
        return cls(_ranges(data["left_out"]), revision, history)


UNEDITED = Edits()


def parse_edits(text: str | bytes, session: str) -> Edits:
    """Read the content of a file.

    Raises:
        KartError: it is damaged, or of a newer release.
    """
    try:
        data = json.loads(text)
        if data["format"] > FORMAT:
            raise KartError(
                f"The edits of session {session} are of format {data['format']}, and this release knows {FORMAT}; "
                "install the newer kart-pipeline that made them."
            )
        return Edits.from_dict(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise KartError(
            f"{FILE} of session {session} is damaged ({error!r}); mend or delete that file, the recording is whole."
        ) from error


def read_edits(folder: Path) -> Edits:
    """The edits of the session in a local folder; none where there is no file.

    Raises:
        KartError: as `parse_edits`.
    """
    try:
        text = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return UNEDITED
    return parse_edits(text, folder.name)


def save_edits(folder: Path, edits: Edits, *, based_on: int) -> Edits:
    """Write the edits of the session in a local folder, whole or not at all.

    Args:
        folder: of a finished session.
        edits: what is to be kept.
        based_on: the revision that was read before.

    Returns:
        What was written, with its revision.

    Raises:
        EditsConflictError: another revision than `based_on` is saved.
        KartError: the folder cannot be written, or what is there cannot be read.
    """
    from filelock import FileLock

    try:
        with FileLock(folder / _LOCK):
            saved = read_edits(folder)
            if saved.revision != based_on:
                raise EditsConflictError(folder.name, saved)
            edits = replace(edits, revision=based_on + 1)
            write_json(folder / FILE, edits.to_dict())
            return edits
    except OSError as error:
        raise KartError(f"{folder / FILE} cannot be written: {error.strerror or error}.") from error


def put_edits(folder: Path, content: bytes, *, in_place_of: str | None) -> None:
    """Write a file of edits that was made elsewhere into the session in a local folder, as it is.

    Args:
        folder: of a finished session.
        content: of the file.
        in_place_of: SHA-256 (hex) of the file that is there; None where there is none.

    Raises:
        EditsConflictError: another one is there by now.
        KartError: `content` is no edits of this release, or the folder cannot be written.
    """
    from filelock import FileLock

    parse_edits(content, folder.name)
    path = folder / FILE
    try:
        with FileLock(folder / _LOCK):
            there = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
            if there != in_place_of:
                raise EditsConflictError(folder.name, read_edits(folder))
            with replace_file(path) as temporary:
                temporary.write_bytes(content)
    except OSError as error:
        raise KartError(f"{path} cannot be written: {error.strerror or error}.") from error


def check_range(first: int, last: int, steps: npt.NDArray[np.int64]) -> Range:
    """A range of a session.

    Args:
        first: step.
        last: step.
        steps: int64 `(N,)`, the session's, ascending.

    Raises:
        KartError: the session has none of its steps, or it ends before it begins.
    """
    if first > last:
        raise KartError(f"A range ends where it begins or later; {first} to {last} does not.")
    if not ((steps >= first) & (steps <= last)).any():
        raise KartError(f"The session has no step from {first} to {last}; its steps go from {steps[0]} to {steps[-1]}.")
    return max(first, int(steps[0])), min(last, int(steps[-1]))


def _ranges(data: Any) -> tuple[Range, ...]:
    ranges = []
    for first, last in data:
        if not all(isinstance(step, int) and not isinstance(step, bool) for step in (first, last)) or first > last:
            raise ValueError(f"{[first, last]} is no range")
        ranges.append((first, last))
    return tuple(united(ranges))
