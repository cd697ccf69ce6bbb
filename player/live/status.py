"""One line in the terminal that says who drives, how fast, and how late; and what is to be said above it."""

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from player.live.cockpit import Snapshot
from player.stages import LATENCY

_PER_S = 4.0  # often enough to watch, and a thousandth of the work
_COLOURS = {"policy": "cyan", "human": "green", "assisted": "yellow", "recovery": "magenta", "watchdog": "red"}
_NAMES = {"policy": "the model", "human": "you", "assisted": "the model steers", "recovery": "backing out"}


class StatusLine:
    """Shows a snapshot now and then, where somebody looks at a terminal; a context manager.

    A terminal that is closed is no reason to end badly: what would have been written there is lost.

    Args:
        out: the terminal.
        snapshot: of the drive; called in a thread of its own.
    """

    def __init__(self, out: Console, snapshot: Callable[[], Snapshot]) -> None:
        self._out = out
        self._status = Status(_Line(snapshot), console=out, refresh_per_second=_PER_S) if out.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            with contextlib.suppress(OSError):
                self._status.stop()


class _Line:
    """Is made anew each time that it is drawn."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def __rich__(self) -> Text:
        return text(self._snapshot())


def text(now: Snapshot) -> Text:
    """The line."""
    if now.step is None:
        return Text("looking")
    who = now.reason or _NAMES.get(now.actor, now.actor)
    colour = _COLOURS["watchdog"] if now.reason else _COLOURS.get(now.actor, "white")
    parts = [f"{now.seconds:.0f} s", f"{now.hz:.1f} Hz"]
    if latency := now.stages.get(LATENCY):
        figures = (f"{name} {latency[f'{name}_ms']:.1f}" for name in ("p50", "p95", "p99"))
        parts.append(f"capture to command {' '.join(figures)} ms")
    parts.append(f"{now.autonomy:.0%} by itself, {now.takeovers} takeovers")
    return Text.assemble((who, colour), "  " + "  ".join(parts))


def say(out: Console, line: str) -> None:
    """A line that stays."""
    with contextlib.suppress(OSError):
        out.print(line, soft_wrap=True)
