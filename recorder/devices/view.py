"""A pad on the terminal: where its sticks stand, what is pressed, and how far it drifts when nobody touches it."""

import math
import time
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.mapping import DEAD_ZONE
from kart_pipeline.desktop.pad import AXES, BUTTONS, STICKS, PadState
from recorder.devices.choose import Chosen

REST_S = 2.0  # for which the person lets go of the pad
_TOUCHED = 0.3  # farther than any worn stick rests
_LOOK_S = 0.01
_HALF = 16  # characters of a bar to each side of its middle


class Drift:
    """How far the sticks stand from their middle while nobody touches them."""

    def __init__(self) -> None:
        self.worst = dict.fromkeys(STICKS, 0.0)
        self.touched: set[str] = set()

    def take(self, state: PadState) -> None:
        """One more look at a pad that was let go of."""
        for name in STICKS:
            value = abs(state.value(name))
            if value > _TOUCHED:
                self.touched.add(name)
            else:
                self.worst[name] = max(self.worst[name], value)

    @property
    def advice(self) -> str:
        """What the dead zone is to be."""
        if self.touched:
            return f"{', '.join(sorted(self.touched))} was not let go of, or does not come back: run this again."
        name = max(self.worst, key=lambda stick: self.worst[stick])
        drift = self.worst[name]
        if drift <= DEAD_ZONE:
            return f"Sticks rest within {drift:.3f} of their middle; the dead zone of {DEAD_ZONE} covers that."
        return (
            f"{name} rests {drift:.3f} from its middle, beyond the dead zone of {DEAD_ZONE}: set dead_zone = "
            f"{drift * 1.25:.2f} for what it steers, in pads.toml."
        )


def watch(chosen: Chosen, out: Console, *, seconds: float | None, stop: Callable[[], bool]) -> Drift:
    """Show the pad until `stop`, or for so many seconds.

    Returns:
        How it drifted in the first two seconds.

    Raises:
        KartError: it cannot be read any more.
    """
    drift = Drift()
    begun = time.monotonic()
    ending = "until Ctrl-C" if seconds is None else f"for {seconds:g} s"
    with Live(console=out, refresh_per_second=20) as live:
        while not stop() and (seconds is None or time.monotonic() - begun < seconds):
            state = chosen.device.at(now_ns())
            resting = time.monotonic() - begun < REST_S
            if resting and state.connected:
                drift.take(state)
            told = "Let go of the pad, to see how it rests …" if resting else f"Move everything; {ending}."
            live.update(Group(told, picture(state, drift)))
            time.sleep(_LOOK_S)
    return drift


def picture(state: PadState, drift: Drift) -> Table:
    """The pad as a table: a bar for each axis with its dead zone, and the buttons."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in AXES:
        value = state.value(name)
        rest = f"rest ±{drift.worst[name]:.3f}" if name in STICKS else ""
        table.add_row(name, bar(value, DEAD_ZONE if name in STICKS else 0.0), f"{value:+.3f}", rest)
    pressed = Text(" ").join(Text(f" {name} ", style="reverse") for name in BUTTONS if name in state.buttons)
    table.add_row("buttons", pressed)
    if not state.connected:
        table.add_row("", Text("unplugged; plug it in again", style="bold red"))
    return table


def bar(value: float, dead_zone: float) -> Text:
    """A line from -1 to 1 with a mark at `value`; the dead zone is dotted."""
    dead = math.ceil(dead_zone * _HALF)
    cells = ["·" if dead and abs(i) <= dead else "─" for i in range(-_HALF, _HALF + 1)]
    cells[_HALF] = "┼"
    cells[_HALF + round(max(-1.0, min(1.0, value)) * _HALF)] = "█"
    return Text("".join(cells))
