"""From memory-mapped frames to batches: what `keras.Model.fit` reads, with memory flat in the number of frames."""

import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.prepare import stack_steps
from kart_pipeline.datasets.split import Side
from kart_pipeline.datasets.training_set import RowSet, TrainingSet
from kart_pipeline.learning.augment import augment
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.workers import ALONE, Share

if TYPE_CHECKING:
    import tensorflow as tf

HAS_XLA = sys.platform == "linux"  # TensorFlow's packages for Windows and macOS have none for their processors
WORTH_COMPILING = 100  # batches: XLA compiles for a second and saves some 10 ms of each
OPEN_SESSIONS = 128  # maps kept open: each holds a file descriptor, and macOS gives a process 256 of them

Images = npt.NDArray[np.uint8]


class BatchReader:
    """Gathers rows of a training set, each as the network's input, from the memory-mapped frames of its sessions."""

    def __init__(self, training_set: TrainingSet) -> None:
        self._contract = training_set.contract
        self._frames = lru_cache(maxsize=OPEN_SESSIONS)(training_set.frames)

    def read(self, session_index: npt.NDArray[np.integer], row: npt.NDArray[np.integer]) -> Images:
        """Read some rows.

        Args:
            session_index: `(n,)`, which session of the training set.
            row: `(n,)`, which frame of it.

        Returns:
            uint8 `(n, *contract.input_shape)`; a stack never reaches into another session.
        """
        channels = self._contract.channels
        images = np.empty((len(row), *self._contract.input_shape), np.uint8)
        for session in np.unique(session_index):
            here = np.flatnonzero(session_index == session)
            frames = self._frames(int(session))
            steps = stack_steps(self._contract, row[here])
            for place in range(self._contract.stack):
                images[here, :, :, place * channels : (place + 1) * channels] = frames[steps[:, place]]
        return images


def shuffled(count: int, batch_size: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Row numbers of full batches, without end: every row comes once before any comes again."""
    rng = np.random.default_rng(seed)
    pending = np.empty(0, np.int64)
    while True:
        while len(pending) < batch_size:
            pending = np.concatenate([pending, rng.permutation(count)])
        yield pending[:batch_size]
        pending = pending[batch_size:]


def training_batches(training_set: TrainingSet, hyper: HyperParameters, share: Share = ALONE) -> "tf.data.Dataset":
    """Endless shuffled, augmented batches `(images, {channel: labels (N, 1)}, weights (N,))` of the training rows.

    Args:
        training_set: to learn from.
        hyper: says how.
        share: which rows of each batch; all workers go through the same batches.

    Raises:
        KartError: there are no training rows, a batch cannot be shared, or history is to be dropped where the contract
            has none.
    """
    import tensorflow as tf

    contract = training_set.contract
    if hyper.history_dropout and contract.stack == 1:
        raise KartError(
            "history_dropout changes the older frames of a stack, and the contract's stack is 1; set history_dropout "
            "to 0, or stack to 2 or more in contracts.toml."
        )
    rows = some_rows(training_set, "train")
    reader = BatchReader(training_set)

    def batches() -> Iterator[tuple[Images, npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        for batch in shuffled(len(rows), hyper.batch_size, hyper.seed):
            pick = batch[share.index :: share.count]
            yield reader.read(rows.session_index[pick], rows.row[pick]), rows.labels[pick], rows.weight[pick]

    size = share.rows(hyper)
    signature = (
        tf.TensorSpec((size, *contract.input_shape), tf.uint8),
        tf.TensorSpec((size, len(contract.spec)), tf.float32),
        tf.TensorSpec((size,), tf.float32),
    )

    planned = hyper.epochs * (hyper.steps_per_epoch or -(-len(rows) // hyper.batch_size))
    compiled = HAS_XLA and planned > WORTH_COMPILING

    def prepared(step: "tf.Tensor", batch: "tuple[tf.Tensor, ...]") -> "tuple[object, ...]":
        step = step * share.count + share.index  # else all workers would change their rows alike
        images = without_history(batch[0], step, contract, hyper) if hyper.history_dropout else batch[0]
        images, labels = augment(images, batch[1], step, contract, hyper, compiled=compiled)
        return images, per_head(labels, contract.spec), batch[2]

    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).enumerate()
    return untuned(dataset.map(_as_it_is(prepared), num_parallel_calls=2, deterministic=True).prefetch(2))


def without_history(images: "tf.Tensor", step: "tf.Tensor", contract: Contract, hyper: HyperParameters) -> "tf.Tensor":
    """Stacks of a batch, some of which at random show their newest frame only.

    After the dropout of the past in ChauffeurNet (Bansal et al., 2018, arXiv:1812.03079), against a network that goes
    on with the motion that it sees.

    Args:
        images: uint8 `(N, *contract.input_shape)`.
        step: int64 scalar, the batch's number; with `hyper.seed` it decides which.
        contract: of the stack.
        hyper: says how often.

    Returns:
        The same shape and dtype.
    """
    import tensorflow as tf

    seed = tf.stack([tf.constant(hyper.seed, tf.int64), tf.cast(step, tf.int64)])
    # other numbers than the augmentation draws from the same seed
    draws = tf.random.stateless_uniform((tf.shape(images)[0],), tf.random.fold_in(seed, 1))
    newest = tf.tile(images[..., -contract.channels :], (1, 1, 1, contract.stack))
    return tf.where((draws < hyper.history_dropout)[:, None, None, None], newest, images)


def ordered_batches(training_set: TrainingSet, split: Side, batch_size: int) -> "tf.data.Dataset":
    """The rows of a split once, in their order, unchanged and unweighted: `(images, {channel: labels (N, 1)})`.

    Raises:
        KartError: the split has no rows.
    """
    import tensorflow as tf

    contract = training_set.contract
    rows = some_rows(training_set, split)
    reader = BatchReader(training_set)

    def batches() -> Iterator[tuple[Images, npt.NDArray[np.float32]]]:
        for start in range(0, len(rows), batch_size):
            part = slice(start, start + batch_size)
            yield reader.read(rows.session_index[part], rows.row[part]), rows.labels[part]

    signature = (
        tf.TensorSpec((None, *contract.input_shape), tf.uint8),
        tf.TensorSpec((None, len(contract.spec)), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    dataset = dataset.map(_as_it_is(lambda images, labels: (images, per_head(labels, contract.spec))))
    # told so that Keras neither guesses nor warns where a set ends
    return untuned(dataset.apply(tf.data.experimental.assert_cardinality(-(-len(rows) // batch_size))).prefetch(2))


def untuned(dataset: "tf.data.Dataset") -> "tf.data.Dataset":
    """The same without tf.data's tuner, which has nothing to choose here: threads and buffers are fixed.

    Its thread sleeps for 10 ms, then twice as long each time, up to a minute (`Model::OptimizeLoop` in TensorFlow's
    core/framework/model.cc), and who lets go of an iterator waits until it wakes: 45 steps of 8.7 s took 10.3.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Not to be converted by AutoGraph: without Python control flow that only costs time, and leaves files in /tmp."""
    import tensorflow as tf

    unconverted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(function)
    return unconverted


def per_head(labels: "tf.Tensor", spec: ActionSpec) -> "dict[str, tf.Tensor]":
    """Labels `(N, channels)` as the network's heads give them: `{channel: (N, 1)}`."""
    return {name: labels[:, place : place + 1] for place, name in enumerate(spec.names)}


def some_rows(training_set: TrainingSet, split: Side) -> RowSet:
    """The rows of a split, or KartError where it has none or a label or weight is not finite."""
    rows = training_set.rows(split)
    if not len(rows):
        purpose = "learn from" if split == "train" else "hold out"
        raise KartError(f"The training set of {training_set.game} has no rows to {purpose}; record more sessions.")
    if not (np.isfinite(rows.labels).all() and np.isfinite(rows.weight).all()):
        raise KartError(f"A label or weight of split {split!r} of {training_set.game} is not finite; build it anew.")
    return rows
