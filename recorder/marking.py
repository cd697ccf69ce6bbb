"""Cuts, laps and pauses that a person asks for while steps go by."""

import threading
from collections import deque
from collections.abc import Callable

from kart_pipeline.core.marks import UNMARKED, Marks

UNDO_S = 600  # how far back a cut reaches


class Marking:
    """The marks of a running recording. The public methods may be called from any thread.

    Args:
        rate_hz: steps per second.
        changed: is told the marks whenever they change, under the lock.
    """

    def __init__(self, rate_hz: float, changed: Callable[[Marks], None]) -> None:
        self._rate, self._changed = rate_hz, changed
        self._lock = threading.Lock()
        self._marks = UNMARKED
        self._undo: deque[int] = deque(maxlen=round(UNDO_S * rate_hz))  # steps that a cut can reach
        self._last = -1
        self._paused_from: int | None = None

    def drop_last(self, seconds: float) -> float:
        """Cut the last seconds of what was recorded, as after a botched corner; again, and it cuts what was before.

        Returns:
            How many seconds were cut: less where there are no more, or more than `UNDO_S` were asked for.
        """
        with self._lock:
            count = min(round(seconds * self._rate), len(self._undo))
            if count > 0:
                cut = [self._undo.pop() for _ in range(count)]
                self._set(self._marks.cut(cut[-1], self._last))
            return max(count, 0) / self._rate

    def mark_lap(self) -> None:
        """Note that a lap begins with the step that was seen last."""
        with self._lock:
            if self._last >= 0:
                self._set(self._marks.lap(self._last))

    def mark_failure(self, first: int, last: int) -> None:
        """Note that a policy failed in these steps: a person took the controls after them."""
        with self._lock:
            self._set(self._marks.failure(first, last))

    def pause(self) -> None:
        """Record nothing until `resume`; the gap is noted."""
        with self._lock:
            if self._paused_from is None:
                self._paused_from = self._last + 1

    def resume(self) -> None:
        """Record again."""
        with self._lock:
            first, self._paused_from = self._paused_from, None
            if first is not None and first <= self._last:
                self._set(self._marks.pause(first, self._last))

    @property
    def laps(self) -> int:
        """How many are marked, without those that were cut."""
        return len(self._marks.laps)

    @property
    def paused(self) -> bool:
        """Between `pause` and `resume`."""
        return self._paused_from is not None

    def _comes(self, step: int) -> bool:
        """A step comes, the lock being held: whether it is to be recorded."""
        self._last = step
        return self._paused_from is None

    def _keeps(self, step: int) -> None:
        """The step that came is recorded, the lock being held."""
        self._undo.append(step)

    def _set(self, marks: Marks) -> None:
        self._marks = marks
        self._changed(marks)
