"""From the stream that a recorder leaves to the files of a finished session."""

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kart_pipeline.core.columns import decode_frame, header_of, schema
from kart_pipeline.core.durable import replace_file, write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.marks import UNMARKED, Marks
from kart_pipeline.core.video import VIDEO, VideoReader

STREAM, STEPS, MANIFEST = "recording.arrows", "steps.parquet", "manifest.json"

MARKS_KEY = b"marks"  # of a batch: all marks so far

_UNREADABLE = (pa.ArrowException, OSError, MemoryError)  # the last from a length that is none

GROUP_BYTES = 4 << 20  # frames per Parquet row group: what random access to one frame reads at most


class NothingKeptError(KartError):
    """A recording without a single step to keep."""


def recorded_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The whole batches of a recording stream; a torn tail ends it.

    Raises:
        KartError: not even the header of the stream is whole.
    """
    for batch, _ in _recorded(path):
        yield batch


def recorded_header(path: Path) -> SessionHeader:
    """The header of a recording stream.

    Raises:
        KartError: it is not whole, damaged, or from a newer release.
    """
    try:
        stored = next(recorded_batches(path)).schema
        header = header_of(stored)
        if stored.equals(schema(header)):
            return header
    except UnicodeDecodeError:  # in a column's name
        pass
    raise KartError(f"The recording in {path.parent} is damaged: its columns are not those of its header.")


def recorded_marks(path: Path) -> Marks:
    """What was marked in a recording stream, up to its last whole batch; KartError as for `recorded_batches`."""
    found = UNMARKED
    for _, metadata in _recorded(path):
        if metadata is not None and MARKS_KEY in metadata:
            with contextlib.suppress(AttributeError, TypeError, ValueError):  # damaged; the next ones hold these too
                found = Marks.from_json(metadata[MARKS_KEY])
    return found


def _recorded(path: Path) -> Iterator[tuple[pa.RecordBatch, Mapping[bytes, bytes] | None]]:
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
        except _UNREADABLE as error:
            raise KartError(f"The recording in {path.parent} broke off before its first frame ({error}).") from error
        yield pa.RecordBatch.from_pylist([], schema=stream.schema), None  # the schema, even where no batch follows
        while True:
            try:
                batch, metadata = stream.read_next_batch_with_custom_metadata()
                _check(batch)
            except (StopIteration, *_UNREADABLE):
                return
            yield batch, metadata


def _check(batch: pa.RecordBatch) -> None:
    """Raises ArrowInvalid where a batch is not what was written: Arrow has no checksum."""
    batch.validate(full=True)
    for item, column in zip(batch.schema, batch.columns, strict=True):
        if column.null_count and not item.nullable:
            raise pa.ArrowInvalid(f"{item.name} has no value")


def finalise(
    folder: Path,
    ended: str,
    score: float | None = None,
    notes: Mapping[str, Any] | None = None,
    *,
    marks: Marks = UNMARKED,
    filmed: Collection[int] | None = None,
) -> Manifest:
    """Make `steps.parquet` and then `manifest.json` from the stream in `folder`, and remove the stream.

    Memory stays flat in the length of the session. Interrupted at any point, it can simply run again.

    Args:
        folder: of the session; a video in it is complete.
        ended: why the drive ended.
        score: in the game's own units.
        notes: for the manifest.
        marks: cuts are left out, and all are noted.
        filmed: the steps that the video has frames of; None for all.

    Raises:
        NothingKeptError: no whole batch of frames, or all of them were cut.
        KartError: the stream is damaged, or from a newer release.
    """
    header = recorded_header(folder / STREAM)
    batches = recorded_batches(folder / STREAM)
    empty = next(batches)
    tally = _Tally(header)
    with replace_file(folder / STEPS) as temporary:
        with pq.ParquetWriter(temporary, empty.schema, **_parquet_options(empty.schema)) as writer:
            group: list[pa.RecordBatch] = []
            for recorded in batches:
                batch = recorded.filter(pa.array(_kept(recorded, marks, filmed)))
                tally.add(batch)
                group.append(batch)
                if sum(item.nbytes for item in group) >= GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(group))
                    group = []
            if group:
                writer.write_table(pa.Table.from_batches(group))
        if not tally.steps:
            raise NothingKeptError(
                f"The recording in {folder} holds no whole batch of frames, or all were cut; delete the folder."
            )
        files = [temporary, folder / VIDEO] if header.is_video else [temporary]
        digest = hashlib.sha256()
        for path in files:
            with path.open("rb") as file:
                digest_file(file, digest)
    size = _video_size(folder / VIDEO, header) if header.is_video else tally.size
    noted = {**(notes or {}), **({"marks": marks.to_dict()} if marks != UNMARKED else {})}
    manifest = tally.manifest(size, digest.hexdigest(), ended, score, noted)
    write_json(folder / MANIFEST, manifest.to_dict())
    (folder / STREAM).unlink()
    return manifest


def _kept(batch: pa.RecordBatch, marks: Marks, filmed: Collection[int] | None) -> Any:
    steps = batch.column("step").to_numpy()
    keep = marks.kept(steps)
    if filmed is not None:
        keep &= np.fromiter((step in filmed for step in steps.tolist()), bool, len(steps))
    return keep


def _video_size(path: Path, header: SessionHeader) -> tuple[int, int]:
    reader = VideoReader(path, header.rate_hz, header.id)
    reader.close()
    return reader.size


def _parquet_options(stored: pa.Schema) -> dict[str, Any]:
    """Frames are compressed already and stay plain, so that a mapped file hands them out without a copy."""
    plain = "frame.bytes"
    columns = [f"{item.name}.{child.name}" for item in stored if pa.types.is_struct(item.type) for child in item.type]
    columns += [item.name for item in stored if not pa.types.is_struct(item.type)]
    return {
        "compression": {name: "NONE" if name == plain else "ZSTD" for name in columns},
        "use_dictionary": ["actor"],
        "write_statistics": ["step", "t_ns"],
    }


def digest_file(file: Any, digest: Any) -> None:
    """Feed all of an open binary file to a hash."""
    while chunk := file.read(1 << 20):
        digest.update(chunk)


def _first_size(batch: pa.RecordBatch) -> tuple[int, int]:
    for data in batch.column("frame").field("bytes"):
        with contextlib.suppress(KartError):  # damaged; who reads it is told
            height, width = decode_frame(data.as_py() or b"").shape[:2]
            return (width, height)
    return (0, 0)


class _Tally:
    """What the manifest counts, gathered batch by batch."""

    def __init__(self, header: SessionHeader) -> None:
        self._header = header
        self.steps = self._labelled = self._interventions = 0
        self._first_ns = self._last_ns = 0
        self.size = (0, 0)  # of the first frame that can be decoded, where frames are in their rows

    def add(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        times = batch.column("t_ns")
        if not self.steps:
            self._first_ns = times[0].as_py()
        if not self._header.is_video and self.size == (0, 0):
            self.size = _first_size(batch)
        self._last_ns = times[-1].as_py()
        self.steps += batch.num_rows
        self._labelled += batch.num_rows - batch.column(f"label_{self._header.spec.names[0]}").null_count
        self._interventions += sum(batch.column("intervention").to_pylist())

    def manifest(
        self, size: tuple[int, int], digest: str, ended: str, score: float | None, notes: Mapping[str, Any]
    ) -> Manifest:
        header = {name: getattr(self._header, name) for name in SessionHeader.__dataclass_fields__}
        return Manifest(
            **header | {"notes": {**self._header.notes, **notes}},
            steps=self.steps,
            labelled=self._labelled,
            interventions=self._interventions,
            width=size[0],
            height=size[1],
            duration_s=(self._last_ns - self._first_ns) / 1e9 + 1 / self._header.rate_hz,
            digest=digest,
            ended=ended,
            score=score,
        )
