"""Frames built per second: against Pillow alone on the same bytes, which is the limit, and against TensorKart's way."""

import io
import shutil
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.limits import decoded_by_all
from benchmarks.pictures import sessions
from benchmarks.table import Row, interleaved, per_second
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.frames import build_frames

SIZE = (200, 66)
OWN, TENSORKART = "320x240 JPEG", "640x480 PNG"


def run() -> list[Row]:
    """All codecs; then our own sessions against TensorKart's PNG of 640x480 through scikit-image."""
    with tempfile.TemporaryDirectory() as folder:
        recorded = dict(sessions(Path(folder) / "sessions"))
        rows = [_against_pillow(name, session, Path(folder) / "out") for name, session in recorded.items()]
        screenshots = list(recorded[TENSORKART].encoded())[:60]
        own = recorded[OWN]
        contract = Contract(own.manifest.spec, own.manifest.rate_hz)
        ours, theirs, ratio = interleaved(
            partial(build, own, contract, Path(folder) / "out", threads=1),
            partial(per_second, len(screenshots), partial(_tensorkart, screenshots)),
        )
    what, peer = f"frames built by one thread, {OWN}", f"TensorKart's way: {TENSORKART}, scikit-image"
    return [*rows, Row(what, ours, "frames/s", peer, theirs, ratio, ">= 15", ratio >= 15)]


def _against_pillow(name: str, session: Session, folder: Path) -> Row:
    encoded = list(session.encoded())
    contract = Contract(session.manifest.spec, session.manifest.rate_hz)
    built, bare, ratio = interleaved(
        partial(build, session, contract, folder),
        partial(decoded_by_all, encoded, SIZE),
    )
    peer = "Pillow's decode + resize of the same bytes"
    return Row(f"frames built, {name}", built, "frames/s", peer, bare, ratio, ">= 0.8", ratio >= 0.8)


def build(session: Session, contract: Contract, folder: Path, threads: int | None = None) -> float:
    """Frames a second, into a folder that is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    return per_second(session.manifest.steps, lambda: build_frames(session, contract, folder, threads=threads))


def _tensorkart(encoded: list[bytes]) -> None:
    """What its `prepare` does with a screenshot: decode, scikit-image's resize to 66x200."""
    from skimage.transform import resize

    for data in encoded:
        with Image.open(io.BytesIO(data)) as picture:
            resize(np.asarray(picture.convert("RGB")), (66, 200, 3))
