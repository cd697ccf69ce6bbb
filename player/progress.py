"""What the terminal shows while a model is loaded and drives: one bar a driver, on standard error."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from kart_pipeline.driving.tally import Drive
from recorder.display import console


class Bars:
    """Progress by driver; a context manager. Where nobody looks at a screen, a line for each thing done instead."""

    def __init__(self) -> None:
        self._out = console(stderr=True)
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=self._out,
            disable=not self._out.is_terminal,
        )
        self._task: TaskID | None = None
        self._what = ""
        self._ended = 0.0

    def say(self, line: str) -> None:
        """A line above the bars that stays."""
        self._bars.console.print(line, soft_wrap=True)

    def begin(self, what: str, total: int) -> None:
        """From now on the reports are about this: a driver, and how many drives it is to do."""
        self._what = what
        self._task = self._bars.add_task(what, total=total, told="")
        self._ended = 0.0

    def running(self, seed: int, steps: int, score: float, share: float | None) -> None:
        """A drive got on; `share` of the race, 0 to 1, where the game tells."""
        if self._task is not None:
            told = f"seed {seed}: {steps} steps, score {score:.0f}"
            # Less than a whole, so that the count of drives does not show one that still goes on.
            self._bars.update(self._task, completed=self._ended + min(0.99, share or 0.0), told=told)

    def done(self, drive: Drive | None = None) -> None:
        """One of the drives, or whatever was begun, is done."""
        self._ended += 1
        if self._task is not None:
            told = "" if drive is None else f"seed {drive.seed}: {drive.ended}, score {drive.score:.0f}"
            self._bars.update(self._task, completed=self._ended, told=told)
            if drive is not None and not self._out.is_terminal:
                self.say(f"{self._what}, {told}")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
