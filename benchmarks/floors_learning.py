"""The part of `floors` from mapped frames to a network: the feed beside bare copies, the network beside its sums."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import limits
from benchmarks.feed import AIM, CHANGES, drained, reading
from benchmarks.limits import PASSES, Limits
from benchmarks.table import Row, beside, interleaved
from benchmarks.training import learner, samples_per_second
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning.cost import network_cost
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.memory import keep_memory
from kart_pipeline.learning.pipeline import shuffled, training_batches, untuned

MAP = 4000  # frames of the large map, 158 MB
FED = 60  # batches fed
STEPS = 30  # gradient steps of a measurement
MOST_WAIT = 0.05
NETWORK = "PilotNet 200x66"


def learned(examples: TrainingSet, machine: Limits, folder: Path) -> Iterator[Row]:
    """The feed, training, the share of it that waits for the feed, and driving.

    Args:
        examples: what is learned.
        machine: what it can do at most.
        folder: for a map of 158 MB.
    """
    keep_memory()  # as a training does
    hyper = HyperParameters()
    yield from _gathered(examples, hyper, machine, folder)
    model = learner(examples.contract, hyper)
    wait = _wait(model, iter(training_batches(examples, hyper)))
    yield from _fed(examples, hyper, wait)
    cost = network_cost(model, examples.contract)
    yield from _trained(examples, hyper, model, cost.flops, machine)
    yield Row("share of a training step that waits for data", 100 * wait, "%", "", None, None, *_aim(wait))
    least = 1000 * cost.flops / machine.multiplied
    what, peer = f"inference, {NETWORK}, one frame, p50", "its sums at the matrix product's rate"
    yield Row(what, cost.latency_p50_ms, "ms", peer, least, least / cost.latency_p50_ms, "", None)


def _gathered(examples: TrainingSet, hyper: HyperParameters, machine: Limits, folder: Path) -> Iterator[Row]:
    """Rows at random: out of a map that no cache of the processor holds, and as the feed reads them."""
    small, each = examples.frames(0), int(np.prod(examples.contract.input_shape))
    large = np.memmap(folder / "map", np.uint8, "w+", shape=(MAP, *small.shape[1:]))
    for start in range(0, MAP, len(small)):
        large[start : start + len(small)] = small[: MAP - start]
    bare = _bare(large, hyper)
    what = f"rows at random out of a map of {MAP:,} frames, {each / 1e3:.1f} kB each"
    yield beside(what, bare, "memory copied by one thread", machine.copied / each, "frames/s")
    read = statistics.median(reading(examples, hyper) for _ in range(3))
    yield beside(f"frames gathered, of {len(small)}", read, "NumPy copies such rows", _bare(small, hyper), "frames/s")


def _bare(frames: limits.Images, hyper: HyperParameters) -> float:
    return limits.gathered(frames, list(islice(shuffled(len(frames), hyper.batch_size, 0), FED)))


def _fed(examples: TrainingSet, hyper: HyperParameters, wait: float) -> Iterator[Row]:
    """The feed without changes, with each alone and with all that are on by default, where nobody uses its batches."""
    off = replace(hyper, **dict.fromkeys(CHANGES, 0))
    unchanged = _feed(examples, off)
    plain = statistics.median(drained(unchanged, hyper, FED) for _ in range(3))
    yield beside("frames fed, unchanged", plain, "NumPy copies such rows", _bare(examples.frames(0), hyper), "frames/s")
    feeds = {what: replace(off, **{name: getattr(hyper, name)}) for name, what in CHANGES.items()}
    for what, changed in {**feeds, "augmented": hyper}.items():
        speed, plain, ratio = interleaved(
            partial(drained, _feed(examples, changed), hyper, FED), partial(drained, unchanged, hyper, FED), repeats=3
        )
        aim, met = "", None
        if changed is hyper:
            aim, met = f">= {AIM:,}, or {_aim(wait)[0]} of a training step waits", speed >= AIM or wait < MOST_WAIT
        yield Row(f"frames fed, {what}", speed, "frames/s", "unchanged", plain, ratio, aim, met)


def _feed(examples: TrainingSet, hyper: HyperParameters) -> Iterator[Any]:
    """Begun: the first batch takes as long as TensorFlow takes to trace."""
    feed = iter(training_batches(examples, hyper))
    next(feed)
    return feed


def _trained(examples: TrainingSet, hyper: HyperParameters, model: Any, flops: int, machine: Limits) -> Iterator[Row]:
    """From the machine's sums down to samples a second: each step beside the one before it."""
    import tensorflow as tf

    product = machine.multiplied / 1e9
    forward, both = limits.network(model, examples.frames(0)[: hyper.batch_size], flops)
    peer, unit = "the matrix product", "GFLOP/s"
    yield beside(f"{NETWORK}, forward, {flops / 1e6:.0f} MFLOP", forward / 1e9, peer, product, unit)
    yield beside(f"{NETWORK}, forward and backward, {PASSES * flops / 1e6:.0f} MFLOP", both / 1e9, peer, product, unit)
    batches = training_batches(examples, hyper)
    from_memory = untuned(tf.data.Dataset.from_tensors(next(iter(batches))).repeat())
    for data in (batches, from_memory):
        samples_per_second(model, data, hyper.batch_size, steps=3)
    trained, repeated, ratio = interleaved(
        partial(samples_per_second, model, batches, hyper.batch_size, STEPS),
        partial(samples_per_second, model, from_memory, hyper.batch_size, STEPS),
        repeats=3,
    )
    alone, unit = both / (PASSES * flops), "samples/s"
    peer = "its sums at the matrix product's rate"
    yield beside(f"{NETWORK}, forward and backward alone", alone, peer, machine.trained(flops), unit)
    yield beside("training, one batch repeated", repeated, "forward and backward alone", alone, unit)
    what, peer = "training, fed and augmented", "one batch repeated"
    yield Row(what, trained, unit, peer, repeated, ratio, ">= 0.9", ratio >= 0.9)


def _wait(model: Any, feed: Iterator[Any]) -> float:
    """The share of the time of some gradient steps that goes by until the next batch is there."""
    for batch in islice(feed, 3):
        model.train_on_batch(*batch)
    waited, began = 0.0, time.perf_counter()
    for _ in range(STEPS):
        asked = time.perf_counter()
        batch = next(feed)
        waited += time.perf_counter() - asked
        model.train_on_batch(*batch)
    return waited / (time.perf_counter() - began)


def _aim(wait: float) -> tuple[str, bool]:
    return f"< {100 * MOST_WAIT:.0f} %", wait < MOST_WAIT
