"""Beginning a training with the weights of another: only where every weight means the same in both networks."""

from typing import TYPE_CHECKING

from kart_pipeline.core.errors import KartError

if TYPE_CHECKING:
    import keras


def begin_from(start: "keras.Model", network: "keras.Model") -> None:
    """Copy the weights of `start` into the fresh `network`.

    Rates of dropout may differ. How pixels were prepared is not written in a network: whether both saw them through
    one contract is known to who has both contracts.

    Raises:
        KartError: they are networks of other names, read other inputs or give other heads; it says which.
    """
    differences = []
    if start.name != network.name:
        differences.append(f"is a {start.name}, not a {network.name}")
    if start.input_shape != network.input_shape:
        differences.append(f"reads {_times(start.input_shape)}, not {_times(network.input_shape)}")
    if _heads(start) != _heads(network):
        differences.append(f"gives {_heads(start)}, not {_heads(network)}")
    # two insets can have the same outer size, and two releases of one network other layers
    if not differences and [w.shape for w in start.weights] != [w.shape for w in network.weights]:
        differences.append("has layers of other sizes")
    if differences:
        raise KartError(f"The model to begin with {', '.join(differences)}; train without it, from nothing.")
    network.set_weights(start.get_weights())


def _times(shape: tuple[int | None, ...]) -> str:
    return "x".join(str(length) for length in shape[1:])


def _heads(model: "keras.Model") -> str:
    """`steer (21 bins), gas, A` in the order of the names, which says all that decides what a head's output means."""
    if not isinstance(model.output, dict):
        return "no named heads"
    units = {name: model.output[name].shape[-1] for name in sorted(model.output)}
    return ", ".join(name if count == 1 else f"{name} ({count} bins)" for name, count in units.items())
