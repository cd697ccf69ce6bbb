"""Training samples per second through the whole input pipeline, against one batch in memory repeated."""

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.models import training_set
from benchmarks.table import Row, interleaved
from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.memory import keep_memory
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.pipeline import training_batches, untuned

STEPS = 40  # gradient steps per measurement


def run() -> list[Row]:
    """PilotNet at 200x66 with all augmentation on."""
    import tensorflow as tf

    keep_memory()  # as a training does
    hyper = HyperParameters()
    with tempfile.TemporaryDirectory() as folder:
        rows = training_set(Path(folder))
        model = learner(rows.contract, hyper)
        batches = training_batches(rows, hyper)
        repeated = untuned(tf.data.Dataset.from_tensors(next(iter(batches))).repeat())
        for data in (batches, repeated):
            samples_per_second(model, data, hyper.batch_size, steps=3)
        ours, limit, ratio = interleaved(
            partial(samples_per_second, model, batches, hyper.batch_size),
            partial(samples_per_second, model, repeated, hyper.batch_size),
        )
    what, peer = "training, PilotNet 200x66, augmented", "one batch in memory, repeated"
    return [Row(what, ours, "samples/s", peer, limit, ratio, ">= 0.9", ratio >= 0.9)]


def learner(contract: Contract, hyper: HyperParameters) -> Any:
    """A network that is ready to be fitted, of random weights."""
    import keras

    model = build_network(hyper.network, contract)
    model.compile(keras.optimizers.Adam(), loss=dict.fromkeys(contract.spec.names, "mse"), jit_compile=False)
    return model


def samples_per_second(model: Any, data: Any, batch_size: int, steps: int = STEPS) -> float:
    """By so many gradient steps of `fit`."""
    started = time.perf_counter()
    model.fit(data, steps_per_epoch=steps, verbose=0)
    return steps * batch_size / (time.perf_counter() - started)
