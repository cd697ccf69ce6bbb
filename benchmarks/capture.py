"""A minute of the screen at 640x480 and 60 Hz: is each tick on time, is anything lost, and what does it cost?"""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.moving_window import SIZE, TITLE
from benchmarks.screen import has_screen, moving_screen
from benchmarks.table import Row
from kart_pipeline.core.manifest import Codec, Manifest
from kart_pipeline.core.store import Store
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.mapping import default_mapping
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.games.controls import controls
from kart_pipeline.games.desktop import DesktopGame
from recorder.devices.keys import open_keyboard
from recorder.episode import Taken
from recorder.pads import DevicePad
from recorder.screen.capture import screen_header
from recorder.screen.recording import record_screen

RATE_HZ = 60.0
SECONDS = 60
CODECS: tuple[Codec, ...] = ("jpeg", "h264")
FRAME_MB = SIZE[0] * SIZE[1] * 3 / 1e6


def run() -> list[Row]:
    """Record a moving picture under Xvfb; nothing where there is none."""
    if not has_screen():
        return []
    with moving_screen():
        return [row for codec in CODECS for row in _measured(codec)]


def _measured(codec: Codec) -> list[Row]:
    before = _bare_grab_ms()
    with tempfile.TemporaryDirectory() as folder, _memory() as megabytes:
        began, cpu = time.perf_counter(), time.process_time()
        manifest = _record(Store(folder), codec)
        busy = (time.process_time() - cpu) / (time.perf_counter() - began)
    bare = statistics.mean((before, _bare_grab_ms()))
    cadence, writing = manifest.notes["cadence"], manifest.notes["writing"]
    ticks = manifest.steps + writing["dropped"]
    on_time = 100 * (1 - cadence["late"]) * ticks / (ticks + cadence["skipped"])
    dropped = 100 * writing["dropped"] / ticks
    tick = cadence["mean_ms"]
    work = sum(tick.values())
    parts = f"looking {tick['frame']:.1f}, hands {tick['driver']:.1f}, queue {tick['observers']:.1f} ms a tick; "
    beside = (
        f"beside it: encode {writing['encode']['mean_ms']:.1f}, write {writing['write']['mean_ms']:.1f}, "
        f"sync {writing['sync']['mean_ms']:.1f} ms"
    )
    grown = _growth(megabytes)
    queue = f"at most {writing['most_waiting']} frames waited ({writing['most_waiting'] * FRAME_MB:.0f} MB)"
    what = f"the screen, {SIZE[0]}x{SIZE[1]} at {RATE_HZ:g} Hz for {SECONDS} s, {codec}"
    return [
        Row(f"{what}: ticks on time", on_time, "%", "", None, None, ">= 99.5 %", on_time >= 99.5),
        Row(f"{what}: frames dropped", dropped, "%", "", None, None, "<= 0.5 %", dropped <= 0.5),
        Row(f"{what}: work a tick", work, "ms", "bare mss.grab", bare, bare / work, "half a tick is left", work < 8.3),
        Row(f"{what}: worst look", cadence["worst_ms"]["frame"], "ms", parts + beside, None, None, "", None),
        Row(f"{what}: of one core", 100 * busy, "%", "", None, None, "<= 100 %", busy <= 1),
        Row(f"{what}: memory, last third over first", grown, "MB", queue, None, None, "<= 5 MB", grown <= 5),
    ]


def _record(store: Store, codec: Codec) -> Manifest:
    spec = controls("mario_kart_64")
    keyboard = open_keyboard(KeyLayout())
    try:
        with DesktopGame(open_source(Where(window=TITLE), 0), "mario_kart_64", "", spec, RATE_HZ) as game:
            game.reset()
            pad = DevicePad(keyboard, default_mapping(spec), wait=True)
            header = screen_header(game, {"kind": "human"}, codec)
            end = time.monotonic() + SECONDS
            taken = record_screen(store, header, game, pad, should_stop=lambda: time.monotonic() > end)
    finally:
        keyboard.close()
    if not isinstance(taken, Taken) or taken.trouble:
        raise RuntimeError(f"the recording broke off: {taken}")
    return taken.manifest


def _bare_grab_ms(repeats: int = 200) -> float:
    """Mean of what mss alone takes for the same pixels, at the same rate."""
    import mss

    times = []
    with mss.MSS() as screen:
        for _ in range(repeats):
            began = time.perf_counter()
            screen.grab({"left": 0, "top": 0, "width": SIZE[0], "height": SIZE[1]})
            times.append(1e3 * (time.perf_counter() - began))
            time.sleep(1 / RATE_HZ)
    return statistics.mean(times)


@contextmanager
def _memory() -> Iterator[list[float]]:
    """What this process holds, MB, four times a second while the block runs."""
    found: list[float] = []
    over = threading.Event()

    def watch() -> None:
        page = os.sysconf("SC_PAGE_SIZE") / 1e6
        while not over.wait(0.25):
            found.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _growth(megabytes: Sequence[float]) -> float:
    """From the first third to the last, by what was held most of the time.

    Not by the most that was ever held: that is how many frames happened to wait to be written, 0.9 MB each.
    """
    third = len(megabytes) // 3
    return statistics.median(megabytes[-third:]) - statistics.median(megabytes[:third])
