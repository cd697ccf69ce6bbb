"""What this machine can do at most: bytes copied, hashed and written, pictures decoded, sums made.

A limit is the best of several tries: whatever else the machine does can only make it less.
"""

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.table import per_second
from kart_pipeline.datasets.preparing import cores

TRIES = 5
BLOCK = 64 << 20  # bytes that each thread copies: no cache holds them
FILE = 128 << 20
CHUNK = 32  # pictures per task of the bare threads
EDGE = 2048  # of the square matrices that are multiplied
PASSES = 3  # forward, and backward to the weights and to the inputs, which take as many sums each

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one machine.

    Attributes:
        cores: that this process may use.
        copied: bytes a second from memory to memory, by one thread. Each is read once and written once.
        copied_by_all: the same by a thread for each core.
        hashed: bytes a second through SHA-256, by one thread.
        written: bytes a second into a new file, until they are on the disk.
        multiplied: float32 operations a second in TensorFlow's product of large matrices, on all cores.
    """

    cores: int
    copied: float
    copied_by_all: float
    hashed: float
    written: float
    multiplied: float

    def built(self, decoded: float, source: float, frame: int) -> float:
        """Frames a second at most: all cores decode, resize and hash while the disk writes.

        Args:
            decoded: frames a second that one core decodes and resizes.
            source: bytes of a picture.
            frame: bytes of a finished frame.
        """
        return min(self.cores / (1 / decoded + source / self.hashed), self.written / frame)

    def trained(self, flops: float) -> float:
        """Samples a second at most of a network with `flops` operations forward."""
        return self.multiplied / (PASSES * flops)


def measure(folder: Path) -> Limits:
    """Some seconds; `folder` is where the file is written, 128 MB."""
    return Limits(
        cores=cores(),
        copied=_copied(1),
        copied_by_all=_copied(cores()),
        hashed=_hashed(),
        written=_written(folder / "written"),
        multiplied=_multiplied(),
    )


def best(count: int, work: Callable[[], object], tries: int = TRIES) -> float:
    """`count` a second in the fastest of some tries."""
    return max(per_second(count, work) for _ in range(tries))


def gathered(frames: Images, picks: Sequence[npt.NDArray[np.int64]]) -> float:
    """Frames a second when NumPy copies rows at random out of an array into a new one, and no more."""

    def work() -> None:
        for pick in picks:
            frames[pick]

    return best(sum(map(len, picks)), work)


def decoded(pictures: Sequence[bytes], size: tuple[int, int] | None = None) -> float:
    """Pictures a second that Pillow decodes on one core; with `size`, resizes and converts as well."""
    return best(len(pictures), lambda: decode(pictures, size), tries=3)


def decoded_by_all(pictures: Sequence[bytes], size: tuple[int, int]) -> float:
    """The same on as many threads as we use, in one try."""
    parts = [pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)]

    def work() -> None:
        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(lambda part: decode(part, size), parts))

    return per_second(len(pictures), work)


def decode(pictures: Sequence[bytes], size: tuple[int, int] | None) -> None:
    """Decode, resize and convert, and keep nothing."""
    for data in pictures:
        with Image.open(io.BytesIO(data)) as picture:
            whole = picture.convert("RGB")
            if size:
                whole.resize(size, Image.Resampling.BILINEAR).convert("YCbCr")


def encoded(pictures: Sequence[Images], quality: int) -> float:
    """Pictures a second that Pillow makes JPEG files of on one core."""

    def work() -> None:
        for rgb in pictures:
            Image.fromarray(rgb).save(io.BytesIO(), "JPEG", quality=quality)

    return best(len(pictures), work, tries=3)


def network(model: Any, images: Images, flops: float) -> tuple[float, float]:
    """Float32 operations a second of a network, forward, and forward and backward, on a batch that lies in memory."""
    import tensorflow as tf

    batch, sums = tf.constant(images), round(len(images) * flops)

    def losses() -> Any:
        return tf.add_n([tf.reduce_mean(tf.square(head)) for head in model(batch, training=True).values()])

    def gradients() -> Any:
        with tf.GradientTape() as tape:
            loss = losses()
        return [tf.reduce_sum(part) for part in tape.gradient(loss, model.trainable_variables)]

    forward, backward = (tf.function(work, autograph=False) for work in (losses, gradients))
    return (
        best(sums, lambda: forward().numpy(), tries=3 * TRIES),
        best(PASSES * sums, lambda: [part.numpy() for part in backward()], tries=3 * TRIES),
    )


def _copied(threads: int) -> float:
    sides = [(np.ones(BLOCK, np.uint8), np.ones(BLOCK, np.uint8)) for _ in range(threads)]

    def work(pool: ThreadPoolExecutor) -> None:
        list(pool.map(lambda pair: np.copyto(*pair), sides))

    with ThreadPoolExecutor(threads) as pool:
        return best(threads * BLOCK, lambda: work(pool))


def _hashed() -> float:
    data = np.random.default_rng(0).bytes(BLOCK)
    return best(BLOCK, lambda: hashlib.sha256(data).digest(), tries=3)


def _written(path: Path) -> float:
    """A file that is there already would be written over: each try makes its own."""
    data = np.random.default_rng(0).bytes(FILE // 8)

    def work() -> None:
        with path.open("wb") as file:
            for _ in range(8):
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()

    return best(FILE, work, tries=3)


def _multiplied() -> float:
    import tensorflow as tf

    side = tf.random.stateless_uniform((EDGE, EDGE), seed=(0, 0))
    product = tf.function(lambda: tf.reduce_sum(side @ side), autograph=False)
    product()
    return best(2 * EDGE**3, lambda: product().numpy())
