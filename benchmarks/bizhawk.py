"""What a step over the link to BizHawk costs beside the same without it: the same frames, the same pictures."""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from PIL import Image

from benchmarks.table import Row
from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.consoles import N64_SPEC, console
from kart_pipeline.games.bizhawk.link.door import listen
from tests.bizhawk.fake import FakeBizHawk
from tests.bizhawk.worlds import Grain, png

STEPS, FRAMES = 300, 2
WARM_UP = 20
MOST_MS = 5.0  # that a step may take longer; Nagle's wait for an acknowledgement alone is 40
_PATIENCE_S = 30.0


def run() -> list[Row]:
    """Take steps of two frames with a picture of 100 kB, over the link to another process and without a link."""
    linked, bare = _linked(), _bare()
    what = f"BizHawk's stand-in, {FRAMES} frames and a PNG of {len(png(Grain().picture())) / 1e3:.0f} kB a step"
    ms, ms_bare = 1e3 * median(linked), 1e3 * median(bare)
    rate, rate_bare = len(linked) / sum(linked), len(bare) / sum(bare)
    peer = "without the link"
    return [
        Row(
            f"{what}: median", ms, "ms", peer, ms_bare, ms_bare / ms, f"<= {MOST_MS:g} ms more", ms <= ms_bare + MOST_MS
        ),
        Row(f"{what}: rate", rate, "1/s", peer, rate_bare, rate / rate_bare, ">= 0.5", rate >= 0.5 * rate_bare),
    ]


def _linked() -> list[float]:
    """Seconds of each step over the link."""
    pad = console("N64").pad(N64_SPEC.action(steer=0.5, A=True))
    door = listen()
    try:
        with _stand_in(door.port):
            bridge = door.accept(_PATIENCE_S)
            if bridge is None:
                raise KartError("The stand-in for BizHawk did not connect; does Lua run here (pip install lupa)?")
            try:
                return _timed(lambda: bridge.hold(pad, FRAMES))
            finally:
                bridge.close()
    finally:
        door.close()


def _bare() -> list[float]:
    """The same in this process: emulated, encoded and decoded."""
    emulator = FakeBizHawk(0, Grain())

    def step() -> None:
        emulator.run(FRAMES)
        with Image.open(io.BytesIO(png(emulator.world.picture()))) as image:
            image.convert("RGB")

    return _timed(step)


def _timed(step: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(WARM_UP + STEPS):
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return taken[WARM_UP:]


@contextmanager
def _stand_in(port: int) -> Iterator[None]:
    words = ["-m", "tests.bizhawk.fake", "--port", str(port), "--world", "grain", "--fps", "0"]
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
