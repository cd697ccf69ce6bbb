"""How long a driver waits for its network: one frame at a time, in each runtime, against `model.predict`."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.table import Row
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import NETWORK, DriverPackage, make_golden
from kart_pipeline.learning.runtimes import RUNTIMES
from player.hush import quiet

CONTRACT = Contract(ActionSpec(("steer", "throttle")), rate_hz=50)
BUDGET_MS = {50: 2.0, 99: 5.0}  # by percentile
ROUNDS, CALLS, PREDICTS = 5, 400, 20  # each round asks everybody, so that a machine whose speed drifts treats all alike


def run() -> list[Row]:
    """PilotNet at 200x66; median and 99th percentile of every installed runtime, the peer's of the same run."""
    model = build_network("pilotnet", CONTRACT)
    asked: dict[str, Callable[[Any], Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        package = packed(model, CONTRACT, folder)
        frame = package.golden.inputs[0]
        for runtime in RUNTIMES.values():
            if absent := runtime.absent():
                sys.stderr.write(f"{absent}\n")
                continue
            with quiet():
                asked[runtime.title] = runtime.open(package, folder / "kept")
        times: dict[str, list[float]] = {title: [] for title in asked}
        peer: list[float] = []
        for _ in range(ROUNDS):
            for title, predict in asked.items():
                times[title] += _milliseconds(predict, frame, CALLS)
            peer += _milliseconds(lambda one: model.predict(one[None], verbose=0), frame, PREDICTS)
    rows = []
    for title, ours in times.items():
        for share, budget in BUDGET_MS.items():
            a, b = float(np.percentile(ours, share)), float(np.percentile(peer, share))
            what = f"inference, batch of one, {title}, p{share}"
            rows.append(Row(what, a, "ms", "model.predict", b, b / a, f"< {budget:g} ms", a < budget))
    return rows


def packed(model: Any, contract: Contract, folder: Path) -> DriverPackage:
    """A network as a package in an empty folder, which any runtime can open."""
    raw = list(np.random.default_rng(0).integers(0, 256, (4, 240, 320, 3), np.uint8))
    golden = make_golden(contract, raw, predictor(model, contract))
    (folder / NETWORK).parent.mkdir()
    model.save(folder / NETWORK)
    return DriverPackage(folder, contract, golden, folder / NETWORK)


def _milliseconds(predict: Callable[[Any], Any], frame: Any, count: int) -> list[float]:
    for _ in range(5):
        predict(frame)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        predict(frame)
        times.append(1000 * (time.perf_counter() - started))
    return times
