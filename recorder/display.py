"""What the terminal shows while episodes are recorded, and the table afterwards."""

import json
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from recorder import episode


def console(*, stderr: bool = False) -> Console:
    """A console that does not break tables where nobody looks at a screen (a pipe, a log)."""
    # Names and paths may hold brackets and colons, which Rich would read as markup and emoji.
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = 200
    return made


def print_json(data: Any) -> None:
    """To stdout, for machines."""
    json.dump(data, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


class Display:
    """One bar for all episodes and one for each that runs; a context manager."""

    def __init__(self, out: Console, episodes: int) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=out,
            transient=True,
            disable=not out.is_terminal,
        )
        self._count = episodes
        self._ended = 0
        self._all = self._bars.add_task("episodes", total=episodes, told=f"0 of {episodes}")
        self._running: dict[int, TaskID] = {}

    def progress(self, now: episode.Progress) -> None:
        """A running episode got on."""
        if now.seed not in self._running:
            self._running[now.seed] = self._bars.add_task(f"seed {now.seed}", told="")
        self._bars.update(
            self._running[now.seed],
            total=None if now.share is None else 1.0,  # without a total the bar only pulses
            completed=now.share or 0.0,
            told=f"{now.steps} steps, score {now.score:.0f}",
        )

    def ended(self, seed: int) -> None:
        """An episode is over."""
        task = self._running.pop(seed, None)
        if task is not None:
            self._bars.remove_task(task)
        self._ended += 1
        self._bars.update(self._all, completed=self._ended, told=f"{self._ended} of {self._count}")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


def taken_table(sessions: Sequence[episode.Taken]) -> Table:
    """One line a session, and how the loop kept time where it had to."""
    table = Table(box=None, pad_edge=False)
    table.add_column("session", no_wrap=True)
    for name in ("track", "steps", "seconds", "score", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("ended")
    timed = any("cadence" in taken.manifest.notes for taken in sessions)
    if timed:
        table.add_column("cadence")
    for taken in sessions:
        manifest = taken.manifest
        score = "" if manifest.score is None else f"{manifest.score:.1f}"
        row = [manifest.id, manifest.track, str(manifest.steps), f"{manifest.duration_s:.1f}", score]
        row += [f"{taken.megabytes:.1f}", manifest.ended]
        table.add_row(*row, *([cadence_line(manifest.notes.get("cadence"))] if timed else []))
    return table


def cadence_line(cadence: dict[str, float] | None) -> str:
    """`Cadence.to_dict()` in a few words."""
    if cadence is None:
        return ""
    return (
        f"{cadence['hz']:.1f} of {cadence['target_hz']:g} Hz, {cadence['late']:.1%} late, "
        f"{cadence['skipped']} skipped, {cadence['headroom']:.0%} headroom"
    )
