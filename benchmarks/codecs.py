"""What an hour takes on the disk in each codec, and what each quality of H.264 keeps of the picture.

    python -m benchmarks codecs --frames FOLDER

measures the pictures of a folder as well, in the order of their numbers. Those of a recording at 3.6 Hz (TensorKart)
move eight times as much from one to the next as at 30 Hz: what they take is an upper limit.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image

from benchmarks.table import Row
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.manifest import CRF, Codec
from recorder.bench import SIZES, measure, measured, try_out
from recorder.moving import moving_picture

RATE_HZ = 30.0
STEPS = 150
QUALITIES = (18, 20, 21, 22, 23, 26)
AIM_GB, AIM_SIZE = 1.5, (640, 480)


def run(folder: Path | None = None) -> list[Row]:
    """Measure a drawn picture that moves as a game's does, and the pictures in `folder`."""
    frames = pictures(folder) if folder is not None else []
    rows: list[Row] = []
    for size in SIZES:
        rows += _codecs("a drawn picture", list(moving_picture(*size, STEPS)))
    if folder is None:
        return rows
    for size in SIZES:
        rows += _codecs(folder.name, [np.asarray(Image.fromarray(rgb).resize(size)) for rgb in frames])
    return rows + _qualities(folder.name, frames)


def pictures(folder: Path) -> list[RGB]:
    """The pictures of a folder in the order of their numbers: uint8 `(H, W, 3)` each, all of one size.

    Raises:
        KartError: there are none, or of several sizes.
    """
    paths = sorted((path for path in folder.glob("*") if path.suffix in (".png", ".jpg", ".jpeg")), key=_number)
    frames = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    if not frames:
        raise KartError(f"{folder} holds no pictures (.png, .jpg).")
    if len({rgb.shape for rgb in frames}) > 1:
        raise KartError(f"The pictures in {folder} are of several sizes; a video has one.")
    return frames


def _number(path: Path) -> tuple[int, str]:
    digits = re.findall(r"\d+", path.stem)
    return (int(digits[-1]) if digits else -1, path.name)


def _codecs(what: str, frames: Sequence[RGB]) -> list[Row]:
    height, width = frames[0].shape[:2]
    rows = []
    for codec in get_args(Codec):
        found = measure(codec, frames, RATE_HZ)
        aimed = codec == "h264" and (width, height) == AIM_SIZE
        name = f"{what}, {width}x{height} at {RATE_HZ:g} Hz, {codec}" + (f" CRF {CRF}" if codec == "h264" else "")
        cost = f"a core encodes {found.per_second / RATE_HZ:.1f} times as much; a network sees {found.error:.2f} of 255"
        met = found.gigabytes_per_hour <= AIM_GB if aimed else None
        rows.append(
            Row(name, found.gigabytes_per_hour, "GB/h", cost, None, None, f"<= {AIM_GB} GB/h" if aimed else "", met)
        )
    return rows


def _qualities(what: str, frames: Sequence[RGB]) -> list[Row]:
    """H.264 at several qualities: size, and how near the picture stays."""
    height, width = frames[0].shape[:2]
    rows = []
    for crf in QUALITIES:
        trial = try_out("h264", frames, RATE_HZ, crf)
        found = measured("h264", frames, RATE_HZ, trial)
        pairs = [(frames[step], rgb) for step, rgb in trial.read.items()]
        psnr, ssim = (np.mean([near(*pair) for pair in pairs]) for near in (_psnr, _ssim))
        near = f"PSNR {psnr:.1f} dB, SSIM {ssim:.3f}; a network sees {found.error:.2f} of 255"
        name = f"{what}, {width}x{height} at {RATE_HZ:g} Hz, h264 CRF {crf}"
        rows.append(Row(name, found.gigabytes_per_hour, "GB/h", near, None, None, "", None))
    return rows


def _psnr(shown: RGB, read: RGB) -> float:
    error = np.mean((shown.astype(float) - read) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def _ssim(shown: RGB, read: RGB) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(shown, read, channel_axis=2))
