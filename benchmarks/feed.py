"""How fast frames reach the training step: our feed, Keras's and donkeycar's."""

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.models import training_set
from benchmarks.table import Row, interleaved, per_second
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.memory import keep_memory
from kart_pipeline.learning.pipeline import BatchReader, shuffled, training_batches

FRAMES = 600
BATCHES = 150  # per measurement
AIM = 20_000  # frames per second
TIMES = 10  # as fast as donkeycar's loader, doing the same
# By hyper-parameter, what it does to frames.
CHANGES = {"mirror": "mirrored", "shift": "shifted", "patches": "hidden in part", "brightness": "brightened"}
DONKEYCAR = "KART_DONKEYCAR_PYTHON"


def run() -> list[Row]:
    """200x66 in colour, batches of 64, mirrored, shifted, hidden in part and brightened as by default."""
    keep_memory()  # as a training does
    hyper = HyperParameters()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        examples = training_set(folder, FRAMES)
        feed = iter(training_batches(examples, hyper))
        next(feed)
        read, copied, ratio = interleaved(partial(reading, examples, hyper), partial(_copying, examples, hyper))
        rows = [
            Row(
                "frames gathered from the map",
                read,
                "frames/s",
                "copied in memory",
                copied,
                ratio,
                ">= 0.5",
                ratio >= 0.5,
            )
        ]
        pictures = _pictures(folder / "pictures" / "road", examples)
        keras_feed = _keras(folder / "pictures", hyper.batch_size)
        next(keras_feed)
        what, unit, peer = "frames fed, augmented", "frames/s", "image_dataset_from_directory, unchanged"
        theirs_of = partial(drained, keras_feed, hyper, 20)
        augmented, theirs, ratio = interleaved(partial(drained, feed, hyper), theirs_of)
        aim = f">= {AIM:,}, or `training` >= 0.95"
        rows.append(Row(what, augmented, unit, peer, theirs, ratio, aim, augmented >= AIM))
        slow_feed = iter(training_batches(examples, replace(hyper, epochs=1)))  # too few batches to compile for
        next(slow_feed)
        compiled, slow, ratio = interleaved(partial(drained, feed, hyper), partial(drained, slow_feed, hyper))
        rows.append(Row(what, compiled, unit, "the same, not compiled by XLA", slow, ratio, "", None))
        plain_feed = iter(training_batches(examples, replace(hyper, **dict.fromkeys(CHANGES, 0))))
        plain, theirs, ratio = interleaved(partial(drained, plain_feed, hyper), theirs_of)
        rows.append(Row("frames fed, unchanged", plain, unit, peer, theirs, ratio, "", None))
        rows += _donkeycar(pictures, plain, augmented)
    return rows


def reading(examples: TrainingSet, hyper: HyperParameters) -> float:
    """Frames per second out of the memory-mapped arrays, shuffled over all of them."""
    rows, reader = examples.rows("train"), BatchReader(examples)

    def read() -> None:
        for pick in islice(shuffled(len(rows), hyper.batch_size, 0), BATCHES):
            reader.read(rows.session_index[pick], rows.row[pick])

    return per_second(BATCHES * hyper.batch_size, read)


def _copying(examples: TrainingSet, hyper: HyperParameters) -> float:
    """The same out of one array in memory: what moving the bytes costs."""
    frames = np.array(examples.frames(0))

    def copy() -> None:
        for pick in islice(shuffled(len(frames), hyper.batch_size, 0), BATCHES):
            frames[pick]

    return per_second(BATCHES * hyper.batch_size, copy)


def drained(batches: Iterator[Any], hyper: HyperParameters, count: int = BATCHES) -> float:
    """Frames per second where nothing is done with them."""

    def drain() -> None:
        for batch in islice(batches, count):
            del batch

    return per_second(count * hyper.batch_size, drain)


def _pictures(folder: Path, examples: TrainingSet) -> Path:
    """The same frames as JPEG files of the same size, which is what the others read."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(examples.frames(0)):
        Image.fromarray(frame, "YCbCr" if examples.contract.colour == "yuv" else None).convert("RGB").save(
            folder / f"{number:06}.jpg", quality=90
        )
    return folder


def _keras(folder: Path, batch_size: int) -> Iterator[Any]:
    import keras

    out = sys.stdout
    sys.stdout = io.StringIO()  # it tells how many files it found
    try:
        dataset = keras.utils.image_dataset_from_directory(
            folder, labels=None, batch_size=batch_size, image_size=(66, 200), seed=0
        )
    finally:
        sys.stdout = out
    return iter(dataset.repeat().prefetch(2))


def _donkeycar(pictures: Path, plain: float, augmented: float) -> list[Row]:
    """Its own package, in an environment of its own: its versions of TensorFlow and NumPy are not ours."""
    python = os.environ.get(DONKEYCAR)
    if not python:
        sys.stderr.write(
            f"Without donkeycar: name the Python of an environment with donkeycar[pc] 5.3.0 in {DONKEYCAR}.\n"
        )
        return []
    script = Path(__file__).with_name("donkeycar_feed.py")
    done = subprocess.run([python, str(script), str(pictures)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise KartError(f"{DONKEYCAR} could not feed: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return [
        _beside("unchanged", plain, "first epoch", found["first"], wanted=True),
        _beside("unchanged", plain, "its pictures in memory", found["cached"], wanted=False),
        _beside("augmented", augmented, "augmented", found["augmented"], wanted=True),
    ]


def _beside(how: str, ours: float, name: str, theirs: float, *, wanted: bool) -> Row:
    aim, met = (f">= {TIMES}", ours / theirs >= TIMES) if wanted else ("", None)
    return Row(
        f"frames fed, {how}", ours, "frames/s", f"donkeycar 5.3's loader, {name}", theirs, ours / theirs, aim, met
    )
