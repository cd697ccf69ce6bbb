"""A network's answers as numbers: one frame at a time for the player, whole splits for evaluation."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.heads import decode

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Vector = npt.NDArray[np.float32]
Predict = Callable[[npt.NDArray[np.uint8]], Vector]


def predictor(model: "keras.Model", contract: Contract, *, xla: bool = False) -> Predict:
    """The fast way to ask for one frame: a traced graph, already run once (0.6 ms against 105 ms of `model.predict`).

    Args:
        model: the network.
        contract: what it reads and gives.
        xla: compile the graph with XLA: seconds at the start, and fewer, larger steps for each frame.

    Returns:
        A function from uint8 `contract.input_shape` to float32 `(len(spec),)` in the spec's order, as `heads.decode`
        gives them; `spec.clipped` makes the action of it.

    Raises:
        KartError: the model does not read or give what the contract says.
    """
    import tensorflow as tf

    graph = answer_graph(model, contract, xla=xla)

    def predict(frame: npt.NDArray[np.uint8]) -> Vector:
        vector: Vector = graph(tf.convert_to_tensor(frame[None], tf.uint8)).numpy()
        return vector

    predict(np.zeros(contract.input_shape, np.uint8))
    return predict


def answer_graph(model: "keras.Model", contract: Contract, *, xla: bool = False) -> Any:
    """Network and `heads.decode` as one `tf.function`: what every runtime runs, so that none decodes by itself.

    Returns:
        From uint8 `(1, *contract.input_shape)` to float32 `(len(spec),)`; not traced yet.

    Raises:
        KartError: the model does not read or give what the contract says.
    """
    import tensorflow as tf

    check_network(model, contract)
    spec = contract.spec

    def answer(batch: tf.Tensor) -> tf.Tensor:
        return decode(model(batch, training=False), spec)[0]

    signature = [tf.TensorSpec((1, *contract.input_shape), tf.uint8)]
    # no Python control flow to convert: AutoGraph would only cost time and leave files in the temporary folder
    return tf.function(answer, input_signature=signature, autograph=False, jit_compile=xla or None)


def predict_batches(model: "keras.Model", batches: "tf.data.Dataset", spec: ActionSpec) -> Vector:
    """Answers to all rows of `batches`: float32 `(n, len(spec))`, as `heads.decode` gives them."""
    vectors: Vector = np.asarray(decode(model.predict(batches, verbose=0), spec))
    return vectors


def check_network(model: "keras.Model", contract: Contract) -> None:
    """Raise KartError unless `model` reads the contract's input and has exactly its channels as heads."""
    heads = set(model.output) if isinstance(model.output, dict) else set()
    if tuple(model.input_shape) != (None, *contract.input_shape) or heads != set(contract.spec.names):
        raise KartError(
            f"The network maps {tuple(model.input_shape)[1:]} to {', '.join(sorted(heads)) or 'no named heads'}, its "
            f"contract {contract.input_shape} to {', '.join(contract.spec.names)}; train it again."
        )
    for name in contract.spec.buttons:
        if (units := model.output[name].shape[-1]) != 1:
            raise KartError(f"The network's head {name!r} has {units} units; a button has one. Train it again.")
