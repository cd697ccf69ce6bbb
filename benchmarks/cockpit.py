"""What the live view, the commands and the preview cost the capture: the same recording with and without them."""

import os
import statistics
import tempfile
import time
from contextlib import ExitStack

from rich.console import Console

from benchmarks.moving_window import SIZE, TITLE
from benchmarks.screen import has_screen, moving_screen, windows_are_shown
from benchmarks.table import Row
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.store import Store
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.mapping import default_mapping
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.games.controls import controls
from kart_pipeline.games.desktop import DesktopGame
from recorder.devices.keys import open_keyboard
from recorder.episode import Taken
from recorder.live.cockpit import Cockpit, Wishes
from recorder.live.commands import Commands
from recorder.pads import DevicePad
from recorder.screen.capture import screen_header
from recorder.screen.recording import record_screen

RATE_HZ = 30.0
SECONDS = 15
PAIRS = 2


def run() -> list[Row]:
    """Record a moving picture under Xvfb, by turns bare and with everything; nothing where there is no Xvfb."""
    if not has_screen():
        return []
    with moving_screen("1280x800"), windows_are_shown():
        pairs = [(_record(at_hand=True), _record(at_hand=False)) for _ in range(PAIRS)]
    ours, bare = (list(side) for side in zip(*pairs, strict=True))
    work, alone = (statistics.mean(map(_work_ms, side)) for side in (ours, bare))
    on_time, on_time_alone = (100 * (1 - statistics.mean(map(_late, side))) for side in (ours, bare))
    what = f"the screen, {SIZE[0]}x{SIZE[1]} at {RATE_HZ:g} Hz, with live view, commands and preview"
    ratio = alone / work
    kept = on_time / on_time_alone
    return [
        Row(f"{what}: work a tick", work, "ms", "without them", alone, ratio, ">= 0.8", ratio >= 0.8),
        Row(f"{what}: ticks on time", on_time, "%", "without them", on_time_alone, kept, ">= 0.99", kept >= 0.99),
    ]


def _record(*, at_hand: bool) -> Manifest:
    spec = controls("mario_kart_64")
    with ExitStack() as stack:
        keyboard = open_keyboard(KeyLayout())
        stack.callback(keyboard.close)
        source = open_source(Where(window=TITLE), 240)
        game = stack.enter_context(DesktopGame(source, "mario_kart_64", "", spec, RATE_HZ))
        game.reset()
        parts = {}
        if at_hand:
            terminal = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123 - no path of ours
            out = Console(file=terminal, force_terminal=True, width=100)
            cockpit = stack.enter_context(
                Cockpit(Wishes(signals="off", preview=True), Commands(), keyboard, out, game, source)
            )
            parts = {"parts": cockpit.parts, "clock": cockpit.clock, "gate": cockpit.gate}
        store = Store(stack.enter_context(tempfile.TemporaryDirectory()))
        begun: list[float] = []

        def over() -> bool:
            begun.append(time.monotonic())
            return begun[-1] - begun[0] > SECONDS

        pad = DevicePad(keyboard, default_mapping(spec), wait=True)
        header = screen_header(game, {"kind": "human"}, "jpeg")
        taken = record_screen(store, header, game, pad, should_stop=over, **parts)
        if not isinstance(taken, Taken) or taken.trouble:
            raise RuntimeError(f"the recording broke off: {taken}")
        return taken.manifest


def _work_ms(manifest: Manifest) -> float:
    return float(sum(manifest.notes["cadence"]["mean_ms"].values()))


def _late(manifest: Manifest) -> float:
    return float(manifest.notes["cadence"]["late"])
