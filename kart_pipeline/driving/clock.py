"""Keeps a drive on the game's rate and measures how well that went."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kart_pipeline.core.errors import KartError


@dataclass(frozen=True, slots=True)
class Cadence:
    """How a drive kept time.

    Attributes:
        target_hz: the game's rate.
        hz: ticks per second of wall time that were driven.
        late: share of ticks whose work took longer than one period.
        skipped: ticks left out to get back on schedule.
        headroom: share of the period that was left over on average; below 0 the machine is too slow.
        mean_ms, worst_ms: by section of the tick (driver, game, frame, observers), without the waiting.
    """

    target_hz: float
    hz: float
    late: float
    skipped: int
    headroom: float
    mean_ms: Mapping[str, float]
    worst_ms: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `Cadence(**d)` gives it back."""
        return asdict(self)


class Clock:
    """An absolute schedule: tick k begins at `start + k / rate`, so that small delays do not add up.

    Args:
        rate_hz: ticks per second.
        paced: wait for the schedule; else only measure, as for a game that stands still until it is told to step.
        waiting: a section in which a game is waited for that keeps time itself: no work of ours, and never late.
        now_ns: a monotonic clock in nanoseconds. Windows' `monotonic_ns` has steps of 16 ms; `perf_counter_ns` is fine.
        sleep: waits that many seconds.

    Raises:
        KartError: a rate that is not above 0.
    """

    def __init__(
        self,
        rate_hz: float,
        *,
        paced: bool = True,
        waiting: str = "",
        now_ns: Callable[[], int] = time.perf_counter_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 < rate_hz < 10_000:  # NaN fails this too
            raise KartError(f"A clock's rate must be above 0 and below 10000 Hz, not {rate_hz}.")
        self._rate_hz = rate_hz
        self._period_ns = 1e9 / rate_hz
        self._paced = paced
        self._waiting = waiting
        self._now_ns = now_ns
        self._sleep = sleep
        self.start()

    def start(self) -> None:
        """Tick 0 begins now; all measurements are forgotten."""
        self._start = self._mark = self._now_ns()
        self._slot = self._ticks = self._late = 0
        self._busy = self._busy_total = 0
        self._sum: dict[str, int] = {}
        self._worst: dict[str, int] = {}

    def lap(self, section: str) -> None:
        """Book the time since the last call under `section`."""
        now = self._now_ns()
        spent, self._mark = now - self._mark, now
        self._busy += spent if section != self._waiting else 0
        self._sum[section] = self._sum.get(section, 0) + spent
        self._worst[section] = max(self._worst.get(section, 0), spent)

    def wait(self) -> int:
        """End the tick: wait for the next on the schedule.

        Returns:
            How many ticks the schedule moved on: 1, or more where the work overran whole periods.
        """
        self._ticks += 1
        self._late += self._busy > self._period_ns
        self._busy_total += self._busy
        self._busy = 0
        before = self._slot
        self._slot += 1
        if self._paced:
            ahead = self._start + self._slot * self._period_ns - self._now_ns()
            if ahead > 0:
                self._sleep(ahead / 1e9)
            else:
                # Catching up by a burst of short ticks would distort the recording: rejoin the schedule instead.
                self._slot += int(-ahead // self._period_ns)
        self._mark = self._now_ns()
        return self._slot - before

    @property
    def seconds(self) -> float:
        """Wall time since `start`."""
        return (self._now_ns() - self._start) / 1e9

    def cadence(self) -> Cadence:
        """The report so far."""
        ticks = max(1, self._ticks)
        return Cadence(
            target_hz=self._rate_hz,
            hz=self._ticks / max(self.seconds, 1e-9),
            late=self._late / ticks,
            skipped=self._slot - self._ticks,
            headroom=1 - self._busy_total / ticks / self._period_ns,
            mean_ms={name: total / ticks / 1e6 for name, total in self._sum.items()},
            worst_ms={name: worst / 1e6 for name, worst in self._worst.items()},
        )
