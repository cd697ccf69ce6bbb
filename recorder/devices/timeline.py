"""What was when: states with the times from which on they held."""

import threading
from bisect import bisect_right
from collections import deque
from typing import Generic, TypeVar

from kart_pipeline.core.errors import KartError

_KEPT = 8192  # changes: half a minute of a pad that moves at every look, and far more of any hand

State = TypeVar("State")


class Timeline(Generic[State]):
    """The newest states of something, for a thread that writes and others that ask.

    Args:
        first: holds until the first push.
        kept: how many changes are remembered; older ones are forgotten.
    """

    def __init__(self, first: State, kept: int = _KEPT) -> None:
        self._states: deque[State] = deque([first], kept)
        self._times: deque[int] = deque([-(2**63)], kept)
        self._lock = threading.Lock()

    def push(self, t_ns: int, state: State) -> None:
        """From `t_ns` on it is `state`. One that is equal to the last is no change and takes no room.

        Raises:
            ValueError: `t_ns` lies before the last change.
        """
        with self._lock:
            if t_ns < self._times[-1]:
                raise ValueError(f"{t_ns} lies before the last change at {self._times[-1]}")
            if state != self._states[-1]:
                self._states.append(state)
                self._times.append(t_ns)

    def at(self, t_ns: int) -> State:
        """The last state that began no later than `t_ns`.

        Raises:
            KartError: that is too long ago to be remembered.
        """
        with self._lock:
            place = bisect_right(self._times, t_ns)
            if not place:
                late = (self._times[-1] - t_ns) / 1e9
                raise KartError(
                    f"What the controls did {late:.1f} s ago is no longer known: the machine is too slow to record. "
                    "Close other programs, or record at a lower rate."
                )
            return self._states[place - 1]

    @property
    def last(self) -> State:
        """The newest state."""
        with self._lock:
            return self._states[-1]

    def __len__(self) -> int:
        return len(self._states)
