"""What a recorded session looks like in numbers: rate, gaps, and how the controls were used."""

from typing import Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec, roles
from kart_pipeline.core.marks import Marks
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.labels import vectors

BINS = 21  # of the steering histogram: odd, so that straight ahead has one of its own
STRAIGHT, EXTREME, JUMP = 0.05, 0.9, 0.5  # |value| below, above; |change from row to row| above

Floats = npt.NDArray[np.float32]


def describe(session: Session) -> dict[str, Any]:
    """Measured rate, gaps, and figures of every channel, as plain JSON values. Pauses and cuts are no gaps.

    The channels are described by what a teacher says, where there is a teacher, else by what was done.

    Raises:
        KartError: the session cannot be read.
    """
    manifest = session.manifest
    names = manifest.spec.names
    columns = [f"label_{name}" for name in names] if manifest.labelled else list(names)
    table = session.table(["step", "t_ns", *columns])
    values = vectors(table, columns)
    taught = ~np.isnan(values).any(axis=1)
    cut = len(manifest.spec.axes)
    steering, wheel = _steering(manifest.spec, values[taught])
    counts, _ = np.histogram(wheel, BINS, (-1, 1))
    step, t_ns = table.column("step").to_numpy(), table.column("t_ns").to_numpy()
    wanted = Marks.from_dict(manifest.notes.get("marks", {})).wanted_gaps(step)
    intervals_s = np.diff(t_ns) / 1e9 - wanted / manifest.rate_hz  # without what was paused or cut
    seconds = float(intervals_s.sum())
    return {
        "measured_hz": float(len(intervals_s) / seconds) if seconds > 0 else None,
        "longest_gap_ms": float(1e3 * intervals_s.max(initial=0)),
        "missing_steps": int(step[-1] - step[0] + 1 - len(step) - wanted.sum()),
        "left_out_steps": int(wanted.sum()),
        "described": "labels" if manifest.labelled else "actions",
        "axes": {name: _axis(values[:, i]) for i, name in enumerate(names[:cut])},
        "buttons": {name: float(values[taught, cut + i].mean()) for i, name in enumerate(names[cut:])},
        "steering": {"axis": steering, "histogram": counts.tolist()},
    }


def _steering(spec: ActionSpec, values: Floats) -> tuple[str, Floats]:
    """Name and values `(N,)` of what steers: an axis, or where there is none the right button less the left one."""
    axis, _ = roles(spec)
    if axis:
        return axis, values[:, spec.names.index(axis)]
    for left, right in spec.mirrored_buttons[:1]:
        return f"{right} - {left}", values[:, spec.names.index(right)] - values[:, spec.names.index(left)]
    return "nothing steers", np.zeros(len(values), np.float32)


def _axis(values: Floats) -> dict[str, float]:
    """Mean, spread, shares straight / left or below / right or above / at the stop, and how it moves between rows."""
    change = np.abs(np.diff(values))
    change = change[~np.isnan(change)]  # only between rows that are both labelled
    values = values[~np.isnan(values)]
    figures = {
        "mean": values.mean(),
        "std": values.std(),
        "straight": (np.abs(values) < STRAIGHT).mean(),
        "negative": (values <= -STRAIGHT).mean(),
        "positive": (values >= STRAIGHT).mean(),
        "extreme": (np.abs(values) > EXTREME).mean(),
        "mean_change": change.mean() if len(change) else 0.0,
        "jumps": (change > JUMP).mean() if len(change) else 0.0,
    }
    return {name: float(value) for name, value in figures.items()}
