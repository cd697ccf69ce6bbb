"""The drive in the terminal while it goes on: who drives, how fast, how late, where the controls stand."""

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.style import Style
from rich.table import Table
from rich.text import Text

from player.live.cockpit import Snapshot
from player.live.who import who
from player.stages import LATENCY
from recorder.devices.view import bar
from recorder.live.view import clock, graded

_PER_S = 5.0  # often enough to watch, and half a hundredth of the work
_ON_RATE = (0.98, 0.9)  # of the rate; below the first it is worth a look, then bad
_AT_HAND = (0.5, 0.0)  # what is left of a step's period after the command; the same
_OTHER = 0.02  # of a channel's way, by which the model would do something else


class LiveView:
    """Shows a snapshot now and then, where somebody looks at a terminal; a context manager.

    A terminal that is closed is no reason to end badly: what would have been written there is lost.

    Args:
        out: the terminal.
        snapshot: of the drive; called in a thread of its own.
    """

    def __init__(self, out: Console, snapshot: Callable[[], Snapshot]) -> None:
        self._live = (
            Live(console=out, get_renderable=lambda: picture(snapshot()), refresh_per_second=_PER_S, transient=True)
            if out.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()


def picture(now: Snapshot) -> RenderableType:
    """All of it, in some lines."""
    return Group("", text(now), *(() if now.step is None else (_pace(now), _counts(now), *_controls(now))))


def text(now: Snapshot) -> Text:
    """Who drives, and for how long."""
    words, colour = who(now.actor, now.reason)
    lamp = (f"{'‖' if now.reason else '●'} {words}", Style(color="rgb({},{},{})".format(*colour), bold=True))
    return Text.assemble(lamp, (f"  {clock(now.seconds)}", "bold") if now.step else "", no_wrap=True)


def _pace(now: Snapshot) -> Text:
    """How fast, and how late."""
    line = Text("rate ", no_wrap=True)
    line.append(f"{now.hz:.1f}", graded(now.hz / now.target_hz, *_ON_RATE)).append(f" of {now.target_hz:g} Hz")
    if latency := now.stages.get(LATENCY):
        line.append("   capture to command")
        for name in ("p50", "p95", "p99"):
            left = 1 - latency[f"{name}_ms"] * now.target_hz / 1e3
            line.append(f" {name} ").append(f"{latency[f'{name}_ms']:.1f}", graded(left, *_AT_HAND))
        line.append(" ms")
    return line


def _counts(now: Snapshot) -> Text:
    """What happened so far, and what is kept of it; of what never happened only takeovers are told."""
    told = [f"{now.autonomy:.0%} by itself", _times(now.takeovers, "takeover")]
    told += [f"backed out {_times(now.recoveries, 'time')}"] if now.recoveries else []
    told += [f"let go {_times(now.let_go, 'time')}"] if now.let_go else []
    told += [f"too late {_times(now.late, 'time')}"] if now.late else []
    if now.kept is not None:
        told.append(f"{_times(now.kept, 'step')} recorded" if now.kept else "nothing to record yet")
    if now.filmed or now.unfilmed:
        told.append(f"{_times(now.filmed, 'frame')} filmed, {now.unfilmed} dropped")
    return Text(", ".join(told))


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _controls(now: Snapshot) -> list[RenderableType]:
    """A bar for each axis, a lamp for each button; and what the model would do where that is something else."""
    action, advice = now.action, now.advice
    if action is None:
        return []
    table = Table.grid(padding=(0, 1))
    for name, value in zip(action.spec.axes, action.axes, strict=True):
        other = advice is not None and abs(float(advice[name]) - value) > _OTHER
        said = Text(f"the model {float(advice[name]):+.2f}" if advice is not None and other else "", "dim")
        table.add_row(name, bar(value, 0.0), f"{value:+.2f}", said)
    lamps = Text(" ").join(
        Text(f" {name} ", style="reverse bold" if pressed else "dim")
        for name, pressed in zip(action.spec.buttons, action.buttons, strict=True)
    )
    return [table, lamps] if action.spec.buttons else [table]


def say(out: Console, line: str) -> None:
    """A line that stays."""
    with contextlib.suppress(OSError):
        out.print(line, soft_wrap=True)
