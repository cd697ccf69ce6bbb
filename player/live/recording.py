"""Keeps what is worth keeping of a drive on the screen: all of it, or what a person corrected and what led there."""

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.recording import NothingKeptError
from kart_pipeline.core.session_writer import warm_up
from kart_pipeline.core.store import Store
from kart_pipeline.driving.tally import Drive
from recorder.writing import BackgroundWriter, queue_room

Keep = Literal["corrections", "all", "none"]

# Before a takeover: how long a person needs to see that it goes wrong, and to reach for the stick. These steps are
# marked as the policy's failure; they also fill the stack of frames with which the correction begins.
FAILURE_S = 2.0


class DriveRecording:
    """The observer that writes a drive as one session, beside the drive; a context manager that closes it.

    Of "corrections" a session holds the steps in which a person had the controls, each stretch with the `FAILURE_S`
    before it; what lies between is noted as a pause. A drive without a single one leaves no session.

    Args:
        store: a local one.
        make_header: of the session; called when its first step is to be kept.
        rate_hz: steps per second.
        keep: what.
        hidden: whether the game cannot be seen now; what was shown then is never kept.

    Attributes:
        manifest: of the finished session; None before the end, and where nothing was kept.
        kept: steps that were given to the session so far.
    """

    def __init__(
        self,
        store: Store,
        make_header: Callable[[], SessionHeader],
        rate_hz: float,
        keep: Keep,
        hidden: Callable[[], object],
    ) -> None:
        self._store = store
        self._make_header = make_header
        self._keep = keep
        self._hidden = hidden
        self._most = round(FAILURE_S * rate_hz)
        self._writer: BackgroundWriter | None = None
        self._lead: deque[Step] = deque()  # the last steps that are not written, the oldest first
        self._led: deque[int] = deque(maxlen=self._most)  # the policy's last steps, written or not
        if keep != "none":
            warm_up()  # now, and not in the step in which a person takes over
        self.manifest: Manifest | None = None
        self.kept = 0

    def on_step(self, step: Step) -> None:
        """Write the step, or keep it in mind for the case that a person takes over.

        Raises:
            KartError: the disk cannot be written.
        """
        corrects = step.choice.intervention
        hidden = bool(self._hidden())
        if not hidden and (corrects or self._keep == "all"):
            writer = self._write(step)
            if corrects and self._led:
                writer.mark_failure(self._led[0], self._led[-1])
        else:
            self._lead.append(step)
            self._pass_over(0 if hidden or self._keep == "all" else self._most)
        if corrects:
            self._led.clear()
        else:
            self._led.append(step.index)

    def _write(self, step: Step) -> BackgroundWriter:
        if self._writer is None:
            header = self._make_header()
            # What led to a takeover comes all at once, and what led to the next may come while that is written.
            room = queue_room(header.rate_hz) + 2 * self._most
            self._writer = BackgroundWriter(self._store.create(header), most=room)
        self._writer.resume()
        self.kept += len(self._lead) + 1
        while self._lead:
            self._writer.on_step(self._lead.popleft())
        self._writer.on_step(step)
        return self._writer

    def _pass_over(self, most: int) -> None:
        """Forget the oldest, but for so many; in a session that has begun they are a pause."""
        if self._writer is not None:
            self._writer.pause()
        while len(self._lead) > most:
            step = self._lead.popleft()
            if self._writer is not None:
                self._writer.on_step(step)

    def finish(self, drive: Drive, notes: dict[str, object]) -> None:
        """Say how the drive ended."""
        if self._writer is not None:
            self._writer.finish(drive.ended, None, {"cadence": drive.cadence.to_dict(), **notes})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._writer is None:
            return
        try:
            self._writer.__exit__(kind, error, None)
        except NothingKeptError:
            return
        except KartError as second:
            if error is None:
                raise
            error.add_note(str(second))
        self.manifest = self._writer.manifest
