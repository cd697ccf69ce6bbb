"""One training run: from a training set and hyper-parameters to a network with its figures, or to nothing at all."""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning.augment import check_augmentation
from kart_pipeline.learning.cost import Cost, network_cost
from kart_pipeline.learning.evaluation import Evaluation, evaluate
from kart_pipeline.learning.heads import losses
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predict_batches
from kart_pipeline.learning.memory import keep_memory
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.pipeline import ordered_batches, some_rows, training_batches
from kart_pipeline.learning.warm_start import begin_from
from kart_pipeline.learning.workers import AllReduce, share_of_environment, together

if TYPE_CHECKING:
    import keras

_MOST_VALIDATION_BATCH = 256
_HEAD_LOSS = "head_loss"  # what Keras is told to call it

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: `epoch` and `batch` count from 1, `loss` is the epoch's mean so far."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """What a run gave.

    Attributes:
        model: with the weights of the best epoch, not compiled: it has no optimizer state to carry along.
        hyper: what it was told.
        history: for each epoch the losses: "loss" and "val_loss" are what is minimised, `<channel>_loss` and
            `val_<channel>_loss` the heads'. Training losses are weighted and of augmented rows, so they may be larger.
        best_epoch: counted from 1, the one with the least "val_loss".
        ended: "all epochs", "no better" (patience) or "time budget".
        seconds: of fitting.
        samples_per_second: training rows over the time of fitting, validation included.
        evaluation: on the held-out rows, beside the baselines.
        predicted: float32 `(n, len(spec))`, the answers to `training_set.rows("val")`, buttons as probabilities.
        cost: of the network, on the machine that trained it.
    """

    model: "keras.Model"
    hyper: HyperParameters
    history: tuple[Figures, ...]
    best_epoch: int
    ended: str
    seconds: float
    samples_per_second: float
    evaluation: Evaluation
    predicted: npt.NDArray[np.float32]
    cost: Cost


def train(
    training_set: TrainingSet,
    hyper: HyperParameters,
    *,
    start: "keras.Model | None" = None,
    on_epoch: Callable[[int, Figures], None] | None = None,
    on_batch: Callable[[Progress], None] | None = None,
) -> TrainingResult:
    """Fit a network and keep its best epoch. Nothing is written: an interrupted run leaves nothing behind.

    With `hyper.deterministic`, runs on the same machine with the same versions give equal weights. Across machines
    they differ in the last digits, the less so with TF_ENABLE_ONEDNN_OPTS=0 in the environment. Where TF_CONFIG names
    several workers, this is one of them, and all of them end with the same weights; see `workers`.

    Args:
        training_set: both of its sides are used: train to learn, val to choose the epoch and to judge.
        hyper: what to do.
        start: begin with its weights, not with random ones; it is not changed. The caller sees to it that it was
            trained through the same contract.
        on_epoch: called after each epoch with its number, from 1, and its entry of `TrainingResult.history`.
        on_batch: called after each gradient step.

    Raises:
        KartError: hyper-parameters and training set do not fit, `start` is another network or one of other inputs or
            heads, or the loss became NaN or infinite.
    """
    keep_memory()
    import keras
    import tensorflow as tf

    contract = training_set.contract
    check_augmentation(contract.spec, hyper)
    rows = len(some_rows(training_set, "train"))
    share = share_of_environment()
    share.rows(hyper)
    all_reduce = AllReduce() if share.count > 1 else None
    keras.utils.set_random_seed(hyper.seed)
    if hyper.deterministic:
        tf.config.experimental.enable_op_determinism()  # for the rest of the process: there is no way back
    elif hyper.xla and _deterministic():
        raise KartError(
            "An earlier training of this process was deterministic, which XLA cannot be; train in a new one."
        )
    build = partial(build_network, hyper.network, contract, dropout=hyper.dropout, bins=hyper.axis_bins)
    learning = build(precision=hyper.precision)
    if start is not None:
        begin_from(start, learning)
    _compile(learning, contract.spec, hyper, all_reduce)
    validation = ordered_batches(training_set, "val", min(hyper.batch_size, _MOST_VALIDATION_BATCH))
    steps = hyper.steps_per_epoch or math.ceil(rows / hyper.batch_size)
    watch = _Watch(learning, contract.spec, hyper, steps, on_epoch, on_batch)
    best = keras.callbacks.EarlyStopping("val_loss", patience=hyper.patience, mode="min", restore_best_weights=True)
    began = time.monotonic()
    with together() if all_reduce else nullcontext():
        if all_reduce:
            all_reduce.level(learning)
        learning.fit(
            training_batches(training_set, hyper, share),
            epochs=hyper.epochs,
            steps_per_epoch=steps,
            validation_data=validation,
            # `best` last: on a bad loss `watch` raises before anything is kept
            callbacks=[watch.callback(), best],
            shuffle=False,  # the batches are shuffled already
            verbose=0,
        )
    seconds = time.monotonic() - began
    model = build()
    model.set_weights(learning.get_weights())
    predicted = predict_batches(model, validation, contract.spec)
    return TrainingResult(
        model=model,
        hyper=hyper,
        history=tuple(watch.history),
        best_epoch=best.best_epoch + 1,
        ended=watch.ended(),
        seconds=seconds,
        samples_per_second=watch.batches * hyper.batch_size / seconds,
        evaluation=evaluate(training_set, "val", predicted),
        predicted=predicted,
        cost=network_cost(model, contract),
    )


def _deterministic() -> bool:
    """Whether TensorFlow is bound to deterministic operations; Keras would leave XLA away with a warning only."""
    from tensorflow.python.framework.config import is_op_determinism_enabled  # as Keras does; nothing public tells

    return bool(is_op_determinism_enabled())


def _compile(
    model: "keras.Model", spec: ActionSpec, hyper: HyperParameters, all_reduce: AllReduce | None = None
) -> None:
    """One loss for each head, and Adam.

    Each loss is a metric too: where batches differ in size, as the last one of a split does, Keras adds the losses of
    single heads up as if they did not.
    """
    import keras

    kinds = losses(spec, hyper)
    model.compile(
        all_reduce.adam(hyper.learning_rate) if all_reduce else keras.optimizers.Adam(hyper.learning_rate),
        loss={name: kind() for name, kind in kinds.items()},
        loss_weights=dict.fromkeys(spec.axes, 1.0) | dict.fromkeys(spec.buttons, hyper.button_loss_weight),
        weighted_metrics={
            name: [keras.metrics.MeanMetricWrapper(kind(reduction="none"), _HEAD_LOSS)] for name, kind in kinds.items()
        },
        jit_compile=hyper.xla,
    )
    model.optimizer.build(model.trainable_variables)  # else the training step is traced twice, a second each


def learning_rate(hyper: HyperParameters, done: float) -> float:
    """The rate when the share `done` of a run is over: half a cosine from the first rate to the last."""
    fall = (1 - math.cos(math.pi * min(1.0, done))) / 2
    return hyper.learning_rate * (1 - fall * (1 - hyper.final_learning_rate))


class _Watch:
    """Sees every batch and epoch: keeps the history, tells the caller, ends the run when time is up or loss is lost."""

    def __init__(
        self,
        model: "keras.Model",
        spec: ActionSpec,
        hyper: HyperParameters,
        steps: int,
        on_epoch: Callable[[int, Figures], None] | None,
        on_batch: Callable[[Progress], None] | None,
    ) -> None:
        self.history: list[Figures] = []
        self.batches = 0
        self._model, self._spec, self._hyper, self._steps = model, spec, hyper, steps
        self._on_epoch, self._on_batch = on_epoch, on_batch
        self._began = time.monotonic()
        self._late = False

    def callback(self) -> "keras.callbacks.Callback":
        import keras

        return keras.callbacks.LambdaCallback(
            on_train_batch_begin=self._batch_begins,
            on_train_batch_end=self._batch_ended,
            on_epoch_end=self._epoch_ended,
        )

    def ended(self) -> str:
        """Why the run is over."""
        if self._late:
            return "time budget"
        return "all epochs" if len(self.history) == self._hyper.epochs else "no better"

    def _time_used(self) -> float:
        """The share of the minutes that is over; 0 where there is no limit."""
        limit = self._hyper.max_minutes
        return (time.monotonic() - self._began) / 60 / limit if limit else 0.0

    def _batch_begins(self, batch: int, logs: dict[str, Any]) -> None:  # noqa: ARG002 - Keras's signature
        done = max(self.batches / (self._steps * self._hyper.epochs), self._time_used())
        self._model.optimizer.learning_rate.assign(learning_rate(self._hyper, done))

    def _batch_ended(self, batch: int, logs: dict[str, Any]) -> None:
        self.batches += 1
        loss = self._finite("loss", logs["loss"])
        if self._on_batch:
            self._on_batch(Progress(len(self.history) + 1, self._hyper.epochs, batch + 1, self._steps, loss))
        if self._time_used() >= 1:
            self._late = True
            self._model.stop_training = True

    def _epoch_ended(self, epoch: int, logs: dict[str, Any]) -> None:
        figures: Figures = {}
        for side in ("", "val_"):
            figures[f"{side}loss"] = self._finite(f"{side}loss", logs[f"{side}loss"])
            for name in self._spec.names:
                # of a single head Keras leaves the name away
                key = f"{name}_{_HEAD_LOSS}" if len(self._spec) > 1 else _HEAD_LOSS
                figures[f"{side}{name}_loss"] = self._finite(f"{side}{name}_loss", logs[side + key])
        self.history.append(figures)
        if self._on_epoch:
            self._on_epoch(epoch + 1, self.history[-1])

    def _finite(self, name: str, value: float) -> float:
        if not math.isfinite(value):
            raise KartError(
                f"The {name} became {value} in epoch {len(self.history) + 1}, after {self.batches} batches; "
                f"use a smaller learning rate than {self._hyper.learning_rate:g}."
            )
        return float(value)
