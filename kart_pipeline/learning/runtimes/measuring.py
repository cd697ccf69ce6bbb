"""How fast a runtime answers on this machine, what it takes to start, and whether its answers are the right ones."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.prepare import FrameStack
from kart_pipeline.learning.package import DriverPackage, verify_golden
from kart_pipeline.learning.runtimes.runtime import ConvertingRuntime, Runtime

WARMING = 20  # calls that are not counted: caches and memory pools fill
LEAST = 100  # calls, however slow, so that there is a 99th percentile
ALIKE = 1.1  # times the least p99: what is within it is as fast


@dataclass(frozen=True, slots=True)
class Latency:
    """How long calls took, one after the other, in milliseconds; `count` of them."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one runtime came to.

    Attributes:
        runtime: its name.
        latency: of one frame's answer.
        start_s: seconds from a bare Python process to the first answer, imports and all, a kept conversion given.
        memory_mb: the most that a process took which did nothing else, in MB of 10^6 bytes.
        difference: largest of an output from the recorded one over the golden frames, at most `package.TOLERANCE`.
    """

    runtime: str
    latency: Latency
    start_s: float
    memory_mb: float
    difference: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def convert(runtime: Runtime, package: DriverPackage, folder: Path) -> float:
    """Convert the network for a runtime that needs it, and keep it, unless it is there already.

    Returns:
        How many seconds it took.

    Raises:
        KartError: the runtime is not installed, or cannot run this network.
    """
    began = time.perf_counter()
    if isinstance(runtime, ConvertingRuntime):
        runtime.convert(package, folder)
    return time.perf_counter() - began


def measure(runtime: Runtime, package: DriverPackage, folder: Path, seconds: float) -> Measured:
    """Start a runtime in this process and ask it for frame after frame.

    Args:
        runtime: nothing of it has been imported in this process, or `start_s` tells less than the truth.
        package: gives the frames, its golden ones.
        folder: of kept conversions.
        seconds: to ask for; at least `LEAST` times.

    Raises:
        KartError: as `Runtime.open`, or an answer is not the recorded one.
    """
    began = time.perf_counter()
    predict = runtime.open(package, folder)
    start_s = time.perf_counter() - began
    difference = verify_golden(package, predict)
    latency = timed(predict, list(package.golden.inputs), seconds)
    return Measured(runtime.name, latency, start_s, memory_mb(), difference)


def preparing(package: DriverPackage, seconds: float) -> Latency:
    """How long a raw frame takes to become the network's input, whatever the runtime."""
    return timed(FrameStack(package.contract).push, list(package.golden.raw), seconds)


def timed(
    work: Callable[[npt.NDArray[np.uint8]], object], frames: Sequence[npt.NDArray[np.uint8]], seconds: float
) -> Latency:
    """Call `work` with frame after frame, round and round."""
    for number in range(WARMING):
        work(frames[number % len(frames)])
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < LEAST or time.perf_counter() < end:
        frame = frames[len(taken) % len(frames)]
        began = time.perf_counter()
        work(frame)
        taken.append(1000 * (time.perf_counter() - began))
    return Latency(len(taken), *(float(value) for value in np.percentile(taken, (50, 95, 99, 100))))


def recommend(found: Sequence[Measured]) -> Measured:
    """The runtime whose 99th percentile is least; of those that are as fast, the one that starts soonest.

    Raises:
        ValueError: there is none.
    """
    least = min(item.latency.p99_ms for item in found)
    return min((item for item in found if item.latency.p99_ms <= ALIKE * least), key=lambda item: item.start_s)


def memory_mb() -> float:
    """The most memory that this process has taken so far, in MB of 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss of Linux counts what the process was before it became this one
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset / 1e6)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
