"""What is said when a recording from the screen has ended: what each part took, what was lost, and what would help."""

from typing import Any

from rich.table import Table

from kart_pipeline.core.manifest import Manifest
from recorder.episode import Taken

_BEARABLE = 0.01  # share of late ticks or dropped frames of which nothing has to be said
_SPARE = 0.8  # of a period; the rest is for the moments in which the machine is slower


def sustainable_hz(work_ms: float) -> float:
    """The rate at which work of so many ms a tick leaves a fifth of the time to spare."""
    return _SPARE * 1e3 / work_ms


def summary(taken: Taken) -> str:
    """What was recorded, and how the rate was kept, in two lines."""
    manifest = taken.manifest
    where = f"{manifest.game} {manifest.track}".strip()
    lines = [
        f"{manifest.id}: {where}, {manifest.steps} steps, {manifest.duration_s:.1f} s, {taken.megabytes:.1f} MB, "
        f"{manifest.ended}"
    ]
    if cadence := manifest.notes.get("cadence"):  # what broke off could not tell
        lines.append(
            f"{cadence['hz']:.1f} of {cadence['target_hz']:g} Hz, {cadence['late']:.1%} of the ticks over budget, "
            f"{cadence['skipped']} skipped, {cadence['headroom']:.0%} headroom"
        )
    return "\n".join(lines)


def timing_table(manifest: Manifest) -> Table:
    """Mean and worst of looking, encoding and writing, ms."""
    cadence, writing = manifest.notes["cadence"], manifest.notes["writing"]
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("grab", "encode", "write"):
        table.add_column(name, justify="right")
    for name, frame in (("mean", cadence["mean_ms"]), ("worst", cadence["worst_ms"])):
        times = [frame.get("frame", 0.0), writing["encode"][f"{name}_ms"], writing["write"][f"{name}_ms"]]
        table.add_row(f"{name} ms", *(f"{time:.1f}" for time in times))
    return table


def lost(manifest: Manifest) -> list[str]:
    """What did not reach the session, and where something should be changed, what."""
    cadence, writing = manifest.notes["cadence"], manifest.notes["writing"]
    ticks = manifest.steps + writing["dropped"]
    line = f"{writing['dropped']} of {ticks} frames dropped; at most {writing['most_waiting']} waited to be written."
    advice = _advice(manifest.rate_hz, cadence, writing, ticks)
    return [line, advice] if advice else [line]


def _advice(rate_hz: float, cadence: dict[str, Any], writing: dict[str, Any], ticks: int) -> str:
    if writing["dropped"] > _BEARABLE * ticks:
        work = max(writing["encode"]["mean_ms"], writing["write"]["mean_ms"])
        return (
            f"Frames were dropped because encoding and writing them took {work:.1f} ms each: record with a lower "
            "--rate or --height, or with another --codec."
        )
    work = sum(cadence["mean_ms"].values())
    if cadence["late"] > _BEARABLE:
        held = min(sustainable_hz(work), rate_hz / (1 + cadence["late"]))
        return f"This machine did not hold {rate_hz:g} Hz; it can hold about {held:.0f}: record with --rate {held:.0f}."
    return ""
