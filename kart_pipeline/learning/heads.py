"""What heads say and how they learn it: an axis is one number or a distribution over bins, a button is one logit.

A head of several units holds logits over bins whose centres lie equally spaced in [-1, 1]. Where a driver may pass an
obstacle on either side, squared error teaches the mean of left and right, which is the obstacle; a distribution keeps
both, and `decode` chooses one.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.learning.hyper import HyperParameters

if TYPE_CHECKING:
    import keras

HUBER_DELTA = 0.25  # of the stick's half range
_TINY = 1e-9  # keeps logarithms and quotients finite


def head_units(spec: ActionSpec, bins: int | None) -> dict[str, int]:
    """Outputs of each channel's head: `bins` or, where that is None, 1 for an axis, and 1 for a button."""
    return dict.fromkeys(spec.axes, bins or 1) | dict.fromkeys(spec.buttons, 1)


def centres(bins: int) -> Any:
    """Values that the bins stand for: float32 tensor `(bins,)` from -1 to 1."""
    from keras import ops

    return ops.linspace(-1.0, 1.0, bins, dtype="float32")


def two_hot(values: Any, bins: int) -> Any:
    """Values as distributions, each over the two bins beside it, so that its expectation is the value.

    The representation of MuZero's values (Schrittwieser et al., 2020, arXiv:1911.08265, appendix F) and of DreamerV3
    (Hafner et al., 2023, arXiv:2301.04104), on a linear scale.

    Args:
        values: float `(N, 1)`; what lies outside of [-1, 1] counts as its end.
        bins: how many.

    Returns:
        A float32 tensor `(N, bins)`, rows of sum 1.
    """
    from keras import ops

    place = (ops.clip(ops.cast(values, "float32"), -1.0, 1.0) + 1) * (bins - 1) / 2
    return ops.relu(1 - ops.abs(place - ops.arange(bins, dtype="float32")))


def decode_bins(logits: Any) -> Any:
    """One value of each distribution: its expectation within a window around its mode, so never between two peaks.

    The mode is sought in the distribution smoothed with (1, 2, 1) / 4, so that a value half-way between two centres,
    which has its mass in both, weighs as much as one on a centre. Between the centres it is the vertex of a parabola
    through the logarithms beside it, which finds a Gaussian's mean: were the window to jump from centre to centre, so
    would the steering of a network that is unsure. The window reaches a tenth of the bins to both sides, and less and
    less for one bin more.

    Args:
        logits: float `(N, bins)`.

    Returns:
        A float32 tensor `(N, 1)` within [-1, 1].
    """
    from keras import ops

    bins = logits.shape[-1]
    shares = ops.softmax(ops.cast(logits, "float32"), axis=-1)
    padded = ops.pad(shares, ((0, 0), (1, 1)))
    smooth = ops.log(ops.pad(padded[:, :-2] + 2 * shares + padded[:, 2:], ((0, 0), (1, 1))) + _TINY)
    # Keras' argmax takes floats apart into bits, which neither LiteRT nor ONNX can.
    mode = ops.cast(ops.top_k(smooth[:, 1:-1], 1)[1], "int32")
    beside = ops.take_along_axis(smooth, mode + ops.arange(3, dtype="int32"), axis=-1)
    left, middle, right = beside[:, :1], beside[:, 1:2], beside[:, 2:]
    vertex = ops.clip((left - right) / (2 * ops.minimum(left - 2 * middle + right, -_TINY)), -0.5, 0.5)
    distance = ops.abs(ops.arange(bins, dtype="float32") - ops.cast(mode, "float32") - vertex)
    window = shares * ops.clip(max(1, bins // 10) + 1 - distance, 0.0, 1.0)
    return ops.sum(window * centres(bins), axis=-1, keepdims=True) / ops.sum(window, axis=-1, keepdims=True)


def decode(heads: Mapping[str, Any], spec: ActionSpec) -> Any:
    """A network's answer as numbers, whatever its heads are.

    Args:
        heads: `{channel: (N, units)}`, tensors within a `tf.function` or arrays of `model.predict`.
        spec: gives the order, and which channels are buttons.

    Returns:
        A float32 tensor `(N, len(spec))`: axes, those of regression as they are and those of bins within [-1, 1]; then
        buttons as probabilities.
    """
    from keras import ops

    axes = [heads[name] if heads[name].shape[-1] == 1 else decode_bins(heads[name]) for name in spec.axes]
    return ops.concatenate([*axes, *(ops.sigmoid(heads[name]) for name in spec.buttons)], axis=-1)


def losses(spec: ActionSpec, hyper: HyperParameters) -> dict[str, "Callable[..., keras.losses.Loss]"]:
    """How each head's loss is made, by channel: of an axis as `hyper` says, of a button the binary cross-entropy.

    All compare labels `(N, 1)` with what the head gives; of bins it is the cross-entropy in nats against `two_hot`.
    """
    import keras

    class TwoHotCrossEntropy(keras.losses.CategoricalCrossentropy):  # type: ignore[misc]
        """Of labels that are values."""

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return super().call(two_hot(y_true, y_pred.shape[-1]), y_pred)

    axis_losses: dict[str, Callable[..., keras.losses.Loss]] = {
        "mse": keras.losses.MeanSquaredError,
        "mae": keras.losses.MeanAbsoluteError,
        "huber": partial(keras.losses.Huber, HUBER_DELTA),
    }
    axis = axis_losses[hyper.axis_loss]
    if hyper.axis_head == "bins":
        axis = partial(TwoHotCrossEntropy, from_logits=True)
    button = partial(keras.losses.BinaryCrossentropy, from_logits=True)
    return dict.fromkeys(spec.axes, axis) | dict.fromkeys(spec.buttons, button)
