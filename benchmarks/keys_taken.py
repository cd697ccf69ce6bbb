"""Whether the game takes the keys that the recorder says were pressed, and how many ms later.

    python -m benchmarks.keys_taken [--track zengarden] [--seconds 30]

SuperTuxKart can write down every control that its kart got, in ticks of 1/120 s (Ctrl+F11, `history.dat`). The robot
drives, what it does is kept as the recorder keeps it, the keys are noted as they are sent, and then all three are laid
side by side. A tick is put on our clock by the race time that the game logs once a frame: that is as exact as a frame.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from benchmarks.table import machine
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step, now_ns
from kart_pipeline.desktop.controllers.key_senders import open_sender
from kart_pipeline.desktop.controllers.keyboard import KeySender
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.driving.drivers import Expert
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.supertuxkart import game as module
from kart_pipeline.games.supertuxkart.launcher import HISTORY

TICKS_PER_S = 120
ACTIONS = (
    "left",
    "right",
    "up",
    "down",
)  # the first four of the game's list, by the keys that they have from the start
_WINDOW_S = 0.5  # over which pulses are averaged: several of them
_LATE_S = 1.0  # after which a key that was sent is taken for lost

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Press:
    """A key that went down or up, at a time in seconds."""

    key: str
    down: bool
    at_s: float


@dataclass(slots=True)
class Notes:
    """A sender that notes what it sends, when."""

    sender: KeySender
    presses: list[Press] = field(default_factory=list)

    @property
    def backend(self) -> str:
        """As the sender's."""
        return self.sender.backend

    def down(self) -> Collection[str] | None:
        """As the sender says."""
        return self.sender.down()

    def send(self, key: str, down: bool) -> None:
        """Note it and send it."""
        self.presses.append(Press(key, down, now_ns() / 1e9))
        self.sender.send(key, down)

    def close(self) -> None:
        """Close the sender."""
        self.sender.close()


def read_history(path: Path) -> list[tuple[int, str, bool]]:
    """Tick, key and whether it is down, from the game's own file; controls that we do not use are left out."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) == 4 and all(word.isdigit() for word in words):
            tick, _, action, value = map(int, words)
            if action < len(ACTIONS):
                events.append((tick, ACTIONS[action], value > 0))
    return events


def on_our_clock(seconds: Values, clock: Sequence[tuple[float, float]]) -> Values:
    """Race times as times of our clock, by pairs of (race time, time at which it was told)."""
    race, ours = np.array(clock).T
    race, first = np.unique(race, return_index=True)
    return np.interp(seconds, race, ours[first])


def lags(sent: Sequence[Press], taken: Sequence[Press]) -> tuple[list[float], int]:
    """For each key that was taken the seconds since it was sent, and how many that were sent were never taken."""
    waiting = list(sent)
    found: list[float] = []
    for press in taken:
        for place, candidate in enumerate(waiting):
            if (candidate.key, candidate.down) == (press.key, press.down) and press.at_s - candidate.at_s < _LATE_S:
                found.append(press.at_s - candidate.at_s)
                del waiting[place]
                break
    return found, len(waiting)


def steering(presses: Sequence[Press], times: Values) -> Values:
    """-1, 0 or 1 at each of `times`: which of left and right is down."""
    held: dict[str, bool] = {}
    result = np.zeros(len(times))
    events = iter([*presses, Press("", False, np.inf)])
    event = next(events)
    for place, at in enumerate(times):
        while event.at_s <= at:
            held[event.key] = event.down
            event = next(events)
        result[place] = held.get("right", False) - held.get("left", False)
    return result


def shift(recorded: Values, taken: Values, step_s: float) -> tuple[float, float]:
    """By how many seconds `taken` follows `recorded`, and their correlation there; both are averaged over a window."""
    box = np.ones(round(_WINDOW_S / step_s)) * step_s / _WINDOW_S
    a, b = (np.convolve(values, box, mode="valid") for values in (recorded, taken))
    most = round(0.3 / step_s)
    scores = [float(np.corrcoef(a[: len(a) - late], b[late:])[0, 1]) for late in range(most)]
    best = int(np.argmax(scores))
    return best * step_s, scores[best]


@contextmanager
def _noting(notes: list[Notes]) -> Iterator[None]:
    """Every keyboard that the game opens meanwhile notes what it sends."""

    def opened(layout: KeyLayout, environ: Mapping[str, str] | None = None) -> KeySender:
        notes.append(Notes(open_sender(layout, environ)))
        return notes[-1]

    before, module.open_sender = module.open_sender, opened
    try:
        yield
    finally:
        module.open_sender = before


class _Watch:
    """Keeps times and steering as the recorder does, and the game's clock."""

    def __init__(self, game: module.SuperTuxKart) -> None:
        self._game = game
        self.steps: list[tuple[float, float]] = []
        self.clock: list[tuple[float, float]] = []

    def on_step(self, step: Step) -> None:
        self.steps.append((step.frame.t_ns / 1e9, step.choice.action.axes[0]))
        kart = self._game.kart
        self.clock.append((kart.race_s, kart.t_ns / 1e9))


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive once and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keys_taken", description=__doc__.splitlines()[0])
    parser.add_argument("--track", default="zengarden")
    parser.add_argument("--seconds", type=float, default=30.0)
    told = parser.parse_args(arguments)
    notes: list[Notes] = []
    try:
        with _noting(notes), module.SuperTuxKart(told.track) as game:
            watch = _Watch(game)
            done = drive(game, Expert(game.expert()), seed=1, observers=[watch], max_steps=round(told.seconds * 30))
            events = _save_history(game)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    at = on_our_clock(np.array([tick / TICKS_PER_S for tick, _, _ in events]), watch.clock)
    first, last = watch.clock[0][1], watch.clock[-1][1] - 0.5
    taken = [Press(key, down, t) for (_, key, down), t in zip(events, at, strict=True) if first < t < last]
    sent = [press for press in notes[0].presses if first < press.at_s < last - 0.2]
    found, lost = lags(sent, taken)
    step_s = 1 / 240
    times = np.arange(first, last, step_s)
    recorded_at, steer = np.array(watch.steps).T
    held = steer[np.clip(np.searchsorted(recorded_at, times, side="right") - 1, 0, len(steer) - 1)]
    late, alike = shift(held, steering(taken, times), step_s)
    say = Console(soft_wrap=True, highlight=False).print
    say(f"{machine()}; {told.track}, {len(times) * step_s:.0f} s at {done.cadence.hz:.1f} Hz")
    say(f"{len(sent)} keys were sent, the game took {len(taken)}; {lost} came and went within one frame of the game.")
    ms = sorted(1000 * value for value in found)
    say(f"From sending to taking: median {statistics.median(ms):.0f} ms, 95 % within {ms[int(0.95 * len(ms))]:.0f} ms.")
    say(f"The recorder's steering leads the game's by {1000 * late:.0f} ms; their correlation there is {alike:.3f}.")
    return 0


def _save_history(game: module.SuperTuxKart) -> list[tuple[int, str, bool]]:
    """Have the game write its history, and read it before the game's folder goes."""
    from Xlib import XK, X, display
    from Xlib.ext import xtest

    game.neutral()
    keys = display.Display(game.display)
    codes = [keys.keysym_to_keycode(XK.string_to_keysym(name)) for name in ("Control_L", "F11")]
    for kind, order in ((X.KeyPress, codes), (X.KeyRelease, codes[::-1])):
        for code in order:
            xtest.fake_input(keys, kind, code)
            keys.sync()
            time.sleep(0.1)
    keys.close()
    path = game.folder / HISTORY
    end = time.monotonic() + 5
    while not (path.exists() and "file end" in path.read_text(encoding="utf-8")):
        if time.monotonic() > end:
            raise KartError("SuperTuxKart has not written its history within 5 s of Ctrl+F11.")
        time.sleep(0.05)
    return read_history(path)


if __name__ == "__main__":
    sys.exit(main())
