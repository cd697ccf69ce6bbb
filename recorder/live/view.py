"""The recording in the terminal, while it goes on: some lines that are drawn anew, or one line now and then."""

import threading
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kart_pipeline.core.action import Action
from recorder.devices.view import bar
from recorder.live.snapshot import Snapshot
from recorder.writing import queue_room

REFRESH_HZ = 8
_LINE_S = 10.0  # between two lines where nobody looks at a terminal

_ON_TIME, _HEADROOM, _ROOM_H = (0.99, 0.95), (0.2, 0.05), (1.0, 0.25)  # below the first it is worth a look, then bad


class LiveView:
    """Draws snapshots in a thread of its own; a context manager.

    Args:
        out: where to; what is printed to it meanwhile stands above.
        snapshot: how the recording stands now.
        title: what is recorded.
        hint: the last line.
    """

    def __init__(self, out: Console, snapshot: Callable[[], Snapshot], title: str, hint: str) -> None:
        self._out = out
        self._moving = out.is_terminal  # asked once: a terminal that was closed in between is none any more
        self._snapshot = snapshot
        self._title = title
        self._hint = hint
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._lines, name="view", daemon=True)
        self._live = Live(
            console=out,
            get_renderable=lambda: picture(snapshot(), title, hint),
            refresh_per_second=REFRESH_HZ,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _lines(self) -> None:
        while not self._end.wait(_LINE_S):
            self._out.print(line(self._snapshot()), soft_wrap=True)

    def __enter__(self) -> None:
        if self._moving:
            self._live.start()
        else:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        if self._moving:
            self._live.stop()
        else:
            self._end.set()
            self._thread.join()


def picture(now: Snapshot, title: str, hint: str) -> RenderableType:
    """All that is known, in some lines."""
    return Group("", _head(now, title), _figures(now), *_controls(now.action), Text(hint, style="dim", no_wrap=True))


def line(now: Snapshot) -> str:
    """The most of it, in one line."""
    room = f", {gigabytes(now.bytes_per_hour)} an hour" if now.bytes_per_hour else ""
    return (
        f"{clock(now.seconds)} {now.why or 'recording'}: {now.hz:.1f} of {now.target_hz:g} Hz, "
        f"{now.on_time:.1%} on time, {now.waiting} waiting, {now.dropped} dropped{room}, "
        f"{gigabytes(now.free_bytes)} free"
    )


def _head(now: Snapshot, title: str) -> Text:
    state = (f"‖ {now.why} ", "bold yellow") if now.why else ("● recording ", "bold red")
    laps = f"  {now.laps} lap{'s' * (now.laps != 1)}" if now.laps else ""
    return Text.assemble(state, (f" {clock(now.seconds)}", "bold"), laps, (f"  {title}", "dim"), no_wrap=True)


def _figures(now: Snapshot) -> Table:
    table = Table.grid(padding=(0, 3))
    hours = now.hours_left
    filled = now.waiting / queue_room(now.target_hz)
    table.add_row(
        Text.assemble(
            "rate ", (f"{now.hz:.1f}", graded(now.hz / now.target_hz, 0.98, 0.9)), f" of {now.target_hz:g} Hz"
        ),
        Text.assemble("on time ", (f"{now.on_time:.1%}", graded(now.on_time, *_ON_TIME))),
        Text.assemble("headroom ", (f"{now.headroom:.0%}", graded(now.headroom, *_HEADROOM))),
    )
    table.add_row(
        Text.assemble("queue ", (f"{now.waiting}", graded(1 - filled, 0.75, 0.4)), f", at most {now.most_waiting}"),
        Text.assemble("dropped ", (f"{now.dropped}", "bold red" if now.dropped else "green")),
        Text.assemble(
            f"disk {gigabytes(now.free_bytes)}",
            f", {gigabytes(now.bytes_per_hour)}/h" if now.bytes_per_hour else "",
            (f", room for {hours:.1f} h", graded(hours, *_ROOM_H)) if hours and hours < 100 else "",
        ),
    )
    return table


def _controls(action: Action | None) -> list[RenderableType]:
    if action is None:
        return []
    table = Table.grid(padding=(0, 1))
    for name, value in zip(action.spec.axes, action.axes, strict=True):
        table.add_row(name, bar(value, 0.0), f"{value:+.2f}")
    lamps = Text(" ").join(
        Text(f" {name} ", style="reverse bold" if pressed else "dim")
        for name, pressed in zip(action.spec.buttons, action.buttons, strict=True)
    )
    return [table, lamps] if action.spec.buttons else [table]


def graded(value: float, good: float, bearable: float) -> str:
    """A colour for something of which more is better."""
    return "green" if value >= good else "yellow" if value >= bearable else "bold red"


def clock(seconds: float) -> str:
    """As 1:02:03, or 02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def gigabytes(size: float) -> str:
    """Of 10^9 bytes."""
    return f"{size / 1e9:.1f} GB" if size >= 1e10 else f"{size / 1e9:.2f} GB"
