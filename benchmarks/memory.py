"""What it is worth that freed memory stays with the process: gradient steps per second, with and without.

Each figure is of a process of its own, for what was told to malloc cannot be taken back.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.models import training_set
from benchmarks.table import Row, interleaved
from benchmarks.training import learner
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.memory import keep_memory
from kart_pipeline.learning.pipeline import training_batches

STEPS, WARM = 40, 5
KEPT, RETURNED = "kept", "returned"


def run() -> list[Row]:
    """PilotNet and the residual network at 200x66, batches of 32."""
    rows = []
    for network in ("pilotnet", "residual"):
        faults: dict[str, float] = {}
        ours, theirs, ratio = interleaved(
            partial(_measured, network, KEPT, faults), partial(_measured, network, RETURNED, faults), repeats=3
        )
        what = f"training, {network}, page faults a step {faults[KEPT]:,.0f}"
        peer = f"memory given back after each step, {faults[RETURNED]:,.0f}"
        rows.append(Row(what, ours, "samples/s", peer, theirs, ratio, "", None))
    return rows


def _measured(network: str, memory: str, faults: dict[str, float]) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", network, memory]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    faults[memory] = told["faults"]
    samples: float = told["samples"]
    return samples


def main(network: str, memory: str) -> None:
    """Write samples per second and page faults per gradient step to standard output."""
    if memory == KEPT:
        keep_memory()
    hyper = HyperParameters(network=network, batch_size=32)
    with tempfile.TemporaryDirectory() as folder:
        examples = training_set(Path(folder))
        model = learner(examples.contract, hyper)
        batches = training_batches(examples, hyper)
        model.fit(batches, steps_per_epoch=WARM, verbose=0)
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
        model.fit(batches, steps_per_epoch=STEPS, verbose=0)
        seconds = time.perf_counter() - started
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    json.dump({"samples": STEPS * hyper.batch_size / seconds, "faults": faults / STEPS}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
