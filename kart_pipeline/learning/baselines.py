"""Predictors that look at no picture. A network that does not beat them has learned nothing."""

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.datasets.training_set import RowSet, TrainingSet

Vectors = npt.NDArray[np.float32]


def straight(labels: Vectors, spec: ActionSpec) -> Vectors:
    """`(channels,)`: every axis at rest, every button as it mostly is in `labels` `(n, channels)`."""
    return np.concatenate([np.zeros(len(spec.axes), np.float32), _mostly(labels, spec)])


def median(labels: Vectors, spec: ActionSpec) -> Vectors:
    """`(channels,)`: each axis's median, which no other constant beats in absolute error; buttons as in `straight`."""
    axes = np.median(labels[:, : len(spec.axes)], axis=0).astype(np.float32)
    return np.concatenate([axes, _mostly(labels, spec)])


def mean(labels: Vectors) -> Vectors:
    """`(channels,)`: each axis's mean, which no other constant beats in squared error; buttons as shares of 1."""
    average: Vectors = labels.mean(axis=0, dtype=np.float64).astype(np.float32)
    return average


def repeat_last(training_set: TrainingSet, rows: RowSet) -> Vectors:
    """What was executed one frame earlier in the same session; hands off before a session's first frame.

    It knows what a network that sees one picture does not. It is strong where the stick moves slowly, and cannot drive.

    Returns:
        float32 `(len(rows), channels)`.
    """
    before = np.zeros_like(rows.labels)
    for session in np.unique(rows.session_index):
        here = np.flatnonzero((rows.session_index == session) & (rows.row > 0))
        before[here] = training_set.executed(int(session))[rows.row[here] - 1]
    return before


def _mostly(labels: Vectors, spec: ActionSpec) -> Vectors:
    return np.array(labels[:, len(spec.axes) :].mean(axis=0, dtype=np.float64) >= 0.5, np.float32)
