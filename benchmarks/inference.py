"""How long a driver waits for its network: one frame at a time, against `model.predict` and against PilotNet."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.table import Row
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.inference import Predict, predictor
from kart_pipeline.learning.networks import build_network

CONTRACT = Contract(ActionSpec(("steer", "throttle")), rate_hz=50)
# By network, what it is shown otherwise: the recurrent one reads a stack.
OTHERS: dict[str, dict[str, Any]] = {"residual": {}, "recurrent": {"stack": 4, "stride": 4}}
FRAMES = 2000
BUDGETS_MS = {50: 2.0, 99: 5.0}  # of the 20 ms that a frame lasts at 50 Hz
OTHERS_BUDGET_MS = 10.0  # half a frame

Times = npt.NDArray[np.float64]


def run() -> list[Row]:
    """Each network at 200x66; median and 99th percentile, the peer's of the same run."""
    model = build_network("pilotnet", CONTRACT)
    pilotnet = _asked(predictor(model, CONTRACT), CONTRACT)
    frame = _frame(CONTRACT)
    ours, theirs = _milliseconds(pilotnet, FRAMES), _milliseconds(lambda: model.predict(frame[None], verbose=0), 60)
    rows = []
    for share, budget in BUDGETS_MS.items():
        a, b = float(np.percentile(ours, share)), float(np.percentile(theirs, share))
        what = f"inference, batch of one, p{share}"
        rows.append(Row(what, a, "ms", "model.predict", b, b / a, f"< {budget:g} ms", a < budget))
    rows += _others(pilotnet)
    return rows


def _others(pilotnet: Callable[[], object]) -> Iterator[Row]:
    """The other networks, each in turns with PilotNet: a machine whose speed drifts treats both alike."""
    for name, shown in OTHERS.items():
        contract = replace(CONTRACT, **shown)
        other = _asked(predictor(build_network(name, contract), contract), contract)
        turns = [(_milliseconds(other, FRAMES // 20), _milliseconds(pilotnet, FRAMES // 20)) for _ in range(10)]
        a, b = (float(np.median(np.concatenate(side))) for side in zip(*turns, strict=True))
        aim = f"< {OTHERS_BUDGET_MS:g} ms"
        yield Row(f"inference, {name}, p50", a, "ms", "PilotNet", b, b / a, aim, a < OTHERS_BUDGET_MS)


def _asked(predict: Predict, contract: Contract) -> Callable[[], object]:
    frame = _frame(contract)
    return lambda: predict(frame)


def _frame(contract: Contract) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, contract.input_shape, np.uint8)


def _milliseconds(ask: Callable[[], object], count: int) -> Times:
    for _ in range(5):
        ask()
    times = np.empty(count)
    for place in range(count):
        started = time.perf_counter()
        ask()
        times[place] = 1000 * (time.perf_counter() - started)
    return times
