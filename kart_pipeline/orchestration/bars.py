"""Progress bars on a terminal for what assets tell of their progress."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """A bar for each kind of work; use it as a context manager. Without a console, nothing is shown."""

    def __init__(self, console: Console | None) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            disable=console is None,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Show that `done` of `total` pieces of `what` are done; what is new gets a bar."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total, note=note)
        self._bars.update(self._tasks[what], completed=done, total=total, note=note)

    def end(self, what: str) -> None:
        """The work ended, perhaps before its total was reached."""
        if what in self._tasks:
            self._bars.update(self._tasks[what], total=self._bars.tasks[self._tasks[what]].completed)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bars.stop()
