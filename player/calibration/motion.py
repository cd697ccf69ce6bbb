"""How fast the picture turns: by how much each is shifted against the one before."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.uint8]

_STILL = 2.0  # standard deviation of a pixel's grey in time: a pixel of a display that stands on the picture


def grey(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """`(H, W)` of `(H, W, 3)`."""
    return np.asarray(rgb.mean(axis=2), np.uint8)


def moving(pictures: Pictures) -> npt.NDArray[np.float32]:
    """A mask `(H, W)`, 1 where anything changes in `(N, H, W)`: what stands still would pin the shift to nothing."""
    return np.asarray(pictures.std(axis=0) > _STILL, np.float32)


def shift(before: Pictures, after: Pictures, mask: npt.NDArray[np.float32]) -> float:
    """By how many pixels `after` lies to the right of `before`, both `(H, W)`; by phase correlation.

    Kuglin and Hines, "The phase correlation image alignment method", 1975.
    """
    window = np.outer(np.hanning(before.shape[0]), np.hanning(before.shape[1])) * mask
    spectra = [np.fft.rfft2((picture - picture.mean()) * window) for picture in (before, after)]
    cross = np.conj(spectra[0]) * spectra[1]
    peaks = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=before.shape)
    row, column = np.unravel_index(int(peaks.argmax()), peaks.shape)
    width = peaks.shape[1]
    left, top, right = (float(peaks[row, (int(column) + side) % width]) for side in (-1, 0, 1))
    bend = left - 2 * top + right
    exact = float(column) + (0.5 * (left - right) / bend if bend else 0.0)
    return exact - width if exact > width / 2 else exact


def turning(pictures: Sequence[Pictures], times_ns: Sequence[int], mask: npt.NDArray[np.float32]) -> float:
    """The mean speed to the right, in picture widths a second; of keys that are pulsed it has whole pulses in it."""
    moved = sum(shift(one, other, mask) for one, other in pairwise(pictures) if not np.array_equal(one, other))
    return float(moved / pictures[0].shape[1] / ((times_ns[-1] - times_ns[0]) / 1e9))
