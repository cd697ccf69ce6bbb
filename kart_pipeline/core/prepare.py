"""Pixels in, network input out: the one function that both the frames asset and the player call."""

from collections import deque

import numpy as np
import numpy.typing as npt
from PIL import Image

from kart_pipeline.core.contract import Contract, Filter
from kart_pipeline.core.frame import RGB

# What Pillow resamples with, and its `reducing_gap`: 1 shrinks by whole numbers first, to the mean of each block.
_FILTERS: dict[Filter, tuple[Image.Resampling, float | None]] = {
    "nearest": (Image.Resampling.NEAREST, None),
    "box": (Image.Resampling.BOX, None),
    "bilinear": (Image.Resampling.BILINEAR, None),
    "bicubic": (Image.Resampling.BICUBIC, None),
    "lanczos": (Image.Resampling.LANCZOS, None),
    "area": (Image.Resampling.BILINEAR, 1.0),
}
_MODES = {"yuv": "YCbCr", "grey": "L"}


def prepare(contract: Contract, source: RGB | Image.Image) -> RGB:
    """Mask, crop, resize, add the inset and convert one frame.

    Args:
        contract: says how.
        source: uint8 `(H, W, 3)` or an RGB picture, as recorded; it is not changed. Both give the same pixels.

    Returns:
        uint8 `contract.frame_shape`.

    Raises:
        KartError: the crop, a mask or the inset does not fit the source.
    """
    # frames from a file come as a picture: a detour through an array would cost a tenth of the time to build them
    whole = source if isinstance(source, Image.Image) else Image.fromarray(np.ascontiguousarray(source))
    picture = whole
    width, height = whole.size
    region = contract.crop.pixels(width, height)
    if contract.masks:
        picture = picture.copy()
        for mask in contract.masks:
            picture.paste((0, 0, 0), mask.pixels(width, height))
    if region != (0, 0, width, height):
        picture = picture.crop(region)
    if picture.size != (contract.width, contract.height):
        picture = _resized(picture, (contract.width, contract.height), contract)
    if contract.inset:
        tile = whole.crop(contract.inset.region.pixels(width, height))
        tile = _resized(tile, (contract.inset.width, contract.inset.height), contract)
        joined = Image.new("RGB", contract.frame_shape[1::-1])
        joined.paste(picture, (0, 0))
        joined.paste(tile, ((contract.width - tile.width) // 2, contract.height))
        picture = joined
    if contract.colour != "rgb":
        picture = picture.convert(_MODES[contract.colour])
    return np.asarray(picture).reshape(contract.frame_shape)


def _resized(picture: Image.Image, size: tuple[int, int], contract: Contract) -> Image.Image:
    resample, gap = _FILTERS[contract.filter]
    return picture.resize(size, resample, reducing_gap=gap)


def stack_steps(contract: Contract, step: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Which frames of a session make the stacks that end at `step` `(N,)`: int64 `(N, stack)`, the oldest first.

    Before the first frame of a session, the first frame stands in.
    """
    back = np.arange(contract.stack - 1, -1, -1, dtype=np.int64) * contract.stride
    steps: npt.NDArray[np.int64] = np.maximum(np.asarray(step, np.int64)[:, None] - back, 0)
    return steps


class FrameStack:
    """The player's side of `stack_steps`: frames go in one by one, the network's input comes out."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._frames: deque[RGB] = deque(maxlen=(contract.stack - 1) * contract.stride + 1)

    def reset(self) -> None:
        """Forget all frames: a new drive begins."""
        self._frames.clear()

    def push(self, rgb: RGB) -> RGB:
        """Prepare one source frame and return the stack that ends with it: uint8 `contract.input_shape`."""
        self._frames.append(prepare(self._contract, rgb))
        last = len(self._frames) - 1
        rows = stack_steps(self._contract, np.array([last]))[0]
        return np.concatenate([self._frames[row] for row in rows], axis=-1)
