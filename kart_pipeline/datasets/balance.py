"""Weights that keep a road that is mostly straight from teaching "drive straight"."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError

Balance = Literal["none", "histogram"]
Floats = npt.NDArray[np.float32]

# Udacity's simulator recipes cut a histogram of 25 bins at a common height by dropping rows at random. Weights do the
# same without losing a row.
BINS = 25

# A row of a rare bin counts at most five times an average one: beyond that a handful of rows (in a lap of 475, a bin
# may hold one) would steer the whole gradient of a batch.
MAX_WEIGHT = 5.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """The steering of the training rows, before and after balancing, for plots.

    Attributes:
        edges: of the bins, `BINS + 1` numbers from -1 to 1.
        before: rows in each bin.
        after: their summed weights.
        effective_rows: how many equally weighted rows would average noise as well: (sum w)^2 / sum w^2 (Kish).
    """

    edges: tuple[float, ...]
    before: tuple[int, ...]
    after: tuple[float, ...]
    effective_rows: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal object back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Histogram":
        """Inverse of `to_dict`, also after a way through JSON."""
        return cls(tuple(data["edges"]), tuple(data["before"]), tuple(data["after"]), data["effective_rows"])


def balance_weights(steer: Floats, balance: Balance) -> Floats:
    """A weight for each training row; their mean is 1.

    With "histogram" all bins together count the same, except that no row counts more than `MAX_WEIGHT`: inverse
    frequency with a cap, and what the cap takes from rare bins goes to the others alike.

    Args:
        steer: float32 `(n,)` in [-1, 1], the labels of the axis that steers.
        balance: "none" or "histogram".

    Returns:
        float32 `(n,)`, above 0, at most `MAX_WEIGHT`.

    Raises:
        KartError: no such balance, or a value that is no steering.
    """
    if balance not in get_args(Balance):
        raise KartError(f"Balance is one of {', '.join(get_args(Balance))}, not {balance!r}.")
    if balance == "none" or not len(steer):
        return np.ones(len(steer), np.float32)
    bins = _bins(steer)
    rows = np.bincount(bins, minlength=BINS)
    weight = np.divide(_share(rows), rows, out=np.zeros(BINS), where=rows > 0)
    return weight[bins].astype(np.float32)


def histogram(steer: Floats, weights: Floats) -> Histogram:
    """What `weights` `(n,)` make of the distribution of `steer` `(n,)`."""
    bins = _bins(steer)
    before = np.bincount(bins, minlength=BINS)
    after = np.bincount(bins, weights, minlength=BINS)
    square = float(np.square(weights, dtype=np.float64).sum())
    effective = float(weights.sum(dtype=np.float64)) ** 2 / square if square else 0.0
    edges = np.linspace(-1, 1, BINS + 1)
    return Histogram(tuple(edges.tolist()), tuple(before.tolist()), tuple(after.tolist()), effective)


def _bins(steer: Floats) -> npt.NDArray[np.intp]:
    if not (np.abs(steer) <= 1).all():  # NaN fails this too
        raise KartError("A label of the steering axis is outside [-1, 1] or not finite; look at the session's checks.")
    return np.minimum(((steer.astype(np.float64) + 1) / 2 * BINS).astype(np.intp), BINS - 1)


def _share(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """The summed weight of each bin: `min(level, MAX_WEIGHT * rows)`, with the level for which all sum to the rows.

    From the rarest bin on: a bin that cannot reach an even share of what is left gets its cap, and the rest share on.
    """
    share = np.zeros(len(rows))
    left = float(rows.sum())
    filled = np.flatnonzero(rows)
    ordered = filled[np.argsort(rows[filled], kind="stable")]
    for done, bin_ in enumerate(ordered):
        share[bin_] = min(left / (len(ordered) - done), MAX_WEIGHT * rows[bin_])
        left -= share[bin_]
    return share
