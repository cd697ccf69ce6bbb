"""How long a person waits for the core to import and for the recorder to start."""

import statistics
import subprocess
import sys
import time

from benchmarks.table import Row

MODULES = ("action", "contract", "prepare", "session", "session_writer", "settings", "store")


def run() -> list[Row]:
    """Import of all of core in a fresh interpreter, and `python -m recorder list` of an empty store."""
    code = "; ".join(f"import kart_pipeline.core.{name}" for name in MODULES)
    empty = _seconds([sys.executable, "-c", "pass"])
    core = _seconds([sys.executable, "-c", code]) - empty
    recorder = _seconds([sys.executable, "-m", "recorder", "--help"])
    return [
        Row("import of core", core, "s", "an empty interpreter (subtracted)", empty, None, "< 0.5 s", core < 0.5),
        Row("recorder's start (--help)", recorder, "s", "an empty interpreter", empty, None, "< 1 s", recorder < 1.0),
    ]


def _seconds(command: list[str], repeats: int = 7) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)
