"""Rows of the benchmark's table, the machine that they came from, and how pairs are timed."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from kart_pipeline.core.machine import machine


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes:
        what: is measured.
        ours: our figure, in `unit`.
        peer: what it is compared with.
        theirs: the peer's figure from the same run, or None where the aim is absolute.
        unit: of both figures.
        ratio: how ours stands to theirs, 1 being equal and more being better; None where the aim is absolute.
        aim: in words.
        met: whether the aim is met; None where there is none.
    """

    what: str
    ours: float
    unit: str
    peer: str
    theirs: float | None
    ratio: float | None
    aim: str
    met: bool | None


def interleaved(ours: Callable[[], float], theirs: Callable[[], float], repeats: int = 5) -> tuple[float, float, float]:
    """Measure two things in turn, so that a machine whose speed drifts treats both alike.

    Returns:
        The medians of ours, of theirs, and of the pairwise ratios ours / theirs.
    """
    pairs = [(ours(), theirs()) for _ in range(repeats)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def per_second(count: int, work: Callable[[], object]) -> float:
    """`count` divided by the wall seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def beside(what: str, ours: float, floor: str, theirs: float, unit: str) -> Row:
    """What is reached a second beside what could be, without an aim."""
    return Row(what, ours, unit, floor, theirs, ours / theirs, "", None)


def load() -> str:
    """How busy the machine was in the last minute, where the system tells; empty where not."""
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def show(rows: list[Row], console: Console, before: str = "") -> None:
    """Print the table, as Markdown where the output is no terminal; `before` is the `load` before it began."""
    title = machine() + (f", {before} before" if before else "")
    columns = ("what", "ours", "against", "theirs", "ratio", "aim", "met")
    cells = [
        (
            row.what,
            f"{row.ours:,.4g} {row.unit}",
            row.peer,
            "" if row.theirs is None else f"{row.theirs:,.4g} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.aim,
            {True: "yes", False: "no", None: ""}[row.met],
        )
        for row in rows
    ]
    if console.is_terminal:
        table = Table(*columns, title=title)
        for line in cells:
            table.add_row(*line)
        console.print(table)
        return
    console.print(f"{title}\n", soft_wrap=True, markup=False)
    for line in (columns, ("---",) * len(columns), *cells):
        console.print("| " + " | ".join(line) + " |", soft_wrap=True, markup=False, highlight=False)
