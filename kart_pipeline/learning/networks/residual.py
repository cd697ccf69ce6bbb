"""A small residual network after the large one of IMPALA: Espeholt et al., arXiv:1802.01561 (2018), figure 3.

As there, sections of a convolution that halves the picture and of residual blocks with the activation first, then one
dense layer of 256. Two changes make it fast on a CPU: strided convolutions halve the picture, where the paper pools
after a convolution in full size, and each section has one block in place of two.
"""

from typing import Any

from kart_pipeline.core.contract import Contract

_SECTIONS = ((16, 5), (32, 3), (32, 3), (64, 3))  # (filters, kernel edge of the halving convolution)
_DENSE = 256


def look(x: Any, contract: Contract) -> Any:  # noqa: ARG001 - every picture suits it
    """The sections, flat: features of a sixteenth of the picture's height and width."""
    import keras

    for number, (filters, kernel) in enumerate(_SECTIONS, 1):
        stem = f"residual-section{number}"
        x = keras.layers.Conv2D(filters, kernel, 2, "same", name=f"{stem}-half")(x)
        inner = keras.layers.ReLU(name=f"{stem}-relu1")(x)
        inner = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{stem}-conv1")(inner)
        inner = keras.layers.Conv2D(filters, 3, padding="same", name=f"{stem}-conv2")(inner)
        x = keras.layers.Add(name=f"{stem}-sum")([x, inner])
    x = keras.layers.ReLU(name="residual-relu")(x)
    return keras.layers.Flatten(name="residual-flat")(x)


def decide(x: Any, dropout: float) -> Any:
    """One dense layer."""
    import keras

    x = keras.layers.Dense(_DENSE, activation="relu", name="residual-dense")(x)
    return keras.layers.Dropout(dropout, name="residual-dropout")(x) if dropout else x
