"""Writing a session so that nothing recorded is lost: an append-only stream first, Parquet and manifest at the end.

append ──▶ recording.arrows (Arrow IPC stream, synced twice a second), and video.mkv where the codec is H.264
close  ──▶ steps.parquet ──▶ manifest.json (renamed into place: now the session is finished)
repair ──▶ the same two, from a stream whose writer died
"""

import io
import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from filelock import FileLock, Timeout

from kart_pipeline.core.columns import Row, encode_frame, schema, to_row
from kart_pipeline.core.durable import RawFile
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.marks import UNMARKED
from kart_pipeline.core.recording import (
    MANIFEST,
    MARKS_KEY,
    STREAM,
    NothingKeptError,
    finalise,
    recorded_header,
    recorded_marks,
)
from kart_pipeline.core.video import VIDEO, pyav
from kart_pipeline.core.video_writer import VideoWriter, mend_video

LOCK = "recording.lock"

FLUSH_S = 0.5  # half of the second that a power cut may cost
FLUSH_ROWS = 64  # bounds memory when a simulated game runs faster than time


def warm_up() -> None:
    """Do what takes long the first time that something is written: Arrow imports pandas where it is."""
    pa.array([0])


class SessionWriter:
    """Append steps to a new session folder; use it as a context manager.

    Leaving the block closes the session, also after an exception (then `ended` is "interrupted"), so that Ctrl-C
    leaves a whole session. A process that is killed leaves a stream for `repair`.

    Args:
        folder: is created and must not exist.
        header: `state` may be empty; the first step's state names are taken then.

    Attributes:
        marks: cuts, laps and pauses; assign them anew at any time, the next flush writes them.
        flush_s: how long rows may wait for the next flush, which comes with a row.
        syncs: a flush waits for the disk, which may take seconds where that is busy. Else whoever has the writer calls
            `sync`; what was flushed survives the death of the process without it, but no power cut.

    Raises:
        KartError: the folder exists or cannot be made, or a video needs PyAV, which is not installed.
    """

    def __init__(self, folder: Path, header: SessionHeader) -> None:
        self.folder = folder
        self.header = header
        self.steps = 0
        self.marks = UNMARKED
        self.syncs = True
        self.flush_s = FLUSH_S
        self._rows: list[Row] = []
        self._last_flush = -math.inf  # the first row goes to the disk at once, and the header with it
        self._ended: str | None = None
        self._score: float | None = None
        self._notes: Mapping[str, Any] = {}
        self.manifest: Manifest | None = None
        warm_up()  # now, and not while the first frames wait
        if header.is_video:
            pyav(header.id)
        self._lock = _claim(folder)
        self._written_marks = self.marks
        self._file: RawFile | None = None
        self._video: VideoWriter | None = None
        self._pending = io.BytesIO()  # what the stream made and the file has not got yet
        self._stream: Any = None
        self._schema: pa.Schema = None

    def append(self, step: Step, encoded: bytes | None = None) -> None:
        """Encode the frame and keep the row; on disk within half a second of the next call.

        Args:
            step: the next one.
            encoded: the frame as a file of the header's codec, where an import has it; stored byte for byte. Of no use
                to a video.

        Raises:
            KartError: another action spec than the header's; of a video, another size or an earlier step.
            OSError: the disk is full or gone; what was flushed before stays readable.
        """
        if step.choice.action.spec != self.header.spec:
            raise KartError(f"Session {self.header.id} records {self.header.spec.names}; got another action spec.")
        if self._file is None:
            self._open(step)
        if self._video is not None:
            self._video.write(step.index, step.frame.rgb)
            encoded = None
        elif encoded is None:
            encoded = encode_frame(step.frame.rgb, self.header.codec)
        self._rows.append(to_row(step, encoded, self.header.state))
        self.steps += 1
        if len(self._rows) >= FLUSH_ROWS or time.monotonic() - self._last_flush >= self.flush_s:
            self.flush()

    def _open(self, first: Step) -> None:
        if not self.header.state:
            self.header = replace(self.header, state=tuple(first.frame.state))
        if self.header.crf is not None:
            size = (first.frame.rgb.shape[1], first.frame.rgb.shape[0])
            self._video = VideoWriter(self.folder / VIDEO, size, self.header.rate_hz, self.header.crf)
        self._schema = schema(self.header)
        self._stream = pa.ipc.new_stream(self._pending, self._schema)
        self._file = RawFile(self.folder / STREAM)

    def flush(self) -> None:
        """Write the waiting rows and marks as one batch and, where `syncs`, wait for the disk.

        Raises:
            OSError: the disk is full or gone; what is waiting is kept for the next try.
        """
        if self._file is None:
            return
        if self._rows or self.marks != self._written_marks:
            batch = pa.RecordBatch.from_pylist(self._rows, schema=self._schema)
            metadata = None if self.marks == self._written_marks else {MARKS_KEY: self.marks.to_json()}
            self._stream.write_batch(batch, custom_metadata=metadata)
            self._rows, self._written_marks = [], self.marks
        self._write_pending(self._file)
        if self.syncs:
            self.sync()
        self._last_flush = time.monotonic()

    def sync(self) -> None:
        """Wait until all that was flushed would survive a power cut. Another thread may append meanwhile.

        Raises:
            OSError: the disk is gone, or the video broke off.
        """
        if self._video is not None:
            self._video.sync()
        if self._file is not None:
            self._file.sync()

    def _write_pending(self, file: RawFile) -> None:
        if self._pending.tell():
            file.append(self._pending.getvalue())
            self._pending.seek(0)
            self._pending.truncate()

    def finish(self, ended: str, score: float | None = None, notes: Mapping[str, Any] | None = None) -> None:
        """Say how the drive ended, and what was noted on the way; stored in the manifest by `close`."""
        self._ended, self._score, self._notes = ended, score, notes or {}

    def close(self) -> Manifest:
        """Turn the stream into a finished session.

        Raises:
            KartError: nothing was recorded, or all of it was cut; the folder is removed.
            OSError: the disk is full or gone; `repair` can finish the session.
        """
        if self.manifest is not None:
            return self.manifest
        try:
            if self._file is None:
                raise NothingKeptError(f"Session {self.header.id} ended before its first frame; nothing was recorded.")
            self.flush()
            if self._video is not None:
                self._video.close()
            self._stream.close()
            self._write_pending(self._file)
            self._file.sync()
            self._file.close()
            self.manifest = finalise(self.folder, self._ended or "stopped", self._score, self._notes, marks=self.marks)
            return self.manifest
        except NothingKeptError:
            self._release()
            shutil.rmtree(self.folder)
            raise
        finally:
            self._release()

    def _release(self) -> None:
        """Give up files and lock, also after a failed write: `repair` must be able to take over."""
        if self._video is not None:
            self._video.abandon()
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


def _claim(folder: Path) -> FileLock:
    """Make the folder of a session, and lock it for as long as it is being recorded.

    Raises:
        KartError: it exists, or nothing can be written there.
    """
    lock = FileLock(folder / LOCK)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            raise KartError(f"Session {folder.name} already exists in {folder.parent}; record under another id.")
        folder.mkdir()
        lock.acquire(blocking=False)
    except OSError as error:
        raise KartError(
            f"Nothing can be recorded in {folder.parent} ({error}); name a folder that can be written, with --store, "
            "KART_STORE or KART_HOME."
        ) from error
    return lock


def repair(folder: Path, progress: Callable[[float], None] = lambda _: None) -> Manifest:
    """Finish a session whose recorder died: everything up to the last whole batch is kept.

    Of a video, the steps are kept whose frames can be decoded; that takes as long as decoding them all.

    Args:
        folder: of the session.
        progress: is told the share of a video's frames that have been checked, 0 to 1.

    Raises:
        KartError: it is still being recorded, is finished already, holds no whole batch, or is another session's.
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
        header = recorded_header(folder / STREAM)
        if header.id != folder.name:
            raise KartError(
                f"The recording in {folder} is of session {header.id}; name the folder so if it was renamed, or "
                "restore it from a copy."
            )
        filmed = mend_video(folder / VIDEO, header.rate_hz, progress) if header.is_video else None
        return finalise(folder, "repaired", marks=recorded_marks(folder / STREAM), filmed=filmed)
    finally:
        lock.release()
        (folder / LOCK).unlink(missing_ok=True)
