"""How long a driver waits for its network: one frame at a time, against `model.predict`."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.table import Row
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.networks import build_network

CONTRACT = Contract(ActionSpec(("steer", "throttle")), rate_hz=50)


def run() -> list[Row]:
    """PilotNet at 200x66; median and 99th percentile, the peer's of the same run."""
    model = build_network("pilotnet", CONTRACT)
    predict = predictor(model, CONTRACT)
    frame = np.random.default_rng(0).integers(0, 256, CONTRACT.input_shape, np.uint8)
    ours = _milliseconds(predict, frame, 2000)
    theirs = _milliseconds(lambda one: model.predict(one[None], verbose=0), frame, 60)
    rows = []
    for share, budget in ((50, 2.0), (99, 5.0)):
        a, b = float(np.percentile(ours, share)), float(np.percentile(theirs, share))
        what = f"inference, batch of one, p{share}"
        rows.append(Row(what, a, "ms", "model.predict", b, b / a, f"< {budget:g} ms", a < budget))
    return rows


def _milliseconds(predict: Callable[[Any], Any], frame: Any, count: int) -> list[float]:
    for _ in range(5):
        predict(frame)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        predict(frame)
        times.append(1000 * (time.perf_counter() - started))
    return times
