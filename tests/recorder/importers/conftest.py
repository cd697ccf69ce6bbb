"""Pictures as the recorders of others leave them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., Path]


@pytest.fixture
def paint() -> Paint:
    """Writes a picture of noise, by default 16x12; its suffix says of which kind."""

    def write(path: Path, seed: int = 0, size: tuple[int, int] = (16, 12)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        rgb = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(rgb).save(path)
        return path

    return write
