"""How wrong predictions are, head by head, and always beside what needs no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.split import Side
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning import baselines
from kart_pipeline.learning.copying import copying, suspicions
from kart_pipeline.learning.pipeline import some_rows

Vectors = npt.NDArray[np.float32]

NETWORK = "network"
_EPSILON = 1e-7  # keeps the logarithm of a hard 0 or 1 finite; Keras's value


@dataclass(frozen=True, slots=True)
class Errors:
    """What one predictor got wrong.

    Attributes:
        euclidean: mean over rows of the length of the error vector over all channels, buttons as 0 … 1. TensorKart's
            loss (its train.py), so figures can be compared with published ones.
        heads: for an axis "mae" and "rmse"; for a button "accuracy" (pressed from 0.5 on) and "bce", the mean
            cross-entropy in nats.
    """

    euclidean: float
    heads: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Errors on one side of a training set, the network's beside the baselines'.

    Attributes:
        split: "train" or "val".
        rows: how many were predicted.
        errors: by predictor: "network", "straight", "median", "mean", "repeat last".
        copying: by axis, how much of the last action is in the network's predictions, see `copying`.
    """

    split: str
    rows: int
    errors: Mapping[str, Errors]
    copying: Mapping[str, float]

    def beats(self, other: str) -> bool:
        """Whether the network's Euclidean error is smaller than that of the predictor `other`."""
        return self.errors[NETWORK].euclidean < self.errors[other].euclidean

    def metrics(self) -> dict[str, float]:
        """All figures by a flat name: `val/network/euclidean`, `val/network/steer_copying` and so on."""
        flat = {}
        for name, errors in self.errors.items():
            stem = f"{self.split}/{name.replace(' ', '_')}"
            flat[f"{stem}/euclidean"] = errors.euclidean
            for channel, figures in errors.heads.items():
                flat |= {f"{stem}/{channel}_{figure}": value for figure, value in figures.items()}
        return flat | {f"{self.split}/{NETWORK}/{name}_copying": value for name, value in self.copying.items()}

    def markdown(self) -> str:
        """A table with a row for each predictor, the best figure of each column in bold, and below it suspicions."""
        columns = [("euclidean", "")]
        columns += [(figure, head) for head, figures in self.errors[NETWORK].heads.items() for figure in figures]
        names = list(self.errors)
        cells = [[name] for name in names]
        for figure, head in columns:
            values = [self.errors[name].heads[head][figure] if head else self.errors[name].euclidean for name in names]
            best = max(values) if figure == "accuracy" else min(values)
            for row, value in zip(cells, values, strict=True):
                row.append(f"**{value:.3f}**" if value == best else f"{value:.3f}")
        heading = ["predictor"] + [f"{head} {figure}".strip() for figure, head in columns]
        lines = [heading, ["---"] + ["---:"] * len(columns), *cells]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n\n".join([table, *suspicions(self.copying)])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        errors = {
            name: {"euclidean": item.euclidean, "heads": {head: dict(figures) for head, figures in item.heads.items()}}
            for name, item in self.errors.items()
        }
        return {"split": self.split, "rows": self.rows, "errors": errors, "copying": dict(self.copying)}


def euclidean(predicted: Vectors, true: Vectors) -> float:
    """Mean over rows of sqrt(sum over channels of the squared error); both `(n, channels)`, or one row broadcast."""
    difference = np.asarray(true, np.float64) - np.asarray(predicted, np.float64)
    return float(np.sqrt((difference**2).sum(axis=1)).mean())


def errors_of(predicted: Vectors, true: Vectors, spec: ActionSpec) -> Errors:
    """Errors of predictions `(n, len(spec))`, or of one constant `(len(spec),)`, against labels `(n, len(spec))`."""
    predicted = np.broadcast_to(np.asarray(predicted, np.float64), true.shape)
    heads: dict[str, dict[str, float]] = {}
    for place, name in enumerate(spec.names):
        guess, truth = predicted[:, place], true[:, place].astype(np.float64)
        if name in spec.axes:
            wrong = guess - truth
            heads[name] = {"mae": float(np.abs(wrong).mean()), "rmse": float((wrong**2).mean() ** 0.5)}
        else:
            odds = guess.clip(_EPSILON, 1 - _EPSILON)
            bce = -(truth * np.log(odds) + (1 - truth) * np.log(1 - odds)).mean()
            heads[name] = {"accuracy": float(((guess >= 0.5) == (truth >= 0.5)).mean()), "bce": float(bce)}
    return Errors(euclidean(predicted, true), heads)


def evaluate(training_set: TrainingSet, split: Side, predicted: Vectors) -> Evaluation:
    """Set a network's predictions beside the baselines, which are fitted on the training rows alone.

    Args:
        training_set: gives the labels.
        split: the side that was predicted.
        predicted: float32 `(rows, len(spec))` in the order of `training_set.rows(split)`, buttons as probabilities.

    Raises:
        KartError: the side has no rows, or not as many as there are predictions.
    """
    spec = training_set.contract.spec
    rows = some_rows(training_set, split)
    if predicted.shape != rows.labels.shape:
        raise KartError(f"There are {predicted.shape} predictions for {rows.labels.shape} labels of split {split!r}.")
    learned = some_rows(training_set, "train").labels
    before = baselines.repeat_last(training_set, rows)
    guesses = {
        NETWORK: predicted,
        "straight": baselines.straight(learned, spec),
        "median": baselines.median(learned, spec),
        "mean": baselines.mean(learned),
        "repeat last": before,
    }
    errors = {name: errors_of(guess, rows.labels, spec) for name, guess in guesses.items()}
    later = rows.row > 0  # before a session's first frame nothing was executed
    copied = copying(predicted[later], rows.labels[later], before[later], spec)
    return Evaluation(split, len(rows), errors, copied)
