"""Writing a session so that nothing recorded is lost: an append-only stream first, Parquet and manifest at the end.

append ──▶ recording.arrows (Arrow IPC stream, synced twice a second)
close  ──▶ steps.parquet ──▶ manifest.json (renamed into place: now the session is finished)
repair ──▶ the same two, from a stream whose writer died
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from kart_pipeline.core.columns import Row, decode_frame, encode_frame, header_of, schema, to_row
from kart_pipeline.core.durable import replace_file, write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import Manifest, SessionHeader

STREAM, STEPS, MANIFEST, LOCK = "recording.arrows", "steps.parquet", "manifest.json", "recording.lock"

FLUSH_S = 0.5  # half of the second that a power cut may cost
FLUSH_ROWS = 64  # bounds memory when a simulated game runs faster than time
GROUP_BYTES = 4 << 20  # frames per Parquet row group: what random access to one frame reads at most


class SessionWriter:
    """Append steps to a new session folder; use it as a context manager.

    Leaving the block closes the session, also after an exception (then `ended` is "interrupted"), so that Ctrl-C
    leaves a whole session. A process that is killed leaves a stream for `repair`.

    Args:
        folder: is created and must not exist.
        header: `state` may be empty; the first step's state names are taken then.

    Raises:
        KartError: the folder exists.
    """

    def __init__(self, folder: Path, header: SessionHeader) -> None:
        self.folder = folder
        self.header = header
        self.steps = 0
        self._rows: list[Row] = []
        self._last_flush = time.monotonic()
        self._ended: str | None = None
        self._score: float | None = None
        self.manifest: Manifest | None = None
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir()
        except FileExistsError:
            raise KartError(
                f"Session {header.id} already exists in {folder.parent}; record under another id."
            ) from None
        self._lock = FileLock(folder / LOCK)
        self._lock.acquire(blocking=False)
        self._file: Any = None
        self._stream: Any = None
        self._schema: pa.Schema = None

    def append(self, step: Step) -> None:
        """Encode the frame and keep the row; on disk within half a second of the next call.

        Raises:
            KartError: another action spec than the header's.
            OSError: the disk is full or gone; what was flushed before stays readable.
        """
        if step.choice.action.spec != self.header.spec:
            raise KartError(f"Session {self.header.id} records {self.header.spec.names}; got another action spec.")
        if self._stream is None:
            self._open(step)
        self._rows.append(to_row(step, encode_frame(step.frame.rgb, self.header.codec), self.header.state))
        self.steps += 1
        if len(self._rows) >= FLUSH_ROWS or time.monotonic() - self._last_flush >= FLUSH_S:
            self.flush()

    def _open(self, first: Step) -> None:
        if not self.header.state:
            self.header = replace(self.header, state=tuple(first.frame.state))
        self._file = (self.folder / STREAM).open("wb")
        self._schema = schema(self.header)
        self._stream = pa.ipc.new_stream(self._file, self._schema)

    def flush(self) -> None:
        """Write the waiting rows as one batch and sync them to the disk."""
        rows, self._rows = self._rows, []
        if rows:
            self._stream.write_batch(pa.RecordBatch.from_pylist(rows, schema=self._schema))
            self._file.flush()
            os.fsync(self._file.fileno())
        self._last_flush = time.monotonic()

    def finish(self, ended: str, score: float | None = None) -> None:
        """Say how the drive ended; stored in the manifest by `close`."""
        self._ended, self._score = ended, score

    def close(self) -> Manifest:
        """Turn the stream into a finished session.

        Raises:
            KartError: nothing was recorded; the empty folder is removed.
        """
        if self.manifest is not None:
            return self.manifest
        try:
            if self._stream is None:
                self._release()
                shutil.rmtree(self.folder)
                raise KartError(f"Session {self.header.id} ended before its first frame; nothing was recorded.")
            self.flush()
            self._stream.close()
            self._file.close()
            self.manifest = _finalise(self.folder, self._ended or "stopped", self._score)
            return self.manifest
        finally:
            self._release()

    def _release(self) -> None:
        """Give up file and lock, also after a failed write: `repair` must be able to take over."""
        if self._file is not None:
            self._file.close()
        self._lock.release()
        (self.folder / LOCK).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self.close()
            return
        self._ended = self._ended or "interrupted"
        try:
            self.close()
        except (OSError, KartError) as second:
            error.add_note(f"Session {self.header.id} could not be closed ({second}); `recorder repair` finishes it.")


def repair(folder: Path) -> Manifest:
    """Finish a session whose recorder died: everything up to the last whole batch is kept.

    Raises:
        KartError: it is still being recorded, is finished already, or holds no whole batch.
    """
    if (folder / MANIFEST).exists():
        raise KartError(f"Session {folder.name} is finished; there is nothing to repair.")
    if not (folder / STREAM).exists():
        raise KartError(f"{folder} holds no recording.")
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise KartError(f"Session {folder.name} is still being recorded; stop the recorder first.") from None
    try:
        return _finalise(folder, "repaired", None)
    finally:
        lock.release()
        (folder / LOCK).unlink(missing_ok=True)


def recorded_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The whole batches of a recording stream; a torn tail ends it.

    Raises:
        KartError: not even the header of the stream is whole.
    """
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise KartError(f"The recording in {path.parent} broke off before its first frame ({error}).") from error
        yield pa.RecordBatch.from_pylist([], schema=stream.schema)  # the schema, even where no batch follows
        while True:
            try:
                batch = stream.read_next_batch()
                batch.validate(full=True)
            except (StopIteration, pa.ArrowInvalid, OSError):
                return
            yield batch


def _finalise(folder: Path, ended: str, score: float | None) -> Manifest:
    batches = recorded_batches(folder / STREAM)
    empty = next(batches)
    header = header_of(empty.schema)
    tally = _Tally(header)
    with replace_file(folder / STEPS) as temporary:
        with pq.ParquetWriter(temporary, empty.schema, **_parquet_options(empty.schema)) as writer:
            group: list[pa.RecordBatch] = []
            for batch in batches:
                tally.add(batch)
                group.append(batch)
                if sum(item.nbytes for item in group) >= GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(group))
                    group = []
            if group:
                writer.write_table(pa.Table.from_batches(group))
        if not tally.steps:
            raise KartError(f"The recording in {folder} holds no whole batch of frames; delete the folder.")
        digest = file_digest(temporary)
    manifest = tally.manifest(digest, ended, score)
    write_json(folder / MANIFEST, manifest.to_dict())
    (folder / STREAM).unlink()
    return manifest


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


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Tally:
    """What the manifest counts, gathered batch by batch."""

    def __init__(self, header: SessionHeader) -> None:
        self._header = header
        self.steps = self._labelled = self._interventions = 0
        self._first_ns = self._last_ns = 0
        self._size = (0, 0)

    def add(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        times = batch.column("t_ns")
        if not self.steps:
            height, width = decode_frame(batch.column("frame")[0]["bytes"].as_py()).shape[:2]
            self._first_ns, self._size = times[0].as_py(), (width, height)
        self._last_ns = times[-1].as_py()
        self.steps += batch.num_rows
        self._labelled += batch.num_rows - batch.column(f"label_{self._header.spec.names[0]}").null_count
        self._interventions += sum(batch.column("intervention").to_pylist())

    def manifest(self, digest: str, ended: str, score: float | None) -> Manifest:
        header = {name: getattr(self._header, name) for name in SessionHeader.__dataclass_fields__}
        return Manifest(
            **header,
            steps=self.steps,
            labelled=self._labelled,
            interventions=self._interventions,
            width=self._size[0],
            height=self._size[1],
            duration_s=(self._last_ns - self._first_ns) / 1e9 + 1 / self._header.rate_hz,
            digest=digest,
            ended=ended,
            score=score,
        )
