"""Pictures for the metadata of assets: inside Markdown, and small enough to stay in Dagster's event log for ever."""

import base64
import io

import dagster as dg
import numpy as np
from PIL import Image

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.prepare import stack_steps
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.frames_info import FramesInfo
from kart_pipeline.datasets.labels import vectors
from kart_pipeline.learning.sheets import sheet

MOST_BYTES = 36_000  # of a file, which is 48 kB of Markdown

_WIDTH = 1200  # of a sheet, pixels: about what Dagster's metadata column shows
_COLUMNS, _ROWS = 6, 4


def photo(picture: Image.Image) -> dg.MarkdownMetadataValue:
    """A picture as JPEG, in the best quality that is small enough."""
    for quality in (85, 70, 55, 40, 25):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MOST_BYTES:
            return _inline(buffer.getvalue(), "jpeg")
    return photo(picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.BOX))


def figure(png: bytes) -> dg.MarkdownMetadataValue:
    """A figure whose PNG has at most `MOST_BYTES`."""
    return _inline(png, "png")


def inputs(info: FramesInfo, contract: Contract) -> dg.MarkdownMetadataValue | None:
    """What the network gets, from all over a session in the order of driving, with the labels; None without frames."""
    if not info.frames:
        return None
    frames = info.open()
    rows = _spread(len(frames), _COLUMNS * _ROWS)
    stacks = np.stack([np.concatenate(frames[stack], axis=-1) for stack in stack_steps(contract, rows)])
    labels = vectors(info.labels(list(contract.spec.names)), contract.spec.names)[rows]
    columns = max(1, _COLUMNS // contract.stack)
    return photo(sheet(stacks, contract, np.nan_to_num(labels), columns))


def sources(session: Session) -> dg.MarkdownMetadataValue | None:
    """Pictures from all over a session as they were recorded; None where the store is not on this machine."""
    if session.local_path is None:
        return None
    mapped = session.map()
    try:
        pictures = [Image.fromarray(mapped[int(row)]) for row in _spread(len(mapped), _COLUMNS)]
    finally:
        mapped.close()
    width = _WIDTH // len(pictures)
    height = round(pictures[0].height * width / pictures[0].width)
    strip = Image.new("RGB", (width * len(pictures), height))
    for place, picture in enumerate(pictures):
        strip.paste(picture.resize((width, height), Image.Resampling.BOX), (place * width, 0))
    return photo(strip)


def _spread(count: int, most: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)


def _inline(data: bytes, kind: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![](data:image/{kind};base64,{base64.b64encode(data).decode()})")
