"""What a network sees, for eyes: prepared frames in RGB, side by side, with their labels."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.learning.drawing import PREDICTED, SECOND, SHARES, TRUE, fitted, scaled

Vectors = npt.NDArray[np.float32]


def contact_sheet(
    frames: npt.NDArray[np.uint8],
    contract: Contract,
    labels: Vectors | None = None,
    columns: int = 4,
    max_bytes: int | None = None,
) -> bytes:
    """`sheet` as PNG of at most `max_bytes`, reduced in size if need be."""
    whole = sheet(frames, contract, labels, columns)
    return fitted((whole.resize(scaled(whole.size, share), Image.Resampling.BOX) for share in SHARES), max_bytes)


def sheet(
    frames: npt.NDArray[np.uint8], contract: Contract, labels: Vectors | None = None, columns: int = 4
) -> Image.Image:
    """Inputs as the network sees them, in the order given; a stack's frames side by side, the oldest left.

    Args:
        frames: uint8 `(n, *contract.input_shape)`.
        contract: says what the channels are.
        labels: float32 `(n, len(spec))`: axes as bars from the middle below each input, pressed buttons by name.
        columns: inputs in a row.
    """
    if not len(frames):
        raise KartError("A contact sheet needs at least one frame.")
    tiles = [_tile(frame, contract, None if labels is None else labels[i]) for i, frame in enumerate(frames)]
    width, height = tiles[0].size
    gap = 4
    columns = min(columns, len(tiles))
    whole = Image.new("RGB", (columns * (width + gap) - gap, -(-len(tiles) // columns) * (height + gap) - gap), "white")
    for i, tile in enumerate(tiles):
        whole.paste(tile, (i % columns * (width + gap), i // columns * (height + gap)))
    return whole


def visible(frame: npt.NDArray[np.uint8], contract: Contract) -> RGB:
    """One prepared frame `contract.frame_shape` in RGB `(H, W, 3)`, for eyes: YUV loses its last bits on the way."""
    mode = {"rgb": "RGB", "yuv": "YCbCr", "grey": "L"}[contract.colour]
    pixels = frame[..., 0] if contract.colour == "grey" else frame
    height, width = pixels.shape[:2]
    picture = Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())
    return np.asarray(picture.convert("RGB"))


def _tile(frame: npt.NDArray[np.uint8], contract: Contract, label: Vectors | None) -> Image.Image:
    """One input, enlarged to be seen if it is small, with its label below."""
    parts = np.split(frame, contract.stack, axis=-1)
    picture = Image.fromarray(np.concatenate([visible(part, contract) for part in parts], axis=1))
    if picture.width < 160:
        picture = picture.resize(scaled(picture.size, 2), Image.Resampling.NEAREST)
    if label is None:
        return picture
    spec = contract.spec
    bar = 7
    tile = Image.new("RGB", (picture.width, picture.height + bar * len(spec.axes) + 12 * bool(spec.buttons)), "white")
    tile.paste(picture)
    draw = ImageDraw.Draw(tile)
    middle = (picture.width - 1) / 2
    for place, value in enumerate(label[: len(spec.axes)]):
        top = picture.height + bar * place
        left, right = sorted((middle, middle + float(value) * middle))
        draw.rectangle((left, top + 1, right, top + bar - 2), fill=(PREDICTED, SECOND)[place % 2])
        draw.line((middle, top, middle, top + bar - 1), fill=TRUE)
    pressed = [name for name, value in zip(spec.buttons, label[len(spec.axes) :], strict=True) if value >= 0.5]
    draw.text((2, tile.height - 12), " ".join(pressed), fill=TRUE)
    return tile
