"""When the rows of a recording were: by its own times where it has them, else by counting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from kart_pipeline.core.marks import Range
from recorder.importers.base import Recording

_PAUSE_NS = 1_000_000_000  # a longer gap is a person's pause: these recorders lose single frames, not seconds
_FEWEST = 3  # rows from which a rate is measured


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each row of a recording was.

    Attributes:
        steps: the loop's tick of each row; a gap is a row that is not there.
        t_ns: nanoseconds since the first row.
        rate_hz: steps per second.
        pauses: steps that nobody wanted to record, or that a person deleted.
        told: where the times come from, for the manifest.
    """

    steps: list[int]
    t_ns: list[int]
    rate_hz: float
    pauses: tuple[Range, ...]
    told: str


def schedule(recording: Recording, rate_hz: float | None = None) -> Schedule:
    """The times of a recording's rows.

    Args:
        recording: has at least one row.
        rate_hz: what a person says of it; None for the format's own, or what its times come to.
    """
    numbers = [row.line for row in recording.rows]
    if recording.times_ns is None:
        rate = rate_hz or recording.rate_hz
        steps = recording.ticks
        t_ns = [round(step * 1e9 / rate) for step in steps]
        told = f"synthesised from the {recording.unit} numbers at {rate:g} Hz: there are no times of the drive"
        return Schedule(steps, t_ns, rate, _pauses(steps, numbers, [], recording.deleted), told)
    gaps = [after - before for before, after in pairwise(recording.times_ns)]
    rate = rate_hz or _measured(gaps) or recording.rate_hz
    period = 1e9 / rate
    # A clock may be set while it records; time goes on nevertheless. By gaps, so that a rate that is a little wrong
    # does not add up to a step.
    gaps = [gap if gap > 0 else round(period) for gap in gaps]
    steps, t_ns = [0], [0]
    for gap in gaps:
        steps.append(steps[-1] + max(1, round(gap / period)))
        t_ns.append(t_ns[-1] + gap)
    told = f"as recorded; {rate:.4g} Hz " + ("by their median" if not rate_hz else "as told")
    return Schedule(steps, t_ns, rate, _pauses(steps, numbers, gaps, recording.deleted), told)


def _measured(gaps: Sequence[int]) -> float | None:
    """Rows per second, None where there are too few to tell, or none."""
    usable = [gap for gap in gaps if gap > 0]
    if len(usable) + 1 < _FEWEST:
        return None
    rate = 1e9 / median(usable)
    return rate if 0 < rate < 1000 else None


def _pauses(
    steps: Sequence[int], numbers: Sequence[int], gaps: Sequence[int], deleted: frozenset[int]
) -> tuple[Range, ...]:
    found = []
    for at, (before, after) in enumerate(pairwise(steps)):
        missing = range(numbers[at] + 1, numbers[at + 1])
        wanted = (bool(gaps) and gaps[at] > _PAUSE_NS) or (bool(missing) and all(n in deleted for n in missing))
        if after > before + 1 and wanted:
            found.append((before + 1, after - 1))
    return tuple(found)
