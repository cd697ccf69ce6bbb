"""What LeRobot wants to know of each feature: least, most, mean, deviation, count and five quantiles.

Numbers are kept and evaluated exactly; of pictures, some per episode are counted by value, which is exact for those.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.frame import RGB

QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
_EVERY = 10  # pictures of an episode, of which one is looked at

Stats = dict[str, npt.NDArray[Any]]


class EpisodeStats:
    """Of an episode, or of several that were merged."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[Any]] = {}
        self._sealed: dict[str, list[npt.NDArray[np.float64]]] = {}
        self._counted: dict[str, npt.NDArray[np.int64]] = {}  # of pictures: (3, 256)
        self._pictures: dict[str, int] = {}

    def wants_picture(self, at: int) -> bool:
        """Whether the picture of the row `at` counts."""
        return at % _EVERY == 0

    def add(self, values: Mapping[str, Any]) -> None:
        """One row: a number or a list of numbers for each feature."""
        for name, value in values.items():
            self._numbers.setdefault(name, []).append(value)

    def add_picture(self, name: str, rgb: RGB) -> None:
        """One picture, uint8 `(H, W, 3)`."""
        counts = [np.bincount(rgb[..., channel].ravel(), minlength=256) for channel in range(3)]
        self._counted[name] = self._counted.get(name, 0) + np.stack(counts).astype(np.int64)
        self._pictures[name] = self._pictures.get(name, 0) + 1

    def seal(self) -> None:
        """No row is added any more: what came is kept as arrays, which are a tenth as large."""
        for name, values in self._numbers.items():
            self._sealed.setdefault(name, []).append(np.array(values, np.float64).reshape(len(values), -1))
        self._numbers.clear()

    def merge(self, other: "EpisodeStats") -> None:
        """Add what another, sealed episode had."""
        for name, values in other._sealed.items():
            self._sealed.setdefault(name, []).extend(values)
        for name, counted in other._counted.items():
            self._counted[name] = self._counted.get(name, 0) + counted
            self._pictures[name] = self._pictures.get(name, 0) + other._pictures[name]

    def to_dict(self) -> dict[str, Stats]:
        """By feature, of what was sealed: `min`, `max`, `mean`, `std`, `q01` to `q99`, `(size,)`, and `count`, `(1,)`.

        Of pictures in [0, 1], `(3, 1, 1)`.
        """
        found = {name: _of_numbers(np.concatenate(values)) for name, values in self._sealed.items()}
        for name, counted in self._counted.items():
            found[name] = _of_counts(counted) | {"count": np.array([self._pictures[name]])}
        return found


def _of_numbers(values: npt.NDArray[np.float64]) -> Stats:
    return {
        "min": values.min(0),
        "max": values.max(0),
        "mean": values.mean(0),
        "std": values.std(0),
        "count": np.array([len(values)]),
        **{_key(q): np.quantile(values, q, axis=0) for q in QUANTILES},
    }


def _of_counts(counted: npt.NDArray[np.int64]) -> Stats:
    """Of how often each of 256 values was in each of 3 channels."""
    levels = np.arange(256) / 255
    total = counted.sum(1)
    mean = counted @ levels / total
    spread = np.sqrt(np.maximum(0, counted @ levels**2 / total - mean**2))
    below = counted.cumsum(1)
    reached = {_key(q): levels[(below >= q * total[:, None]).argmax(1)] for q in QUANTILES}
    seen = counted > 0
    stats = {
        "min": levels[seen.argmax(1)],
        "max": levels[255 - seen[:, ::-1].argmax(1)],
        "mean": mean,
        "std": spread,
        **reached,
    }
    return {name: value.reshape(3, 1, 1) for name, value in stats.items()}


def _key(quantile: float) -> str:
    return f"q{round(quantile * 100):02d}"


def to_json(stats: Mapping[str, Stats]) -> dict[str, dict[str, Any]]:
    """As lists, for a file."""
    return {name: {key: value.tolist() for key, value in one.items()} for name, one in stats.items()}
