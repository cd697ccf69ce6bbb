"""What a network looks at: how much its answers change when a spot of the picture shows what it shows on average.

Perturbation saliency after Greydanus et al., "Visualizing and Understanding Atari Agents", arXiv:1711.00138 (2018),
equations 1 and 2, with the mean picture in place of their blurred one: where the picture is always the same, a change
cannot matter, while blurring would soften even the border of the instruments, which no network has ever seen soft. It
asks the network and looks at no layer, so it works for every network and every kind of head; gradients of small
networks that drive are clouds.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.inference import predict_batches
from kart_pipeline.learning.pipeline import untuned

if TYPE_CHECKING:
    import keras

GRID = 12  # spots in a row and in a column
RADIUS = 1 / 16  # standard deviation of a spot, in fractions of the picture's shorter edge: 5 of 80 pixels there
_BATCH = GRID * GRID + 1  # all questions about one input at once: one shape to trace

_GLOW = np.array([255, 214, 64], np.float32)

Images = npt.NDArray[np.uint8]
Influence = npt.NDArray[np.float32]


def influence(model: "keras.Model", images: Images, usual: Images, contract: Contract) -> Influence:
    """How much each answer changes when each of `GRID` x `GRID` spots shows what is usual there.

    All frames of a stack are changed at the same spot, because they show one scene.

    Args:
        model: reads and gives what the contract says.
        images: uint8 `(n, *contract.input_shape)`, to be explained.
        usual: uint8 `(m, *contract.input_shape)`, whose mean is what is usual.
        contract: says what the channels are.

    Returns:
        float32 `(n, GRID, GRID, len(spec))`: absolute changes, of buttons in probability.
    """
    import tensorflow as tf

    height, width, _ = contract.input_shape
    spots = _spots(height, width)[:, :, :, None]
    mean = usual.mean(axis=0, dtype=np.float32)
    found = np.empty((len(images), GRID, GRID, len(contract.spec)), np.float32)
    for place, image in enumerate(images):
        changed = np.rint(image + spots * (mean - image)).astype(np.uint8)
        asked = untuned(tf.data.Dataset.from_tensor_slices(np.concatenate([image[None], changed])).batch(_BATCH))
        answers = predict_batches(model, asked, contract.spec)
        found[place] = np.abs(answers[1:] - answers[0]).reshape(GRID, GRID, -1)
    return found


def lit(frame: Images, strength: npt.NDArray[np.floating[Any]]) -> Images:
    """A dark grey copy of `frame` `(h, w, 3)` that glows where `strength`, a coarse grid of 0 … 1, is high."""
    height, width = frame.shape[:2]
    coarse = Image.fromarray((strength.clip(0, 1) * 255).astype(np.uint8))
    glow = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)[..., None] / 255
    grey = frame.mean(axis=-1, keepdims=True) * 0.6
    shown: Images = (grey * (1 - 0.8 * glow) + _GLOW * 0.8 * glow).astype(np.uint8)
    return shown


def _spots(height: int, width: int) -> npt.NDArray[np.float32]:
    """Gaussian masks of peak 1, the spots row by row: float32 `(GRID * GRID, height, width)`."""
    sigma = RADIUS * min(height, width)

    def profiles(edge: int) -> npt.NDArray[np.float32]:
        centres = (np.arange(GRID) + 0.5) * edge / GRID
        distance = np.arange(edge) + 0.5 - centres[:, None]
        return np.exp(-(distance**2) / (2 * sigma**2)).astype(np.float32)

    masks = profiles(height)[:, None, :, None] * profiles(width)[None, :, None, :]
    return masks.reshape(GRID * GRID, height, width)
