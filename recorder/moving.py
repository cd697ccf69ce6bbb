"""A picture that moves as a kart game's does: a textured plane with a road, seen from behind the kart, and a sky.

The ground is drawn as the SNES drew Super Mario Kart's, by its "mode 7": each line of the screen is a line of a map,
turned and scaled; far lines are taken from a coarser map, as games since do, or the distance would flicker.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from kart_pipeline.core.frame import RGB

_MAP = 1024  # pixels of the map's side; it repeats
_AHEAD = 6.0  # map pixels a step: the map passes once in 6 s at 30 Hz
_HORIZON = 0.4  # of the height
_COARSEST = 4  # the map is halved so often


def moving_picture(width: int, height: int, steps: int) -> Iterator[RGB]:
    """Frames of a drive.

    Args:
        width: of a frame, pixels.
        height: of a frame, pixels.
        steps: how many.

    Yields:
        uint8 `(height, width, 3)`.
    """
    ground, sky = _maps(), _texture(2.0, 7)
    horizon = int(_HORIZON * height)
    below = np.arange(height - horizon) + 0.06 * height
    depth = 0.35 * height * 60 / below  # map pixels ahead of each line
    coarse = np.clip(np.log2(depth / below), 0, _COARSEST).round().astype(int)[:, None]
    across = np.arange(width) / width - 0.5
    clouds = np.linspace(150, 230, horizon)[:, None, None] * np.ones((1, width, 1))
    for step in range(steps):
        heading = 0.5 * np.sin(step / 25)
        sine, cosine = np.sin(heading), np.cos(heading)
        ahead, aside = depth[:, None], 1.6 * depth[:, None] * across
        x = _MAP / 2 + 60 * np.sin(step / 40) + aside * cosine + ahead * sine
        y = _AHEAD * step + ahead * cosine - aside * sine
        frame = np.empty((height, width, 3), np.uint8)
        frame[horizon:] = ground[coarse, y.astype(int) % _MAP, x.astype(int) % _MAP]
        columns = (np.arange(width) + int(heading * width)) % _MAP
        frame[:horizon] = np.clip(clouds + 30 * sky[:horizon, columns, None] + (-40, 0, 20), 0, 255)
        yield frame


def _maps() -> RGB:
    """The map, ever coarser: `(_COARSEST + 1, _MAP, _MAP, 3)`."""
    finest = Image.fromarray(_ground())
    halved = [finest.resize((_MAP >> level, _MAP >> level), Image.Resampling.BOX) for level in range(_COARSEST + 1)]
    return np.stack([np.asarray(item.resize((_MAP, _MAP), Image.Resampling.BILINEAR)) for item in halved])


def _ground() -> RGB:
    """The map: grass, a road along its middle, kerbs."""
    rough = _texture(0.8, 3)
    aside = np.abs(np.arange(_MAP) - _MAP / 2)[None, :]
    along = np.arange(_MAP)[:, None]
    colours = np.where(aside[..., None] < 90, (105, 100, 105), (60, 140, 45)) + 22 * rough[..., None]
    kerb = (aside >= 90) & (aside < 104)
    colours[np.broadcast_to(kerb & (along // 24 % 2 == 0), rough.shape)] = (200, 40, 30)
    colours[np.broadcast_to(kerb & (along // 24 % 2 == 1), rough.shape)] = (235, 235, 235)
    colours[np.broadcast_to((aside < 4) & (along // 40 % 2 == 0), rough.shape)] = (230, 220, 120)
    return np.clip(colours, 0, 255).astype(np.uint8)


def _texture(smooth: float, seed: int) -> npt.NDArray[np.float64]:
    """Noise `(_MAP, _MAP)` of mean 0 and deviation 1 that repeats; its amplitude falls with frequency ** `smooth`."""
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(_MAP, _MAP)))
    frequency = np.hypot(np.fft.fftfreq(_MAP)[:, None], np.fft.rfftfreq(_MAP)[None, :])
    frequency[0, 0] = np.inf
    texture = np.fft.irfft2(noise / frequency**smooth, (_MAP, _MAP))
    return np.asarray(texture / texture.std())
