"""A recurrent network: one small convolutional network for every frame of the stack, then a GRU over the frames.

The GRU is that of Cho et al., arXiv:1406.1078 (2014). It begins anew with each stack, so the player needs to carry no
state along and a row of a training set is all that it learns from.
"""

from typing import Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError

_CONVOLUTIONS = ((16, 5, 2), (32, 3, 2), (32, 3, 2), (32, 3, 2))  # (filters, kernel edge, stride)
_FRAME_FEATURES = 64
_MEMORY = 64
_DENSE = 64


def look(x: Any, contract: Contract) -> Any:
    """What the GRU knows after the newest frame.

    Raises:
        KartError: the contract shows one frame at a time.
    """
    import keras

    if contract.stack < 2:
        raise KartError(
            "The network 'recurrent' reads a stack of frames, and the contract's stack is 1; set it to 2 or more in "
            "contracts.toml, or choose another network."
        )
    height, width, stack, channels = contract.height, contract.width, contract.stack, contract.channels
    x = keras.layers.Reshape((height, width, stack, channels), name="recurrent-frames")(x)
    x = keras.layers.Permute((3, 1, 2, 4), name="recurrent-by-frame")(x)
    x = keras.layers.TimeDistributed(_frame_network((height, width, channels)), name="recurrent-each")(x)
    # a stack is short: its steps one after the other are faster than a loop in the graph
    return keras.layers.GRU(_MEMORY, unroll=True, name="recurrent-memory")(x)


def decide(x: Any, dropout: float) -> Any:
    """One dense layer."""
    import keras

    x = keras.layers.Dense(_DENSE, activation="elu", name="recurrent-dense")(x)
    return keras.layers.Dropout(dropout, name="recurrent-dropout")(x) if dropout else x


def _frame_network(shape: tuple[int, int, int]) -> Any:
    import keras

    frame = keras.Input(shape, name="recurrent-frame")
    x = frame
    for number, (filters, kernel, stride) in enumerate(_CONVOLUTIONS, 1):
        x = keras.layers.Conv2D(filters, kernel, stride, "same", activation="elu", name=f"recurrent-conv{number}")(x)
    x = keras.layers.Flatten(name="recurrent-flat")(x)
    x = keras.layers.Dense(_FRAME_FEATURES, activation="elu", name="recurrent-features")(x)
    return keras.Model(frame, x, name="recurrent-frame-network")
