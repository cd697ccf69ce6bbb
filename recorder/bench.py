"""What each codec costs on this machine, and which one to record with."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image
from rich.table import Table

from kart_pipeline.core.columns import decode_frame, encode_frame
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.manifest import CRF, Codec
from kart_pipeline.core.video import VIDEO, VideoReader
from kart_pipeline.core.video_writer import VideoWriter
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.desktop.windows import Hidden
from kart_pipeline.driving.clock import Clock
from recorder.display import console, print_json
from recorder.moving import moving_picture

SIZES = ((320, 240), (640, 480))
HEADROOM = 3.0  # the game has to run as well, and a recorder without reserve drops frames when it is most hectic
_MOST_BYTES = 500_000_000  # of frames that are held: 80 of 1920x1080
NETWORK = (200, 66)  # PilotNet's input, for which the loss is stated


@dataclass(frozen=True, slots=True)
class Measured:
    """A codec on moving pictures of one size.

    Attributes:
        codec: its name.
        width, height: of the frames.
        per_second: frames that one core encodes in a second.
        gigabytes_per_hour: 10^9 bytes, at the rate asked for.
        error: mean difference, of 255, that a network sees between what was shown and what is read back.
    """

    codec: Codec
    width: int
    height: int
    per_second: float
    gigabytes_per_hour: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What encoding some frames came to.

    Attributes:
        seconds: of one core.
        size: bytes.
        read: some of the frames, read back: uint8 `(H, W, 3)` by their place.
    """

    seconds: float
    size: int
    read: Mapping[int, RGB]


def bench(rate_hz: float, steps: int, where: Where | None, *, as_json: bool) -> None:
    """Measure all codecs, print the figures and recommend one.

    Args:
        rate_hz: that a person wants to record at.
        steps: frames to encode, of each size.
        where: of the person's own screen the frames come from; None draws some that move as a game's do.
        as_json: for machines.

    Raises:
        KartError: the screen cannot be seen.
    """
    rows: list[Measured] = []
    absent: str | None = None
    films = _drawn(steps) if where is None else _seen_on_screen(where, rate_hz, steps)
    for frames in films:
        for codec in get_args(Codec):
            try:
                rows.append(measure(codec, frames, rate_hz))
            except KartError as error:  # no PyAV here
                absent = str(error)
    choice, why = recommend(rows, rate_hz)
    if as_json:
        print_json({"rate_hz": rate_hz, "measured": [asdict(row) for row in rows], "recommended": choice, "why": why})
        return
    out = console()
    out.print(_table(rows, rate_hz))
    if absent:
        out.print(absent, soft_wrap=True)
    out.print(f"Record with --codec {choice}: {why}", soft_wrap=True)


def _drawn(steps: int) -> Iterator[list[RGB]]:
    for width, height in SIZES:
        yield list(moving_picture(width, height, steps))


def _seen_on_screen(where: Where, rate_hz: float, steps: int) -> Iterator[list[RGB]]:
    """The same moments, at the height that is recorded by default and at the screen's own."""
    source = open_source(where, 0)
    clock = Clock(rate_hz)
    frames: list[RGB] = []
    try:
        while len(frames) < steps:
            seen = source.grab()
            if isinstance(seen, Hidden):
                raise KartError(f"There is nothing to measure: {seen.reason}.")
            frames.append(seen.rgb)
            steps = min(steps, max(2, _MOST_BYTES // seen.rgb.nbytes))
            clock.wait()
    finally:
        source.close()
    height, width = frames[0].shape[:2]
    least = min(height for _, height in SIZES)
    if height > least:
        small = (round(width * least / height / 2) * 2, least)
        yield [np.asarray(Image.fromarray(rgb).resize(small, Image.Resampling.BILINEAR)) for rgb in frames]
    yield frames


def measure(codec: Codec, frames: Sequence[RGB], rate_hz: float) -> Measured:
    """Encode frames, each uint8 `(H, W, 3)`, by one thread; KartError where the codec is not installed."""
    return measured(codec, frames, rate_hz, try_out(codec, frames, rate_hz))


def try_out(codec: Codec, frames: Sequence[RGB], rate_hz: float, crf: int = CRF) -> Trial:
    """Encode them, and read some back; `crf` is of a video."""
    return _video(frames, rate_hz, crf) if codec == "h264" else _pictures(codec, frames)


def measured(codec: Codec, frames: Sequence[RGB], rate_hz: float, trial: Trial) -> Measured:
    """What a trial says of the codec."""
    height, width = frames[0].shape[:2]
    error = float(np.mean([np.abs(_seen(rgb) - _seen(frames[step])).mean() for step, rgb in trial.read.items()]))
    hourly = trial.size / len(frames) * rate_hz * 3600 / 1e9
    return Measured(codec, width, height, len(frames) / trial.seconds, hourly, error)


def recommend(rows: Sequence[Measured], rate_hz: float) -> tuple[Codec, str]:
    """The codec whose recordings are smallest, of those that keep up with `HEADROOM` at the largest size; and why."""
    largest = max(row.width * row.height for row in rows)
    at_largest = [row for row in rows if row.width * row.height == largest]
    able = [row for row in at_largest if row.per_second >= HEADROOM * rate_hz]
    if not able:
        best = max(at_largest, key=lambda row: row.per_second)
        return best.codec, (
            f"no codec leaves room at {best.width}x{best.height} and {rate_hz:g} Hz, this one encodes "
            f"{best.per_second:.0f} frames a second. Record at a lower height or rate."
        )
    best = min(able, key=lambda row: row.gigabytes_per_hour)
    exact = next((row for row in at_largest if row.codec == "png"), best)
    return best.codec, (
        f"{best.gigabytes_per_hour:.2f} GB an hour at {best.width}x{best.height} and {rate_hz:g} Hz, and one core "
        f"encodes {best.per_second / rate_hz:.1f} times as much. Where every pixel counts, png takes "
        f"{exact.gigabytes_per_hour:.1f} GB."
    )


def _pictures(codec: Codec, frames: Sequence[RGB]) -> Trial:
    began = time.thread_time()
    encoded = [encode_frame(rgb, codec) for rgb in frames]
    seconds = time.thread_time() - began
    read = {step: decode_frame(encoded[step]) for step in _sample(len(frames))}
    return Trial(seconds, sum(map(len, encoded)), read)


def _video(frames: Sequence[RGB], rate_hz: float, crf: int) -> Trial:
    height, width = frames[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / VIDEO
        writer = VideoWriter(path, (width, height), rate_hz, crf)
        began = time.thread_time()
        for step, rgb in enumerate(frames):
            writer.write(step, rgb)
        seconds = time.thread_time() - began
        writer.close()
        reader = VideoReader(path, rate_hz, "bench")
        read = {step: reader.frame(step) for step in _sample(len(frames))}
        reader.close()
        return Trial(seconds, path.stat().st_size, read)


def _sample(count: int) -> list[int]:
    return sorted({round(step) for step in np.linspace(0, count - 1, 12).tolist()})


def _seen(rgb: RGB) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(Image.fromarray(rgb).resize(NETWORK, Image.Resampling.BILINEAR), np.float64)


def _table(rows: Sequence[Measured], rate_hz: float) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("codec", no_wrap=True)
    table.add_column("size", no_wrap=True)
    for name in ("frames/s on a core", f"times {rate_hz:g} Hz", "GB/h", f"error at {NETWORK[0]}x{NETWORK[1]}, of 255"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.codec,
            f"{row.width}x{row.height}",
            f"{row.per_second:.0f}",
            f"{row.per_second / rate_hz:.1f}",
            f"{row.gigabytes_per_hour:.2f}",
            f"{row.error:.2f}",
        )
    return table
