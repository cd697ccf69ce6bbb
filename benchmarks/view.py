"""How long a session of an hour takes to open on the page, and a frame of it to come, and what memory that takes."""

import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.table import Row
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from recorder.moving import moving_picture

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A",), mirrored_axes=("steer",))
RATE, HOUR = 30, 108_000
LOOKS = 400


def run() -> list[Row]:
    """An hour at 30 Hz in JPEG of 320x240, served by a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        _record(Path(name))
        command = [sys.executable, "-m", "recorder", "view", "hour", "--store", name, "--no-browser"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            began = time.perf_counter()
            address = server.stdout.readline().strip() if server.stdout else ""
            try:
                return _looked(address, began, server.pid)
            finally:
                server.terminate()


def _record(folder: Path) -> None:
    pictures = list(moving_picture(320, 240, 64))
    header = SessionHeader(id="hour", game="road", rate_hz=RATE, spec=SPEC, codec="jpeg")
    with Store(folder).create(header) as writer:
        for step in range(HOUR):
            action = SPEC.action(steer=float(np.sin(step / 40)), throttle=1.0, A=True)
            frame = Frame(pictures[step % len(pictures)], step * 1_000_000_000 // RATE)
            writer.append(Step(step, frame, Choice(action, "human", action)))
        writer.finish("finished")


def _looked(address: str, began: float, process: int) -> list[Row]:
    _, _, host, token, _ = address.split("/")
    connection = http.client.HTTPConnection(host, timeout=60)

    def ask(path: str) -> bytes:
        connection.request("GET", f"/{token}/{path}")
        reply = connection.getresponse()
        data = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {data[:200]!r}")
        return data

    for path in ("", "api/sessions", "api/about/hour", "api/chart/hour?columns=1200", "picture/hour/0"):
        ask(path)
    opened = time.perf_counter() - began
    memory = _megabytes(process)
    random, times = np.random.default_rng(0), []
    for row in random.integers(HOUR, size=LOOKS):
        at = time.perf_counter()
        ask(f"picture/hour/{row}")
        json.loads(ask(f"api/values/hour?first={row - row % 512}&count=512"))
        times.append(time.perf_counter() - at)
    middle, slow = 1000 * np.percentile(times, (50, 95))
    grown = _megabytes(process) - memory
    return [
        Row("an hour opens, process and all", opened, "s", "", None, None, "< 2 s", opened < 2),
        Row("a frame anywhere and its values, p50", middle, "ms", "", None, None, "", None),
        Row("the same, p95", slow, "ms", "", None, None, "< 50 ms", slow < 50),
        Row(f"memory after {LOOKS} of them", grown, "MB more", "", None, None, "< 30 MB", grown < 30),
    ]


def _megabytes(process: int) -> float:
    """What is the process's own: pages of the mapped file come and go as the kernel likes."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1000
