"""How writing a session goes: what waits, what was dropped, and what encoding and writing take."""

from dataclasses import asdict, dataclass
from typing import Any


class Timing:
    """Count, mean and worst of some durations."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = self._worst = 0.0

    def add(self, seconds: float) -> None:
        """Take one more duration in."""
        self._count += 1
        self._sum += seconds
        self._worst = max(self._worst, seconds)

    def summary(self) -> "Summary":
        """What there was so far."""
        mean = self._sum / self._count if self._count else 0.0
        return Summary(self._count, round(1e3 * mean, 3), round(1e3 * self._worst, 3))


@dataclass(frozen=True, slots=True)
class Summary:
    """Of some durations, in ms."""

    count: int
    mean_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True)
class Writing:
    """How writing goes.

    Attributes:
        waiting: frames in the queue now.
        most_waiting: the most that ever waited.
        dropped: frames that found the queue full.
        encode: of each frame as a picture, in threads of its own; nothing of a video.
        write: of each row, with the encoding of a video.
        sync: of the files to the disk, in a thread of its own.
    """

    waiting: int
    most_waiting: int
    dropped: int
    encode: Summary
    write: Summary
    sync: Summary

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)
