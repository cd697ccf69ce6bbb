"""What a network costs the machine that drives: its size, its sums and the time that one frame takes."""

import logging
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.inference import predictor

if TYPE_CHECKING:
    import keras

_FRAMES = 200  # timed, after as many as warm the caches: about a second for a network of 5 ms
_WARMING = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """What one network costs.

    Attributes:
        parameters: numbers in its weights.
        flops: floating-point operations for one frame (a stack where the contract stacks), a multiplication and an
            addition counting as two.
        latency_p50_ms: median time from one frame to one action on the machine that measured, in milliseconds.
        latency_p99_ms: 99th percentile of it.
    """

    parameters: int
    flops: int
    latency_p50_ms: float
    latency_p99_ms: float

    def metrics(self) -> dict[str, float]:
        """All figures by a flat name: `cost/parameters` and so on."""
        return {f"cost/{name}": value for name, value in asdict(self).items()}


def network_cost(model: "keras.Model", contract: Contract) -> Cost:
    """Measure a network as the player asks it: one frame at a time, through `inference.predictor`.

    Raises:
        KartError: the model does not read or give what the contract says.
    """
    predict = predictor(model, contract)
    frame = np.random.default_rng(0).integers(0, 256, contract.input_shape, np.uint8)
    times = []
    for _ in range(_WARMING + _FRAMES):
        began = time.perf_counter()
        predict(frame)
        times.append(1000 * (time.perf_counter() - began))
    p50, p99 = np.percentile(times[_WARMING:], [50, 99])
    return Cost(model.count_params(), _flops(model), float(p50), float(p99))


def _flops(model: "keras.Model") -> int:
    """TensorFlow's own count over the graph for one input."""
    import tensorflow as tf

    signature = [tf.TensorSpec((1, *model.input_shape[1:]), tf.uint8)]
    graph = tf.function(lambda batch: model(batch, training=False), input_signature=signature, autograph=False)
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation()).with_empty_output().build()
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns that its own profiler is of its first version; the second counts no sums
    try:
        found = profiler.profile(graph.get_concrete_function().graph, cmd="scope", options=options)
    finally:
        logger.setLevel(level)
    return int(found.total_float_ops)
