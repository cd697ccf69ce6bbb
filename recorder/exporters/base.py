"""What every format to export to has in common: sessions in, a new folder out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.columns import decode_picture
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.session import Session

Told = Callable[[], None]  # a row is done


@dataclass(frozen=True, slots=True)
class Exported:
    """A row of a session that is handed on.

    Attributes:
        step: its tick; a gap is a frame that is not there.
        picture: a PNG or JPEG file, as stored; of a video a PNG.
        label: what is right here, in the order of the spec; None where nobody taught.
        executed: what was done.
        row: the session's own columns, without the frame.
    """

    step: int
    picture: bytes
    label: list[float] | None
    executed: list[float]
    row: dict[str, Any]


class Exporter(ABC):
    """A format; `name` is what it is called on the command line.

    Args:
        target: the folder that is wanted in the end.
    """

    name: ClassVar[str]

    def __init__(self, target: Path) -> None:
        self.target = target

    @abstractmethod
    def check(self, sessions: Sequence[Session]) -> None:
        """Refuse before anything is written what the format cannot hold.

        Raises:
            KartError: why.
        """

    @abstractmethod
    def write(self, sessions: Sequence[Session], folder: Path, told: Told) -> list[str]:
        """Write the sessions into an empty folder.

        Args:
            sessions: have passed `check`.
            folder: where to; it is renamed to the target when it is whole.
            told: is called for each row.

        Returns:
            Sentences for the person who exports them.

        Raises:
            KartError: a session is damaged.
        """


def rows(session: Session, told: Told) -> Iterator[Exported]:
    """The rows of a session, in order, with flat memory.

    A frame that is missing in a damaged video is passed over, and so is what a person has left out.
    """
    spec = session.manifest.spec
    table = session.table()
    kept = session.edits.kept(table.column("step").to_numpy())
    pictures = session.encoded()
    for batch in table.append_column("kept", pa.array(kept)).to_batches(max_chunksize=256):
        for row in batch.to_pylist():
            picture = next(pictures)
            told()
            if picture and row.pop("kept"):
                yield Exported(row["step"], picture, _vector(row, "label_", spec), _executed(row, spec), row)


def _executed(row: dict[str, Any], spec: ActionSpec) -> list[float]:
    return [float(row[name]) for name in spec.names]


def _vector(row: dict[str, Any], prefix: str, spec: ActionSpec) -> list[float] | None:
    values = [row[prefix + name] for name in spec.names]
    return None if any(value is None for value in values) else [float(value) for value in values]


def suffix(picture: bytes) -> str:
    """`png` or `jpg`, as the file begins."""
    return "png" if picture.startswith(b"\x89PNG") else "jpg"


def decodable(picture: bytes, session: Session, step: int) -> Any:
    """The picture, decoded; KartError with session and step where it is damaged."""
    try:
        return decode_picture(picture)
    except KartError as error:
        raise KartError(f"Step {step} of session {session.id}: {error}") from error
