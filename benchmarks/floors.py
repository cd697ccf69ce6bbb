"""How far each stage is from what the machine's own limits allow: docs/performance.md explains the rows.

Limits are the best of several tries, what is reached is the median. On a busy machine a stage has only a part of it, so
the ratios of a quiet one are larger.
"""

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks import limits
from benchmarks.floors_learning import learned
from benchmarks.frames import SIZE, build
from benchmarks.limits import Limits
from benchmarks.models import training_set
from benchmarks.pictures import sessions
from benchmarks.table import Row, beside, interleaved
from kart_pipeline.core.columns import JPEG_QUALITY
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store

FRAMES = 400  # of each session
FEW = 100  # pictures that one core decodes or encodes
FRAME_HZ, MANY_CORES, BUILD_AIM = 30, 8, 100  # hours of driving at this rate are built this many times as fast


def run() -> list[Row]:
    """The machine, then the stages in the order in which a frame goes through them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = limits.measure(folder)
        recorded = dict(sessions(folder / "pictures", FRAMES))
        rows = [*_limits(machine), _recorded(recorded["640x480 JPEG"], folder / "again")]
        for title, session in recorded.items():
            rows += _built(title, session, machine, folder / "built")
        examples = training_set(folder / "set", FRAMES)
        return [*rows, *learned(examples, machine, folder)]


def _limits(machine: Limits) -> Iterator[Row]:
    ratio = machine.copied_by_all / machine.copied
    yield _limit("memory copied by one thread", machine.copied / 1e9, "GB/s")
    by_all = machine.copied_by_all / 1e9
    yield Row("memory copied by all cores", by_all, "GB/s", "one thread", machine.copied / 1e9, ratio, "", None)
    yield _limit("SHA-256, one thread", machine.hashed / 1e9, "GB/s")
    yield _limit("a file written until it is on the disk", machine.written / 1e9, "GB/s")
    yield _limit(f"product of {limits.EDGE}x{limits.EDGE} float32 matrices", machine.multiplied / 1e9, "GFLOP/s")


def _limit(what: str, value: float, unit: str) -> Row:
    return Row(what, value, unit, "", None, None, "", None)


def _recorded(session: Session, folder: Path) -> Row:
    """A session written again, its pictures encoded by one thread, beside the encoder alone."""
    steps = list(islice(session.steps(), FEW))
    pictures = [step.frame.rgb for step in steps]
    written = statistics.median(limits.per_second(len(steps), partial(_write, steps, folder, t)) for t in range(3))
    bare = limits.encoded(pictures, JPEG_QUALITY)
    return beside("recorded by one thread, 640x480 JPEG", written, "Pillow encodes the same", bare, "frames/s")


def _write(steps: list[Step], folder: Path, number: int) -> None:
    spec = steps[0].choice.action.spec
    header = SessionHeader(id=f"again{number}", game="car_racing", rate_hz=FRAME_HZ, spec=spec, codec="jpeg")
    with Store(folder).create(header) as writer:
        for step in steps:
            writer.append(step)


def _built(title: str, session: Session, machine: Limits, folder: Path) -> Iterator[Row]:
    """Decoding alone and with resizing on one core, then frames built beside the floor and beside bare threads."""
    encoded = list(session.encoded())
    contract = Contract(session.manifest.spec, session.manifest.rate_hz)
    alone, resized = limits.decoded(encoded[:FEW]), limits.decoded(encoded[:FEW], SIZE)
    yield beside(f"decoded and resized by one core, {title}", resized, "decoded alone", alone, "frames/s")
    reached, bare, ratio = interleaved(
        partial(build, session, contract, folder), partial(limits.decoded_by_all, encoded, SIZE), repeats=3
    )
    source = sum(map(len, encoded)) / len(encoded)
    floor = machine.built(resized, source, int(np.prod(contract.frame_shape)))
    what = f"frames built, {title}"
    yield beside(what, reached, "decode, resize, hash and write at the machine's limits", floor, "frames/s")
    peer = "the same decoded and resized by bare threads"
    yield Row(what, reached, "frames/s", peer, bare, ratio, ">= 0.9", ratio >= 0.9)
    yield _times(title, reached, machine)
    if session.manifest.width > SIZE[0]:  # else that filter does nothing else than the usual one
        area = replace(contract, filter="area")
        blocks, usual, ratio = interleaved(
            partial(build, session, area, folder), partial(build, session, contract, folder), repeats=3
        )
        what = f'frames built, {title}, filter "area"'
        yield Row(what, blocks, "frames/s", 'filter "bilinear"', usual, ratio, "", None)
        yield _times(f'{title}, filter "area"', blocks, machine)


def _times(title: str, reached: float, machine: Limits) -> Row:
    times = reached / machine.cores * MANY_CORES / FRAME_HZ
    what = f"driving at {FRAME_HZ} Hz built by {MANY_CORES} such cores, {title}"
    return Row(what, times, "x real time", "", None, None, f">= {BUILD_AIM}", times >= BUILD_AIM)
