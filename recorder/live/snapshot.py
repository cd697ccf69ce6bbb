"""How a recording stands at one moment, gathered without keeping the capture waiting."""

import shutil
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.action import Action
from kart_pipeline.core.frame import Step
from kart_pipeline.driving.clock import Cadence, Clock
from recorder.screen.recording import ScreenRecording

_RECENT_S = 3.0  # over which the rate is measured
_CADENCE_S = 0.2  # between two looks at the clock
_DISK_S = 2.0  # between two looks at the disk


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is shown of a recording.

    Attributes:
        why: nothing is recorded now, in words; "" while it is.
        seconds: recorded, without what was cut.
        laps: marked so far.
        hz: of the last seconds.
        target_hz: aimed at.
        on_time: share of ticks whose work fitted into the period, since the start.
        headroom: share of the period that was left over on average.
        waiting, most_waiting: frames in the queue, now and at most.
        dropped: frames that found the queue full.
        action: what the person did last; None before the first step.
        free_bytes: left on the disk.
        bytes_per_hour: of this recording; None before there is enough of it.
    """

    why: str
    seconds: float
    laps: int
    hz: float
    target_hz: float
    on_time: float
    headroom: float
    waiting: int
    most_waiting: int
    dropped: int
    action: Action | None
    free_bytes: int
    bytes_per_hour: float | None

    @property
    def hours_left(self) -> float | None:
        """For which the disk has room."""
        return self.free_bytes / self.bytes_per_hour if self.bytes_per_hour else None


class Gauge:
    """The observer that notes what the view is made of; its own work is some microseconds a step.

    Args:
        recording: that is looked at.
        clock: of the drive.
        rate_hz: aimed at.
        folder: of the session.
    """

    def __init__(self, recording: ScreenRecording, clock: Clock, rate_hz: float, folder: Path) -> None:
        self._recording = recording
        self._clock = clock
        self._rate_hz = rate_hz
        self._folder = folder
        self._times: deque[float] = deque(maxlen=max(2, round(_RECENT_S * rate_hz)))
        self._action: Action | None = None
        self._cadence: Cadence | None = None
        self._looked_at = 0.0
        self._disk_at = -_DISK_S
        self._disk: tuple[int, float | None] = (0, None)

    def on_step(self, step: Step) -> None:
        """Note the step."""
        now = time.monotonic()
        self._times.append(now)
        self._action = step.choice.action
        if now - self._looked_at >= _CADENCE_S:
            self._looked_at = now
            self._cadence = self._clock.cadence()

    def snapshot(self) -> Snapshot:
        """How it stands now; to be called by one thread, and not by the one that captures."""
        writing, cadence = self._recording.statistics(), self._cadence
        free, per_hour = self._disk_now()
        return Snapshot(
            why=self._recording.why,
            seconds=self._recording.seconds,
            laps=self._recording.laps,
            hz=self._hz(),
            target_hz=self._rate_hz,
            on_time=1 - cadence.late if cadence else 1.0,
            headroom=cadence.headroom if cadence else 1.0,
            waiting=writing.waiting,
            most_waiting=writing.most_waiting,
            dropped=writing.dropped,
            action=self._action,
            free_bytes=free,
            bytes_per_hour=per_hour,
        )

    def _hz(self) -> float:
        times = self._times.copy()
        if len(times) < 2 or time.monotonic() - times[-1] > _RECENT_S:
            return 0.0
        return (len(times) - 1) / max(1e-9, times[-1] - times[0])

    def _disk_now(self) -> tuple[int, float | None]:
        if time.monotonic() - self._disk_at >= _DISK_S:
            self._disk_at = time.monotonic()
            try:
                size = sum(path.stat().st_size for path in self._folder.iterdir())
                free = shutil.disk_usage(self._folder).free
            except OSError:  # the files change their names when the session is closed
                return self._disk
            seconds = self._recording.seconds
            self._disk = (free, size / seconds * 3600 if seconds > _DISK_S else None)
        return self._disk
