"""Changes made to training batches, never to validation: mirror, sideways shift, hidden patches, brightness, hue.

Everything works on a whole batch in TensorFlow operations. Mirror, shift and patches are one gather of pixels, and all
frames of a stack are changed alike, because they show one scene. An inset is mirrored and brightened with the main
picture, and neither shifted nor hidden: a minimap does not move with the kart. Randomness is stateless: the same seed
and step give the same change, on any machine and in any thread.
"""

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.hyper import HyperParameters

if TYPE_CHECKING:
    import tensorflow as tf

HIDDEN = 128  # of every hidden pixel's channels: mid-grey in RGB, full-range YUV and grey alike
# YUV from RGB, full-range BT.601 as in JPEG (ITU-T T.871, section 7)
_YUV = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def check_augmentation(spec: ActionSpec, hyper: HyperParameters) -> None:
    """Raise KartError where `hyper` asks for a change whose effect on the labels the spec does not tell."""
    if (hyper.mirror or hyper.shift_correction) and not spec.mirrored_axes and not spec.mirrored_buttons:
        raise KartError(
            f"The action spec ({', '.join(spec.names)}) does not say which channels change when the picture is "
            "mirrored; name its mirrored axes, or set mirror and shift_correction to 0."
        )
    if hyper.shift_correction and not spec.mirrored_axes:
        raise KartError(
            f"The action spec ({', '.join(spec.names)}) steers with buttons, which cannot be held a little more for a "
            "shifted picture; set shift_correction to 0."
        )


def augment(
    images: "tf.Tensor",
    labels: "tf.Tensor",
    step: "tf.Tensor",
    contract: Contract,
    hyper: HyperParameters,
    *,
    compiled: bool = False,
) -> "tuple[tf.Tensor, tf.Tensor]":
    """Change a batch at random.

    Args:
        images: uint8 `(N, *contract.input_shape)`.
        labels: float32 `(N, len(contract.spec))`.
        step: int64 scalar, the batch's number; with `hyper.seed` it decides what is drawn.
        contract: says what the channels of pixels and labels are.
        hyper: says how much.
        compiled: by XLA, which does it in half of the time once it has compiled it, for a second: the same to the bit.

    Returns:
        Images and labels of the same shapes and dtypes.
    """
    import tensorflow as tf

    seed = tf.stack([tf.constant(hyper.seed, tf.int64), tf.cast(step, tf.int64)])
    # outside of what is compiled: XLA draws other numbers from the same seed
    draws = tf.random.stateless_uniform((4 + 4 * hyper.patches, tf.shape(images)[0]), seed=seed)
    change = partial(_changed, contract=contract, hyper=hyper)
    if compiled:
        change = tf.function(change, autograph=False, jit_compile=True)
    return change(images, labels, draws)


def _changed(
    images: "tf.Tensor", labels: "tf.Tensor", draws: "tf.Tensor", contract: Contract, hyper: HyperParameters
) -> "tuple[tf.Tensor, tf.Tensor]":
    """What `augment` does with uniform numbers `(4 + 4 * patches, N)`."""
    import tensorflow as tf

    mirrored = draws[0] < hyper.mirror
    shift = tf.cast(tf.round((2 * draws[1] - 1) * hyper.shift * contract.width), tf.int32)
    if hyper.mirror or hyper.shift or hyper.patches:
        hidden = patch_mask(draws[4:], contract.height, contract.width, hyper) if hyper.patches else None
        main = resample(images[:, : contract.height], source_columns(contract.width, mirrored, shift), hidden)
        if contract.inset:
            still = source_columns(contract.width, mirrored, tf.zeros_like(shift))
            main = tf.concat([main, resample(images[:, contract.height :], still)], axis=1)
        images = main
        labels = changed_labels(labels, mirrored, shift, contract, hyper.shift_correction)
    if hyper.hue and contract.channels == 3:  # grey has none
        images = turn_hue(images, (2 * draws[3] - 1) * hyper.hue * math.pi, contract)
    if hyper.brightness:
        images = brighten(images, 1 + (2 * draws[2] - 1) * hyper.brightness, contract)
    return images, labels


def source_columns(width: int, mirrored: "tf.Tensor", shift: "tf.Tensor") -> "tf.Tensor":
    """Which column each column of the new picture shows: int32 `(N, width)`.

    Args:
        width: of the picture, pixels.
        mirrored: bool `(N,)`, first left and right change places.
        shift: int32 `(N,)`, then the picture moves this many pixels to the right; its edge column is repeated.
    """
    import tensorflow as tf

    column = tf.clip_by_value(tf.range(width)[None, :] - shift[:, None], 0, width - 1)
    return tf.where(mirrored[:, None], width - 1 - column, column)


def patch_mask(draws: "tf.Tensor", height: int, width: int, hyper: HyperParameters) -> "tf.Tensor":
    """Which pixels are hidden: bool `(N, height, width)`; `draws` are uniform numbers `(4 * patches, N)`."""
    import tensorflow as tf

    def inside(length: int, edge: Any, place: Any) -> Any:
        size = edge * hyper.patch_size * length
        start = place * (length - size)
        centre = tf.range(length, dtype=tf.float32)[None, :] + 0.5
        return (centre >= start[:, None]) & (centre < (start + size)[:, None])

    hidden = tf.zeros((tf.shape(draws)[1], height, width), tf.bool)
    for patch in range(hyper.patches):
        tall, wide, top, left = tf.unstack(draws[4 * patch : 4 * patch + 4])
        hidden |= inside(height, tall, top)[:, :, None] & inside(width, wide, left)[:, None, :]
    return hidden


def resample(images: "tf.Tensor", columns: "tf.Tensor", hidden: "tf.Tensor | None" = None) -> "tf.Tensor":
    """Pictures put together anew from the given columns, `HIDDEN` where `hidden`.

    A gather of whole pixels with one grey pixel appended: 3.4 ms for 64 pictures of 200x66, against 15 ms for a
    reversal, a shift and a mask one after the other.
    """
    import tensorflow as tf

    count, height, width, channels = tf.unstack(tf.shape(images))
    row = tf.range(count * height)[:, None] * width
    pixel = tf.reshape(row, (count, height, 1)) + columns[:, None, :]
    table = tf.reshape(images, (-1, channels))
    if hidden is not None:
        table = tf.concat([table, tf.fill((1, channels), tf.constant(HIDDEN, tf.uint8))], axis=0)
        pixel = tf.where(hidden, count * height * width, pixel)
    return tf.ensure_shape(tf.gather(table, pixel), images.shape)


def changed_labels(
    labels: "tf.Tensor", mirrored: "tf.Tensor", shift: "tf.Tensor", contract: Contract, correction: float
) -> "tf.Tensor":
    """The labels `(N, channels)` that belong to pictures mirrored and then shifted `shift` pixels to the right.

    The correction is added to every mirrored axis; axes stay within [-1, 1].
    """
    import tensorflow as tf

    spec = contract.spec
    order, sign = spec.mirror_map()
    labels = tf.where(mirrored[:, None], tf.gather(labels, order, axis=1) * sign, labels)
    if correction:
        turns = tf.constant([float(name in spec.mirrored_axes) for name in spec.names])
        labels += correction * tf.cast(shift, tf.float32)[:, None] / contract.width * turns
        cut = len(spec.axes)
        labels = tf.concat([tf.clip_by_value(labels[:, :cut], -1.0, 1.0), labels[:, cut:]], axis=1)
    return labels


def brighten(images: "tf.Tensor", factor: "tf.Tensor", contract: Contract) -> "tf.Tensor":
    """Multiply the brightness of each picture by its `factor` `(N,)`, saturating; of YUV only Y is brightness."""
    import tensorflow as tf

    # one row of pixels as one axis: broadcasting over an innermost axis of 3 takes three times as long
    height, width, channels = contract.input_shape
    rows = tf.reshape(images, (-1, height, width * channels))
    brightness = [1.0, 0.0, 0.0] if contract.colour == "yuv" else [1.0] * contract.channels
    mask = tf.constant(brightness * contract.stack * contract.width)
    gain = 1 + (factor[:, None, None] - 1) * mask
    # rounded, because the cast cuts off; not saturate_cast, which also looks for values below 0
    changed = tf.minimum(tf.round(tf.cast(rows, tf.float32) * gain), 255.0)
    return tf.reshape(tf.cast(changed, tf.uint8), tf.shape(images))


def turn_hue(images: "tf.Tensor", angle: "tf.Tensor", contract: Contract) -> "tf.Tensor":
    """Turn the colours of each picture by its `angle` `(N,)`, in radians about grey in the plane of U and V.

    Light and dark stay; grey stays grey. Where a turned colour is outside RGB it is cut off.
    """
    import tensorflow as tf

    height, width, channels = contract.input_shape
    cos, sin, none = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    turn = tf.reshape(tf.stack([none + 1, none, none, none, cos, -sin, none, sin, cos], axis=1), (-1, 3, 3))
    if contract.colour == "rgb":
        turn = tf.constant(np.linalg.inv(_YUV), tf.float32) @ turn @ tf.constant(_YUV)
    pixels = tf.reshape(tf.cast(images, tf.float32) - HIDDEN, (-1, height * width * channels // 3, 3))
    turned = tf.clip_by_value(tf.round(tf.matmul(pixels, turn, transpose_b=True)) + HIDDEN, 0.0, 255.0)
    return tf.reshape(tf.cast(turned, tf.uint8), tf.shape(images))
