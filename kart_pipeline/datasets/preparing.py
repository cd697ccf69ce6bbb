"""Pictures in, prepared frames out, in order: a pool of threads (Pillow works without the interpreter lock)."""

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from kart_pipeline.core.columns import decode_picture
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.prepare import prepare

# A task of the pool: enough frames to hide its cost (some 50 µs), few enough to keep memory flat.
TASK_FRAMES = 32
TASK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a task made of some consecutive pictures.

    Attributes:
        source: the bytes of the pictures, joined; kept for whoever hashes them.
        pictures: how many there were.
        frames: uint8 `(usable, *contract.frame_shape)`.
        unusable: which of the pictures, counted from 0, are not among the frames, and why.
    """

    source: bytes
    pictures: int
    frames: RGB
    unusable: list[tuple[int, str]]


def cores() -> int:
    """The cores that this process may use, where the system tells; else all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepared(
    source: Iterable[bytes | RGB], contract: Contract, size: tuple[int, int], threads: int
) -> Generator[Part, None, None]:
    """Decode and prepare pictures with `threads` threads; only a few tasks for each are in memory at a time.

    Args:
        source: PNG or JPEG files, or uint8 `(H, W, 3)`.
        contract: how a frame becomes an input.
        size: width and height that a picture must have to be usable.
        threads: 1 or more.

    Yields:
        The parts, in order. Close the generator to end early; tasks that have not begun are dropped then.

    Raises:
        KartError: the contract's crop or a mask does not fit the size.
    """
    with ThreadPoolExecutor(threads, "prepare") as pool:
        waiting: deque[Future[Part]] = deque()
        try:
            for pictures in _tasks(source, contract):
                waiting.append(pool.submit(_prepare, pictures, contract, size))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _tasks(source: Iterable[bytes | RGB], contract: Contract) -> Iterator[list[bytes | RGB]]:
    most = min(TASK_FRAMES, max(1, TASK_BYTES // int(np.prod(contract.frame_shape))))
    pictures: list[bytes | RGB] = []
    size = 0
    for data in source:
        pictures.append(data)
        size += len(data) if isinstance(data, bytes) else data.nbytes
        if len(pictures) >= most or size >= TASK_BYTES:
            yield pictures
            pictures, size = [], 0
    if pictures:
        yield pictures


def _prepare(pictures: list[bytes | RGB], contract: Contract, size: tuple[int, int]) -> Part:
    frames = np.empty((len(pictures), *contract.frame_shape), np.uint8)
    unusable: list[tuple[int, str]] = []
    for place, data in enumerate(pictures):
        try:
            picture = decode_picture(data) if isinstance(data, bytes) else Image.fromarray(data)
        except KartError as error:
            unusable.append((place, str(error)))
            continue
        if picture.size != size:
            (width, height), (first_width, first_height) = picture.size, size
            unusable.append((place, f"The frame is {width}x{height}, the first was {first_width}x{first_height}."))
            continue
        frames[place - len(unusable)] = prepare(contract, picture)
    return Part(_joined(pictures), len(pictures), frames[: len(pictures) - len(unusable)], unusable)


def _joined(pictures: list[bytes | RGB]) -> bytes:
    return b"".join(data if isinstance(data, bytes) else data.data for data in pictures)
