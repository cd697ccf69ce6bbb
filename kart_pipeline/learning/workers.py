"""One training in several processes, on this machine or others: each takes its share of every batch.

    TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 1}}' \
        python -m kart_pipeline.learning.worker training_set.parquet --hyper '{"network": "residual"}'

The processes are told of each other by TF_CONFIG, as TensorFlow's own strategies are. Worker 0 is the one that Dagster
runs; the others have the same command line but for their index, and give nothing but their share. On a machine with
several GPUs there is a worker for each (CUDA_VISIBLE_DEVICES).

Keras's `fit` does not work under MultiWorkerMirroredStrategy (Keras 3.15, https://github.com/keras-team/keras/issues/20585).
So each worker fits a network of its own, and only the gradients are made one, by that strategy's all-reduce: what all
workers add to equal weights is equal, and the weights stay so.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.hyper import HyperParameters

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of each batch is this process's.

    Attributes:
        index: of this worker.
        count: of all of them.
    """

    index: int = 0
    count: int = 1

    def rows(self, hyper: HyperParameters) -> int:
        """Of a batch.

        Raises:
            KartError: a batch cannot be shared equally, or something is asked for that workers cannot agree on.
        """
        if hyper.batch_size % self.count:
            raise KartError(f"A batch of {hyper.batch_size} cannot be shared equally by {self.count} workers.")
        if self.count > 1 and hyper.max_minutes is not None:
            raise KartError("Workers do not agree on when minutes are over; set epochs in place of max_minutes.")
        return hyper.batch_size // self.count


ALONE = Share()


def share_of_environment() -> Share:
    """What TF_CONFIG says of this process; alone without it.

    Raises:
        KartError: it is not what TensorFlow expects there.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return ALONE
    try:
        data = json.loads(text)
        workers, task = data["cluster"]["worker"], data["task"]
        index = int(task["index"])
        if task["type"] != "worker" or not 0 <= index < len(workers):
            raise ValueError(f"there is no {task['type']} {index}")
    except (KeyError, TypeError, ValueError) as error:
        raise KartError(
            f"TF_CONFIG is not what TensorFlow expects ({error!r}): it names a cluster of workers by host:port, and "
            "which of them this process is."
        ) from error
    return Share(index, len(workers))


class AllReduce:
    """The mean over all workers; to be made before TensorFlow has done anything else in the process.

    Raises:
        KartError: it has.
    """

    def __init__(self) -> None:
        import tensorflow as tf

        try:
            self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:
            raise KartError(
                f"This process cannot be a worker any more ({error}); train in one of its own, as Dagster does."
            ) from error

    def mean(self, tensors: Sequence[Any]) -> list[Any]:
        """Of each tensor; in eager code and in a graph."""
        import tensorflow as tf

        def reduced(*mine: Any) -> list[Any]:
            here = [tf.identity(one) for one in mine]  # made in here, for it asks on which device they are
            context = tf.distribute.get_replica_context()
            return list(context.all_reduce(tf.distribute.ReduceOp.MEAN, here))

        return list(self._strategy.run(reduced, args=tuple(tensors)))

    def level(self, model: "keras.Model") -> None:
        """Give all workers the same weights: their mean, for they come from one seed but perhaps unlike machines."""
        import tensorflow as tf

        mean = tf.function(self.mean)([tf.convert_to_tensor(weight) for weight in model.weights])
        for variable, value in zip(model.weights, mean, strict=True):
            variable.assign(value)

    def adam(self, rate: float) -> "keras.optimizers.Optimizer":
        """Adam on the mean of the workers' gradients."""
        import keras

        mean = self.mean

        class SharedAdam(keras.optimizers.Adam):  # type: ignore[misc]
            """Its weights move alike in all workers."""

            def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
                return super().apply(mean(grads), trainable_variables)

        return SharedAdam(rate)


@contextmanager
def together() -> Iterator[None]:
    """What TensorFlow says where another worker has gone, as a sentence.

    Raises:
        KartError: one has.
    """
    from tensorflow import errors

    try:
        yield
    except (errors.UnavailableError, errors.AbortedError, errors.InternalError, errors.CancelledError) as error:
        raise KartError(
            f"Another worker has gone or cannot be reached ({str(error).splitlines()[0]}); start all of them again."
        ) from error
