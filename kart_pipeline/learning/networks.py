"""The networks that can be trained, by name, and the one way in which a network meets a contract."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.heads import head_units

if TYPE_CHECKING:
    import keras

# (filters, kernel edge, stride) of PilotNet's valid convolutions.
_PILOTNET_CONVOLUTIONS = ((24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1))
_PILOTNET_DENSE = (100, 50, 10)


def build_network(name: str, contract: Contract, *, dropout: float = 0.0, bins: int | None = None) -> "keras.Model":
    """A fresh network that reads what `contract` prepares and has one head for each channel of its spec.

    Args:
        name: one of `NETWORKS`.
        contract: gives the input's size and the heads.
        dropout: rate after each dense layer of the trunk.
        bins: logits of each axis's head; None makes it one number. See `heads`.

    Returns:
        A Keras model from uint8 `(N, *contract.input_shape)` to a dict `{channel: float32 (N, units)}`: axes as they
        are (not limited to [-1, 1]) or logits of bins, buttons as logits; `heads.decode` makes numbers of them. Pixels
        are scaled to [-1, 1] inside, as in PilotNet's first layer, so nobody outside can scale them differently.

    Raises:
        KartError: there is no such network, the input is too small for it, or a channel cannot be a head's name.
    """
    import keras

    if name not in NETWORKS:
        raise KartError(f"There is no network {name!r}; choose one of {', '.join(sorted(NETWORKS))}.")
    if clash := [channel for channel in contract.spec.names if channel == "val" or channel.startswith("val_")]:
        raise KartError(f"Channel {clash[0]!r} would share a name with Keras' validation figures; call it otherwise.")
    # A channel's name never holds '-', so a layer called by these names never collides with a head.
    frame = keras.Input(contract.input_shape, dtype="uint8", name="input-frame")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="input-scaled")(frame)
    trunk = NETWORKS[name](scaled, contract, dropout)
    units = head_units(contract.spec, bins)
    heads = {channel: keras.layers.Dense(units[channel], name=channel)(trunk) for channel in contract.spec.names}
    return keras.Model(frame, heads, name=name)


def smallest_edge(convolutions: tuple[tuple[int, int, int], ...]) -> int:
    """The least height and width, in pixels, that valid `(filters, kernel, stride)` convolutions leave a pixel of."""
    edge = 1
    for _, kernel, stride in reversed(convolutions):
        edge = (edge - 1) * stride + kernel
    return edge


def _pilotnet(x: Any, contract: Contract, dropout: float) -> Any:
    """PilotNet: Bojarski et al., "End to End Learning for Self-Driving Cars", arXiv:1604.07316 (2016), figure 4.

    252,219 parameters for one head and a 200x66 input of 3 channels. The paper names no activation; ELU, which
    has no dead units, is the one that most reproductions use.
    """
    import keras

    least = smallest_edge(_PILOTNET_CONVOLUTIONS)
    if min(contract.width, contract.height) < least:
        raise KartError(
            f"PilotNet's convolutions need an input of at least {least}x{least} pixels; the contract makes "
            f"{contract.width}x{contract.height}. Enlarge its width and height."
        )
    for number, (filters, kernel, stride) in enumerate(_PILOTNET_CONVOLUTIONS, 1):
        x = keras.layers.Conv2D(filters, kernel, stride, activation="elu", name=f"pilotnet-conv{number}")(x)
    x = keras.layers.Flatten(name="pilotnet-flat")(x)
    for number, units in enumerate(_PILOTNET_DENSE, 1):
        x = keras.layers.Dense(units, activation="elu", name=f"pilotnet-dense{number}")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"pilotnet-dropout{number}")(x)
    return x


# The Keras layers that networks may be made of: a model file that names another one is refused before it is loaded.
LAYERS = {"InputLayer", "Rescaling", "Conv2D", "Flatten", "Dense", "Dropout"}

# A trunk is (scaled float input, contract, dropout) -> features (N, units).
NETWORKS: dict[str, Callable[[Any, Contract, float], Any]] = {"pilotnet": _pilotnet}
