"""Whether a network repeats the last action in place of looking at the road.

What was done a moment ago predicts what is done now almost always, and is no help where it counts: a driver that
repeats it never begins to turn. A network can read it off instruments in the picture, or off the motion between the
frames of a stack. De Haan et al., "Causal Confusion in Imitation Learning", arXiv:1905.11979 (2019).
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec

Vectors = npt.NDArray[np.float32]

SUSPICIOUS = 0.3
_CHANGE = 0.01  # of the stick's half range: smaller differences are rounding
_LEAST_ROWS = 20


def copying(predicted: Vectors, true: Vectors, before: Vectors, spec: ActionSpec) -> dict[str, float]:
    """How much of the last action is in the predictions of each axis.

    The coefficient b of the least-squares fit of `predicted` by a * label + b * before + c, over the rows where the
    label differs from what was executed before: 0 follows the label alone, 1 repeats. The label is in the fit so that a
    network that only steers too weakly is not taken for one that repeats.

    Where a label's own jitter is as large as its changes, as of a person who taps, label and last action say equally
    little of the road, and a good network may come near 0.5.

    Args:
        predicted: float32 `(n, len(spec))`.
        true: float32 `(n, len(spec))`, the labels.
        before: float32 `(n, len(spec))`, what was executed one frame before.
        spec: names the axes.

    Returns:
        By axis; one whose rows are fewer than 20, or do not tell label and last action apart, is left out.
    """
    found = {}
    for place, name in enumerate(spec.axes):
        changed = np.abs(before[:, place] - true[:, place]) > _CHANGE
        causes = np.stack([true[changed, place], before[changed, place], np.ones(changed.sum())], axis=1)
        if len(causes) < _LEAST_ROWS:
            continue
        fitted, _, rank, _ = np.linalg.lstsq(causes.astype(np.float64), predicted[changed, place].astype(np.float64))
        if rank == 3:
            found[name] = float(fitted[1])
    return found


def suspicions(found: Mapping[str, float]) -> list[str]:
    """A sentence for each axis that may be copied, and what helps."""
    return [
        f"The network may repeat the last {name} in place of looking at the road: {share:.0%} of it is in the "
        "predictions where the label differs from it. Mask what shows the last action (`masks` in contracts.toml), or "
        "train with `history_dropout` where frames are stacked."
        for name, share in found.items()
        if share > SUSPICIOUS
    ]
