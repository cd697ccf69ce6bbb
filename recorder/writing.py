"""A session that is written beside the drive: neither encoding nor the disk keeps the next frame waiting.

on_step ──▶ bounded queue ──▶ encoder threads (PNG, JPEG) ──▶ writer thread, in order (H.264) ──▶ SessionWriter
                                                                                        sync thread ──▶ disk
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kart_pipeline.core.columns import encode_frame
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.marks import Marks
from kart_pipeline.core.session_writer import SessionWriter
from recorder.marking import Marking
from recorder.timing import Timing, Writing

# A kill costs what waits, and what was written since the last flush: together less than a second.
QUEUE_S, FLUSH_S = 0.4, 0.25
_FEWEST = 8  # frames that may wait at any rate, where they are written in time
_LEAST = 2  # and where they are not
_RECENT = 0.2  # weight of the last frame in what a frame takes
ENCODERS = 2  # threads; one encodes 640x480 as PNG at 60 Hz, with little to spare
SYNC_S = 0.25  # between two syncs, and so much more may be lost in a power cut


def queue_room(rate_hz: float) -> int:
    """Frames that may wait at a rate: 12 at 30 Hz, which are 11 MB at 640x480."""
    return max(_FEWEST, round(QUEUE_S * rate_hz))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A step in the queue, and its frame as a file where encoder threads make one."""

    step: Step
    encoded: Future[bytes] | None


class BackgroundWriter(Marking):
    """The observer that hands steps to threads which write them; a context manager.

    Where the threads do not keep up, frames are dropped: `Step.index` has a gap there, and they are counted. Leaving
    the block writes what waits and closes the session, also after an exception (then as "interrupted").

    The methods may be called from any thread.

    Args:
        writer: of a new session; belongs to this object from now on.
        most: frames that may wait. By default `queue_room`, and of them as many as are written in `QUEUE_S` where the
            machine is slower than the game. Their pixels must not be changed by the game.
        encoders: threads that encode pictures; a video is encoded by the writing thread.

    Attributes:
        manifest: once the session is closed.
    """

    def __init__(self, writer: SessionWriter, *, most: int | None = None, encoders: int = ENCODERS) -> None:
        self._writer = writer
        self._most = queue_room(writer.header.rate_hz) if most is None else most
        self._timely = most is None
        self._takes = 0.0  # seconds that a frame took lately, from the queue to the file
        self._items: queue.SimpleQueue[_Waiting | Marks | None] = queue.SimpleQueue()
        super().__init__(writer.header.rate_hz, self._items.put)
        self._pool = None if writer.header.is_video else ThreadPoolExecutor(encoders, "encode")
        self._waiting = self._most_waiting = self._dropped = 0
        self._encoding, self._writing, self._syncing = Timing(), Timing(), Timing()
        self._failure: Exception | None = None
        self._told = False
        self._ended: str | None = None
        self._score: float | None = None
        self._notes: Mapping[str, Any] = {}
        self.manifest: Manifest | None = None
        writer.syncs = False  # a busy disk must not keep the next frames from being encoded
        writer.flush_s = FLUSH_S
        self._end = threading.Event()
        # daemons: they never keep a process alive
        self._threads = [
            threading.Thread(target=self._work, name="write", daemon=True),
            threading.Thread(target=self._sync, name="sync", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def on_step(self, step: Step) -> None:
        """Put the step into the queue, or drop it where the queue is full; takes microseconds.

        Raises:
            KartError: writing has failed since the last call; what was recorded before is kept.
        """
        if self._failure is not None:
            self._told = True
            raise self._sentence(self._failure) from self._failure
        with self._lock:
            if not self._comes(step.index):
                return
            if self._waiting >= self._room():
                self._dropped += 1
                return
            self._waiting += 1
            self._most_waiting = max(self._most_waiting, self._waiting)
            self._keeps(step.index)
            encoded = self._pool.submit(self._encode, step.frame.rgb) if self._pool else None
            self._items.put(_Waiting(step, encoded))

    def _room(self) -> int:
        """How many frames may wait now, the lock being held."""
        if not self._timely or not self._takes:
            return self._most
        return max(_LEAST, min(self._most, int(QUEUE_S / self._takes)))

    def statistics(self) -> Writing:
        """How writing goes, now and so far."""
        with self._lock:
            return Writing(
                waiting=self._waiting,
                most_waiting=self._most_waiting,
                dropped=self._dropped,
                encode=self._encoding.summary(),
                write=self._writing.summary(),
                sync=self._syncing.summary(),
            )

    def finish(self, ended: str, score: float | None = None, notes: Mapping[str, Any] | None = None) -> None:
        """Say how the drive ended, and what was noted on the way; `close` adds how writing went."""
        self._ended, self._score, self._notes = ended, score, notes or {}

    def close(self) -> Manifest:
        """Write what waits and turn the recording into a finished session.

        What failed before is tried again: a disk may have room again.

        Raises:
            KartError: nothing was recorded, or the disk cannot be written; then `repair` finishes the session.
        """
        if self.manifest is not None:
            return self.manifest
        self.resume()
        self._items.put(None)
        self._end.set()
        for thread in self._threads:
            thread.join()
        failure = self._failure and self._attempt(self._write_waiting)
        if self._pool is not None:
            self._pool.shutdown()
        self._writer.finish(
            self._ended or "stopped", self._score, {**self._notes, "writing": self.statistics().to_dict()}
        )
        try:
            self.manifest = self._writer.close()
        except OSError as error:
            raise self._sentence(error) from error
        if failure is not None and not self._told:
            raise self._sentence(failure) from failure
        return self.manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self.close()
            return
        self._ended = self._ended or "interrupted"
        try:
            self.close()
        except KartError as second:
            error.add_note(f"Its session could not be closed either: {second}")

    def _encode(self, rgb: RGB) -> bytes:
        began = time.perf_counter()
        encoded = encode_frame(rgb, self._writer.header.codec)
        with self._lock:
            self._encoding.add(time.perf_counter() - began)
        return encoded

    def _work(self) -> None:
        """The writing thread."""
        failure = self._attempt(self._write_all)
        self._failure = self._failure or failure

    def _sync(self) -> None:
        """The syncing thread."""
        while not self._end.wait(SYNC_S):
            began = time.perf_counter()
            if failure := self._attempt(self._writer.sync):
                self._failure = self._failure or failure
                return
            with self._lock:
                self._syncing.add(time.perf_counter() - began)

    def _write_all(self) -> None:
        while True:
            try:
                item = self._items.get(timeout=FLUSH_S)
            except queue.Empty:  # no frame comes, but those that came belong on the disk
                self._writer.flush()
                continue
            if item is None:
                return
            self._write(item)

    def _write_waiting(self) -> None:
        while not self._items.empty():
            if (item := self._items.get()) is not None:
                self._write(item)

    def _write(self, item: _Waiting | Marks) -> None:
        if isinstance(item, Marks):
            self._writer.marks = item
            return
        taken = time.perf_counter()
        try:
            encoded = item.encoded.result() if item.encoded else None
            began = time.perf_counter()
            self._writer.append(item.step, encoded)
        finally:
            with self._lock:
                self._waiting -= 1
        done = time.perf_counter()
        with self._lock:
            self._writing.add(done - began)
            self._takes += _RECENT * (done - taken - self._takes)

    @staticmethod
    def _attempt(call: Callable[[], None]) -> Exception | None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - a thread's errors reach the drive through `_failure`
            return error
        return None

    def _sentence(self, error: Exception) -> Exception:
        """What to say of a failure: a full or vanished disk in words, a mistake of the program as it is."""
        return unwritable(self._writer.folder.parent, error) if isinstance(error, OSError) else error


def unwritable(folder: Path, error: Exception) -> KartError:
    """What to say where the disk with the recordings in `folder` is full or gone."""
    return KartError(
        f"The recording in {folder} cannot be written ({error}); make room there, then "
        "`python -m recorder repair --all` saves what was recorded."
    )
