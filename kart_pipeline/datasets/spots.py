"""Places of a session that a person will want to look at: gaps, a stick that sticks, taps, laps, who took over.

The thresholds are those of the judgements in `health`, which look at the session as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.marks import Marks, Range
from kart_pipeline.datasets.health import FULL, LATE, STILL
from kart_pipeline.datasets.health_steering import JUMP
from kart_pipeline.datasets.labels import Bools, Floats, Ints, steering, takeovers, vectors

STUCK_S = 5.0  # no hand holds a stick that still beside its middle, where it springs back to
TAPS_S = 1.0  # jumps that follow each other within this are one place
FEWEST_TAPS = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """One place.

    Attributes:
        kind: "gap", "stuck", "taps", "lap", "failure" or "takeover".
        first, last: its steps, both included.
        text: what is there, in a few words.
    """

    kind: str
    first: int
    last: int
    text: str


def spots(manifest: Manifest, table: pa.Table) -> list[Spot]:
    """All of them, by where they begin.

    Args:
        manifest: of the session.
        table: its rows without pictures, see `Session.table`.

    Raises:
        AttributeError, TypeError, ValueError: the marks in the manifest are damaged.
    """
    steps: Ints = table.column("step").to_numpy()
    if not len(steps):
        return []
    marks = Marks.from_dict(manifest.notes.get("marks", {}))
    found = [*_gaps(manifest, marks, steps, table.column("t_ns").to_numpy())]
    axis = steering(manifest.spec)
    if axis is not None:
        steer = vectors(table, [axis])[:, 0]
        found += [*_stuck(manifest.rate_hz, steps, steer), *_taps(manifest.rate_hz, steps, steer)]
    found += [Spot("lap", step, step, "a lap was marked") for step in marks.laps]
    found += [Spot("failure", first, last, "just before a person took over") for first, last in marks.failures]
    found += [Spot("takeover", first, last, "a teacher drives") for first, last in _runs(steps, takeovers(table))]
    return sorted(found, key=lambda spot: (spot.first, spot.last, spot.kind))


def _gaps(manifest: Manifest, marks: Marks, steps: Ints, t_ns: Ints) -> Iterator[Spot]:
    wanted = marks.wanted_gaps(steps)
    seconds = np.diff(t_ns) / 1e9 - wanted / manifest.rate_hz
    for at in np.flatnonzero(seconds > LATE / manifest.rate_hz):
        yield Spot("gap", int(steps[at]), int(steps[at + 1]), f"{1000 * seconds[at]:.0f} ms without a frame")


def _stuck(rate_hz: float, steps: Ints, steer: Floats) -> Iterator[Spot]:
    # a stop is held through long bends, and the middle on straights
    beside = (np.abs(steer) > STILL) & (np.abs(steer) < FULL)
    same = np.concatenate([[False], (np.diff(steer) == 0) & (np.diff(steps) == 1)]) & beside
    for first, last in _runs(steps, same):
        if last - first + 1 >= STUCK_S * rate_hz:
            at = float(steer[np.searchsorted(steps, first)])
            yield Spot("stuck", first, last, f"the stick stays at {at:+.2f} for {(last - first + 1) / rate_hz:.1f} s")


def _taps(rate_hz: float, steps: Ints, steer: Floats) -> Iterator[Spot]:
    at = np.flatnonzero((np.abs(np.diff(steer)) > JUMP) & (np.diff(steps) == 1))
    if not len(at):
        return
    for group in np.split(at, np.flatnonzero(np.diff(steps[at]) > TAPS_S * rate_hz) + 1):
        if len(group) >= FEWEST_TAPS:
            first, last = int(steps[group[0]]), int(steps[group[-1] + 1])
            yield Spot("taps", first, last, f"{len(group)} jumps of more than half the stick's way")


def _runs(steps: Ints, where: Bools) -> list[Range]:
    """First and last step of each run of rows that `where` is true for."""
    edges: npt.NDArray[np.int64] = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(np.int8)))
    return [(int(steps[first]), int(steps[after - 1])) for first, after in zip(edges[::2], edges[1::2], strict=True)]
