"""A minute of the screen at 640x480 and 60 Hz: is each tick on time, is anything lost, and what does it cost?"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.moving_window import SIZE, TITLE
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


def run() -> list[Row]:
    """Record a moving picture under Xvfb; nothing where there is none."""
    if not shutil.which("Xvfb"):
        sys.stderr.write("There is no Xvfb to show a window on (apt-get install xvfb): nothing was captured.\n")
        return []
    with _screen(), _window():
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
    work = sum(cadence["mean_ms"].values())
    grown = max(megabytes[len(megabytes) // 2 :]) - max(megabytes[: len(megabytes) // 2])
    what = f"the screen, {SIZE[0]}x{SIZE[1]} at {RATE_HZ:g} Hz for {SECONDS} s, {codec}"
    return [
        Row(f"{what}: ticks on time", on_time, "%", "", None, None, ">= 99.5 %", on_time >= 99.5),
        Row(f"{what}: frames dropped", dropped, "%", "", None, None, "<= 0.5 %", dropped <= 0.5),
        Row(f"{what}: work a tick", work, "ms", "bare mss.grab", bare, bare / work, "half a tick is left", work < 8.3),
        Row(f"{what}: of one core", 100 * busy, "%", "", None, None, "<= 100 %", busy <= 1),
        Row(f"{what}: memory, second half over first", grown, "MB", "", None, None, "<= 10 MB", grown <= 10),
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
def _screen() -> Iterator[None]:
    """An X server without a screen, which DISPLAY names."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    before = {name: os.environ.pop(name, None) for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE")}
    try:
        os.environ["DISPLAY"] = f":{server.stdout.readline().strip() if server.stdout else ''}"
        yield
    finally:
        del os.environ["DISPLAY"]
        os.environ.update({name: value for name, value in before.items() if value is not None})
        server.terminate()
        server.wait(10)


@contextmanager
def _window() -> Iterator[None]:
    """The moving picture, in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if name != "SDL_VIDEODRIVER"}
    command = [sys.executable, "-m", "benchmarks.moving_window"]
    window = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        if not any(line == "shown\n" for line in window.stdout or ()):
            raise RuntimeError("the window with the moving picture did not open")
        yield
    finally:
        window.terminate()
        window.wait(10)


@contextmanager
def _memory() -> Iterator[list[float]]:
    """What this process holds, MB, once a second while the block runs."""
    found: list[float] = []
    over = threading.Event()

    def watch() -> None:
        page = os.sysconf("SC_PAGE_SIZE") / 1e6
        while not over.wait(1):
            found.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
