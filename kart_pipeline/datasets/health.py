"""Is this session fit to learn from? Verdicts on its file, its clock and its controls; pictures have `health_frames`.

Each check is a pure function of the manifest and the table (`Session.table()`: everything but the pictures). The
thresholds of judgements are constants with their reason, because people will want to argue with them.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.marks import Marks
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.frames import MOST_LEFT_OUT, RATE_TOLERANCE
from kart_pipeline.datasets.health_steering import aliasing, sides, straight
from kart_pipeline.datasets.labels import Floats, Ints, labelled, steering, vectors
from kart_pipeline.datasets.verdict import Verdict, broken, sound, warning

RATE_DRIFT = 0.1  # half of what a contract tolerates; a steady timer stays within 2 %

LATE = 1.5  # an interval this many periods long is a gap: nearer to two periods than to one
MOST_GAPS = 0.05  # one step in twenty; beyond it, stacks and delayed labels are often wrong

FEWEST_LABELS = 100  # two batches; 10 s at 10 Hz, less than any lap

STILL = 0.01  # an axis that spans less has not been touched: a pad's noise at rest is about this
FULL = 0.99  # an axis beyond it is at its stop
MOST_STOPPED = 0.95  # a stick is never held at its stop for a whole drive, a mis-scaled one always is


def check_session(session: Session) -> list[Verdict]:
    """All verdicts that need no prepared frames. Reads the whole file once, for its digest."""
    try:
        session.verify()
        table = session.table()
    except KartError as error:
        return [broken("contents", str(error), {})]
    return check_table(session.manifest, table)


def check_table(manifest: Manifest, table: pa.Table) -> list[Verdict]:
    """All verdicts on a table of at least one row, see `Session.table`."""
    return [
        contents(manifest, table),
        clock(table),
        rate(manifest, table),
        gaps(manifest, table),
        label_range(manifest, table),
        length(manifest, table),
        controls(manifest, table),
        aliasing(manifest, table),
        straight(manifest, table),
        sides(manifest, table),
        unreadable(manifest),
    ]


def contents(manifest: Manifest, table: pa.Table) -> Verdict:
    """The table holds what the manifest says."""
    first = f"label_{manifest.spec.names[0]}"
    found = {
        "steps": table.num_rows,
        "labelled": table.num_rows - table.column(first).null_count,
        "interventions": sum(table.column("intervention").to_pylist()),
    }
    wrong = [
        f"{count} {name} (manifest: {said})"
        for name, count in found.items()
        if count != (said := getattr(manifest, name))
    ]
    if wrong:
        return broken("contents", f"The file holds {', '.join(wrong)}; restore or remove the session.", found)
    return sound("contents", "File and manifest agree.", found, "error")


def clock(table: pa.Table) -> Verdict:
    """Times and step numbers rise."""
    steps, times = table.column("step").to_numpy(), table.column("t_ns").to_numpy()
    bad = np.flatnonzero((np.diff(times) <= 0) | (np.diff(steps) <= 0))
    figures = {"backwards": len(bad)}
    if len(bad):
        return broken(
            "clock", f"Time or step number does not rise after step {steps[bad[0]]}; remove the session.", figures
        )
    return sound("clock", "Time and step number always rise.", figures, "error")


def rate(manifest: Manifest, table: pa.Table) -> Verdict:
    """The steps came as often as the manifest says: by the median interval, which gaps do not move."""
    intervals = _intervals_s(table)
    if not len(intervals) or np.median(intervals) <= 0:
        return sound("rate", "Too few steps to measure a rate.", {"manifest_hz": manifest.rate_hz})
    measured = float(1 / np.median(intervals))
    figures = {"manifest_hz": manifest.rate_hz, "measured_hz": measured}
    off = abs(measured / manifest.rate_hz - 1)
    said = f"Steps came at {measured:.2f} Hz; the manifest says {manifest.rate_hz:.2f} Hz"
    if off > RATE_TOLERANCE:
        return broken("rate", f"{said}, so labels and stacks mean other times: record with a rate that holds.", figures)
    if off > RATE_DRIFT:
        return warning("rate", f"{said}: the machine was too slow or its timer drifts.", figures)
    return sound("rate", f"{said}.", figures)


def gaps(manifest: Manifest, table: pa.Table) -> Verdict:
    """Few steps are missing, by the clock and by their numbers; those that a person paused or cut are not missing."""
    steps = table.column("step").to_numpy()
    try:
        wanted = Marks.from_dict(manifest.notes.get("marks", {})).wanted_gaps(steps)
    except (AttributeError, TypeError, ValueError) as error:
        return broken("gaps", f"The marks of the session are damaged ({error}); restore its manifest.", {})
    intervals = _intervals_s(table) - wanted / manifest.rate_hz
    late = intervals > LATE / manifest.rate_hz
    missing, left_out = int(steps[-1] - steps[0] + 1 - len(steps)), int(wanted.sum())
    dropped = missing - left_out
    share = max(float(late.mean()) if len(late) else 0.0, dropped / (len(steps) + dropped))
    longest = float(intervals.max()) if len(intervals) else 0.0
    figures = {"late": int(late.sum()), "dropped": dropped, "share": share, "longest_s": longest, "left_out": left_out}
    said = f"{figures['late']} of {len(steps)} steps came late and {dropped} are missing (longest gap {longest:.2f} s)"
    if left_out:
        said += f"; {left_out} more were paused or cut"
    if share > MOST_GAPS:
        return warning("gaps", f"{said}: the recorder could not keep up; lower rate or picture size.", figures)
    return sound("gaps", f"{said}.", figures)


def label_range(manifest: Manifest, table: pa.Table) -> Verdict:
    """What was executed and taught is finite, and axes are within [-1, 1]."""
    names = manifest.spec.names
    executed, labels = vectors(table, names), _labels(manifest, table)
    # executed columns have no nulls, so that a NaN is bad there; of labels, NaN is "nobody taught"
    bad = np.any(~(np.abs(executed) <= 1) | (np.abs(labels) > 1), axis=0)
    partly = int((np.isnan(labels).any(axis=1) & ~np.isnan(labels).all(axis=1)).sum())
    figures = {"channels_out_of_range": int(bad.sum()), "partly_labelled": partly}
    if bad.any():
        worst = ", ".join(names[place] for place in np.flatnonzero(bad))
        return broken("label_range", f"{worst} has values outside [-1, 1] or not finite; correct the mapping.", figures)
    if partly:
        return broken("label_range", f"{partly} rows are labelled in some channels only; remove the session.", figures)
    return sound("label_range", "All values are finite and in range.", figures, "error")


def length(manifest: Manifest, table: pa.Table) -> Verdict:
    """There is something to learn from."""
    count = int(labelled(_labels(manifest, table)).sum())
    figures = {"steps": table.num_rows, "labelled": count, "duration_s": manifest.duration_s}
    if not count:
        return warning("length", "No step has a label: nobody taught here, so nothing is learned from it.", figures)
    if count < FEWEST_LABELS:
        return warning(
            "length", f"Only {count} steps have a label, fewer than {FEWEST_LABELS}: record longer drives.", figures
        )
    return sound("length", f"{count} of {table.num_rows} steps have a label.", figures)


def controls(manifest: Manifest, table: pa.Table) -> Verdict:
    """Axes move, and not only between their stops. A button that is always or never pressed is told, not blamed."""
    spec = manifest.spec
    executed = vectors(table, spec.names)
    figures: dict[str, float | int] = {}
    faults, notes = [], []
    for name, values in zip(spec.names, executed.T, strict=True):
        if name in spec.buttons:
            figures[f"{name}_pressed"] = pressed = float(values.mean())
            if pressed in (0, 1):
                notes.append(f"{name} is {'always' if pressed else 'never'} pressed")
            continue
        figures[f"{name}_span"] = span = float(np.ptp(values))
        figures[f"{name}_at_stop"] = stopped = float((np.abs(values) >= FULL).mean())
        if span < STILL:
            faults.append(f"{name} stays at {values[0]:.2f}")
        elif stopped > MOST_STOPPED and name == steering(spec):  # the gas may well be down all the time
            faults.append(f"{name} is at its stop in {stopped:.0%} of the steps")
    told = f" ({'; '.join(notes)})" if notes else ""
    if faults:
        return warning(
            "controls", f"{'; '.join(faults)}{told}: the pad was not connected, mapped or scaled right.", figures
        )
    return sound("controls", f"All axes moved{told}.", figures)


def unreadable(manifest: Manifest) -> Verdict:
    """Few rows of an imported recording had to be left out (`notes["left_out"]`, one entry a row)."""
    rows = manifest.notes.get("left_out", [])
    figures = {"left_out": len(rows), "share": len(rows) / (len(rows) + manifest.steps)}
    if not rows:
        return sound("unreadable", "No row was left out when it was recorded or imported.", figures)
    said = f"{len(rows)} rows were left out by the import, the first: {_told(rows[0])}"
    if figures["share"] > MOST_LEFT_OUT:
        return broken(
            "unreadable", f"{said}; more than {MOST_LEFT_OUT:.0%}: mend the source and import again.", figures
        )
    return warning("unreadable", f"{said}.", figures)


def _told(row: object) -> str:
    return ", ".join(f"{key} {value}" for key, value in row.items()) if isinstance(row, dict) else str(row)


def _labels(manifest: Manifest, table: pa.Table) -> Floats:
    return vectors(table, [f"label_{name}" for name in manifest.spec.names])


def _intervals_s(table: pa.Table) -> npt.NDArray[np.float64]:
    times: Ints = table.column("t_ns").to_numpy()
    return np.diff(times) / 1e9
