"""Weights that keep a road that is mostly straight, or a place where karts linger, from deciding what is learned."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.labels import Bools, Floats, Ints

Balance = Literal["none", "histogram", "places", "both"]

# Udacity's simulator recipes cut a histogram of 25 bins at a common height by dropping rows at random. Weights do the
# same without losing a row.
BINS = 25

# A place is a fiftieth of a race: of CarRacing's 300 tiles it has six, of a lap of Luigi Raceway half a second.
PLACES = 50

# A row of a rare bin or place counts at most five times an average one: beyond that a handful of rows (in a lap of 475,
# a bin may hold one) would steer the whole gradient of a batch.
MAX_WEIGHT = 5.0

TAKEOVER_WEIGHT = 3.0  # a person takes over for seconds, and just where the policy fails
MOST_CORRECTION_WEIGHT = 100.0  # beyond it, what is no correction is as good as not there


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


def check_balance(balance: str) -> None:
    """Raise KartError where there is no such balance."""
    if balance not in get_args(Balance):
        raise KartError(f"Balance is one of {', '.join(get_args(Balance))}, not {balance!r}.")


def check_correction_weight(factor: float) -> None:
    """Raise KartError for a factor that is not above 0, or above `MOST_CORRECTION_WEIGHT`."""
    if not 0 < factor <= MOST_CORRECTION_WEIGHT:  # NaN fails this too
        raise KartError(f"A correction's weight is above 0 and at most {MOST_CORRECTION_WEIGHT:g}, not {factor}.")


def balance_weights(balance: Balance, steer: Floats | None, place: Ints) -> Floats:
    """A weight for each training row; their mean is 1.

    With "histogram" all bins of steering count alike together, with "places" all places of all tracks: inverse
    frequency, except that no row counts more than `MAX_WEIGHT`; what the cap takes from rare rows goes to the others
    in proportion. "both" multiplies the two before the cap.

    Args:
        balance: one of `Balance`.
        steer: float32 `(n,)` in [-1, 1], see `labels.directions`; None where the action spec does not tell.
        place: int64 `(n,)`, see `places`; a row of no known place (-1) counts like an average one of the others.

    Returns:
        float32 `(n,)`, above 0, at most `MAX_WEIGHT`.

    Raises:
        KartError: no such balance, nothing to balance by, or a value that is no steering.
    """
    check_balance(balance)
    wish = np.ones(len(place))
    if balance in ("histogram", "both"):
        if steer is None:
            raise KartError(
                "The action spec has no axis and no pair of mirrored buttons whose values could be balanced; use "
                "balance 'places' or 'none'."
            )
        wish *= _rarity(_bins(steer))
    if balance in ("places", "both"):
        known = place >= 0
        if len(place) and not known.any():
            raise KartError(
                "No session tells its progress along the track, so places cannot be balanced; use balance 'histogram' "
                "or 'none'."
            )
        wish[known] *= _rarity(place[known])
    return _capped(wish).astype(np.float32)


def correction_weights(
    weights: Floats, correction: Bools, takeover: Bools, correction_weight: float, takeover_weight: float
) -> Floats:
    """The weights `(n,)` with those of corrections multiplied by a factor, and all scaled to a mean of 1 again.

    Args:
        weights: float32 `(n,)`.
        correction: bool `(n,)`, a teacher corrected a policy.
        takeover: bool `(n,)`, those of them in which the teacher had taken the controls.
        correction_weight: factor of the corrections that are no takeovers.
        takeover_weight: factor of the takeovers.

    Raises:
        KartError: a factor that is not above 0, or above `MOST_CORRECTION_WEIGHT`.
    """
    for factor in (correction_weight, takeover_weight):
        check_correction_weight(factor)
    if not len(weights):
        return weights
    heavier = weights * np.where(takeover, takeover_weight, np.where(correction, correction_weight, 1.0))
    scaled: Floats = (heavier / heavier.mean()).astype(np.float32)
    return scaled


def places(track: Ints, progress: Floats) -> Ints:
    """The place of each row, a fiftieth of the race on its track, as a number that no other place has.

    Args:
        track: int64 `(n,)`, which track.
        progress: float32 `(n,)`, share of the race that is done; NaN where the game does not tell.

    Returns:
        int64 `(n,)`; -1 where progress is unknown.
    """
    known = np.isfinite(progress)
    part = (np.where(known, progress, 0).astype(np.float64) * PLACES).astype(np.int64).clip(0, PLACES - 1)
    return np.where(known, track * PLACES + part, -1)


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
        raise KartError("A label of the steering is outside [-1, 1] or not finite; look at the session's checks.")
    return np.minimum(((steer.astype(np.float64) + 1) / 2 * BINS).astype(np.intp), BINS - 1)


def _rarity(kind: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float64]:
    """For each row, `(n,)`, the weight with which all kinds count alike together; of mean 1."""
    _, which, rows = np.unique(kind, return_inverse=True, return_counts=True)
    weight: npt.NDArray[np.float64] = len(kind) / (len(rows) * rows[which])
    return weight


def _capped(wish: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`min(level * wish, MAX_WEIGHT)`, with the level for which the mean is 1; `wish` `(n,)` is above 0.

    As many of the greatest wishes are cut to the cap as must be, and the others share what that leaves.
    """
    if not len(wish):
        return wish
    descending = np.sort(wish)[::-1]
    rest = descending[::-1].cumsum()[::-1]  # rest[k]: the sum of all but the k greatest
    left = len(wish) - MAX_WEIGHT * np.arange(len(wish))
    level = left / rest
    fits = level * descending <= MAX_WEIGHT  # the first that fits ends the cutting; with a cap above 1 there is one
    capped: npt.NDArray[np.float64] = np.minimum(level[np.argmax(fits)] * wish, MAX_WEIGHT)
    return capped
