"""The networks that can be trained, by name, and the one way in which a network meets a contract."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.heads import head_units
from kart_pipeline.learning.networks import inset, pilotnet, recurrent, residual

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Network:
    """A network without its input and its heads.

    Attributes:
        look: (main picture as floats `(N, height, width, channels * stack)`, contract) -> features `(N, n)`.
        decide: (features `(N, n)`, dropout) -> what the heads read, `(N, units)`.
    """

    look: Callable[[Any, Contract], Any]
    decide: Callable[[Any, float], Any]


NETWORKS = {
    "pilotnet": Network(pilotnet.look, pilotnet.decide),
    "residual": Network(residual.look, residual.decide),
    "recurrent": Network(recurrent.look, recurrent.decide),
}

# The Keras layers that networks may be made of: a model file that names another one is refused before it is loaded.
LAYERS = {
    *("InputLayer", "Rescaling", "Cropping2D", "Concatenate", "Add", "Reshape", "Permute", "Flatten"),
    *("Conv2D", "ReLU", "Dense", "Dropout", "TimeDistributed", "GRU"),
}


def build_network(
    name: str, contract: Contract, *, dropout: float = 0.0, bins: int | None = None, precision: str = "float32"
) -> "keras.Model":
    """A fresh network that reads what `contract` prepares and has one head for each channel of its spec.

    No network normalises by batch: all train without, answer alike while training and driving, and lose no time.

    Args:
        name: one of `NETWORKS`.
        contract: gives the input's size and the heads.
        dropout: rate after each dense layer of the trunk.
        bins: logits of each axis's head; None makes it one number. See `heads`.
        precision: Keras' dtype policy; weights and heads are float32 in each.

    Returns:
        A Keras model from uint8 `(N, *contract.input_shape)` to a dict `{channel: float32 (N, units)}`: axes as they
        are (not limited to [-1, 1]) or logits of bins, buttons as logits; `heads.decode` makes numbers of them. Pixels
        are scaled to [-1, 1] inside, as in PilotNet's first layer, so nobody outside can scale them differently.

    Raises:
        KartError: there is no such network, the contract's input does not suit it, or a channel cannot be a head's
            name.
    """
    import keras

    if name not in NETWORKS:
        raise KartError(f"There is no network {name!r}; choose one of {', '.join(sorted(NETWORKS))}.")
    if clash := [channel for channel in contract.spec.names if channel == "val" or channel.startswith("val_")]:
        raise KartError(f"Channel {clash[0]!r} would share a name with Keras' validation figures; call it otherwise.")
    network = NETWORKS[name]
    with _computing_in(precision):
        # A channel's name never holds '-', so a layer called by these names never collides with a head.
        frame = keras.Input(contract.input_shape, dtype="uint8", name="input-frame")
        scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="input-scaled")(frame)
        if contract.inset is None:
            features = network.look(scaled, contract)
        else:
            main, tile = inset.split(scaled, contract, contract.inset)
            parts = [network.look(main, contract), inset.look(tile)]
            features = keras.layers.Concatenate(name="input-features")(parts)
        trunk = network.decide(features, dropout)
        units = head_units(contract.spec, bins)
        heads = {
            channel: keras.layers.Dense(units[channel], name=channel, dtype="float32")(trunk)
            for channel in contract.spec.names
        }
        return keras.Model(frame, heads, name=name)


@contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    """Let the layers that are made in this block compute in `precision`."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
