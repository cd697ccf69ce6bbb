"""PilotNet: Bojarski et al., "End to End Learning for Self-Driving Cars", arXiv:1604.07316 (2016), figure 4.

252,219 parameters for one head and a 200x66 input of 3 channels. The paper names no activation; ELU, which has no dead
units, is the one that most reproductions use.
"""

from typing import Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError

# (filters, kernel edge, stride) of the valid convolutions.
_CONVOLUTIONS = ((24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1))
_DENSE = (100, 50, 10)


def look(x: Any, contract: Contract) -> Any:
    """The five convolutions, flat.

    Raises:
        KartError: the picture is too small for them.
    """
    import keras

    least = smallest_edge(_CONVOLUTIONS)
    if min(contract.width, contract.height) < least:
        raise KartError(
            f"PilotNet's convolutions need an input of at least {least}x{least} pixels; the contract makes "
            f"{contract.width}x{contract.height}. Enlarge its width and height."
        )
    for number, (filters, kernel, stride) in enumerate(_CONVOLUTIONS, 1):
        x = keras.layers.Conv2D(filters, kernel, stride, activation="elu", name=f"pilotnet-conv{number}")(x)
    return keras.layers.Flatten(name="pilotnet-flat")(x)


def decide(x: Any, dropout: float) -> Any:
    """The three dense layers before the output."""
    import keras

    for number, units in enumerate(_DENSE, 1):
        x = keras.layers.Dense(units, activation="elu", name=f"pilotnet-dense{number}")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"pilotnet-dropout{number}")(x)
    return x


def smallest_edge(convolutions: tuple[tuple[int, int, int], ...]) -> int:
    """The least height and width, in pixels, that valid `(filters, kernel, stride)` convolutions leave a pixel of."""
    edge = 1
    for _, kernel, stride in reversed(convolutions):
        edge = (edge - 1) * stride + kernel
    return edge
