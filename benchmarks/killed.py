"""How much of a recording is lost when its recorder is killed, with SIGKILL at random moments."""

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.moving_window import SIZE, TITLE
from benchmarks.screen import has_screen, moving_screen
from benchmarks.table import Row
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Codec
from kart_pipeline.core.recording import STREAM, recorded_batches
from kart_pipeline.core.session_writer import repair
from kart_pipeline.core.store import Store

CODECS: tuple[Codec, ...] = ("jpeg", "h264")
KILLS = 6
RATE_HZ = 60
_PATIENCE_S = 60.0


def run() -> list[Row]:
    """Kill recorders of a moving picture under Xvfb and repair what they leave; nothing where there is no Xvfb."""
    if not has_screen():
        return []
    with moving_screen():
        return [_row(codec, [_lost_s(codec) for _ in range(KILLS)]) for codec in CODECS]


def _row(codec: Codec, lost: list[float]) -> Row:
    what = f"lost at kill -9, {SIZE[0]}x{SIZE[1]} at {RATE_HZ} Hz, {codec}: worst of {KILLS}"
    mean = f"mean {statistics.mean(lost):.2f} s"
    return Row(what, max(lost), "s", mean, None, None, "<= 1 s", max(lost) <= 1)


def _lost_s(codec: Codec) -> float:
    """From the last frame that was saved to the kill; both are times of the system's monotonic clock."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "recorder", "capture", "--window", TITLE, "--game", "mario_kart_64"]
        command += ["--pad", "keyboard", "--rate", str(RATE_HZ), "--height", "0", "--codec", codec, "--store", folder]
        environ = os.environ | {"KART_HOME": folder}
        said = Path(folder) / "said.txt"
        with said.open("w") as file:
            process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=file)
        try:
            session = _recording(Path(folder), process, said)
            time.sleep(random.uniform(1, 4))
            os.kill(process.pid, signal.SIGKILL)
            killed_ns = time.perf_counter_ns()
        finally:
            process.kill()
            process.wait()
        repair(session)
        last_ns = Store(folder).open(session.name).table(["t_ns"])["t_ns"][-1].as_py()
    return float(killed_ns - last_ns) / 1e9


def _recording(store: Path, process: "subprocess.Popen[bytes]", said: Path) -> Path:
    """The folder of the session in `store`, once some of it is on the disk.

    Raises:
        KartError: the recorder ended, with what it said; or it took too long.
    """
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise KartError(f"The recorder did not record: {said.read_text().strip()}")
        for stream in store.glob(f"*/{STREAM}"):
            with suppress(KartError):
                if any(batch.num_rows for batch in recorded_batches(stream)):
                    return stream.parent
        time.sleep(0.1)
    raise KartError(f"The recorder recorded nothing within {_PATIENCE_S:g} s.")
