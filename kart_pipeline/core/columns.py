"""The columns of a session on disk, in the Arrow stream while recording and in Parquet afterwards."""

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, UnidentifiedImageError

from kart_pipeline.core.action import Action
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Choice, Frame, Step
from kart_pipeline.core.manifest import Codec, SessionHeader

HEADER_KEY = b"kart"
JPEG_QUALITY = 90  # 64 kB for a 640x480 frame of Mario Kart 64, 22 kB at 320x240

Row = dict[str, Any]


def schema(header: SessionHeader) -> pa.Schema:
    """One row a step; the header rides in the metadata, so that a recording without manifest explains itself.

    `<channel>` is what was executed, `label_<channel>` what a teacher says is right there (null: nobody taught).
    The frame of a session that is a video is the one of the row's `step`, see `core.video`.
    """
    spec = header.spec
    channels = [pa.field(name, pa.float32(), nullable=False) for name in spec.axes]
    channels += [pa.field(name, pa.bool_(), nullable=False) for name in spec.buttons]
    labels = [pa.field(f"label_{item.name}", item.type) for item in channels]
    return pa.schema(
        [
            pa.field("step", pa.int64(), nullable=False),
            pa.field("t_ns", pa.int64(), nullable=False),
            *(
                []
                if header.is_video
                else [pa.field("frame", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
            ),
            *channels,
            *labels,
            pa.field("actor", pa.string(), nullable=False),
            pa.field("intervention", pa.bool_(), nullable=False),
            *(pa.field(f"state_{name}", pa.float64()) for name in header.state),
        ],
        # `datasets` (Hugging Face) reads this key and shows the frame column as pictures
        metadata={
            HEADER_KEY: json.dumps(header.to_dict()).encode(),
            b"huggingface": json.dumps({"info": {"features": _features(header)}}).encode(),
        },
    )


def _features(header: SessionHeader) -> dict[str, Any]:
    def value(dtype: str) -> dict[str, str]:
        return {"dtype": dtype, "_type": "Value"}

    spec = header.spec
    kinds = dict.fromkeys(spec.axes, "float32") | dict.fromkeys(spec.buttons, "bool")
    return {
        "step": value("int64"),
        "t_ns": value("int64"),
        **({} if header.is_video else {"frame": {"_type": "Image"}}),
        **{name: value(kind) for name, kind in kinds.items()},
        **{f"label_{name}": value(kind) for name, kind in kinds.items()},
        "actor": value("string"),
        "intervention": value("bool"),
        **{f"state_{name}": value("float64") for name in header.state},
    }


def header_of(stored: pa.Schema) -> SessionHeader:
    """The header from a schema's metadata; KartError where there is none."""
    text = (stored.metadata or {}).get(HEADER_KEY)
    if text is None:
        raise KartError("This is not a recording of kart-pipeline: its schema carries no header.")
    try:
        data = json.loads(text)
    except ValueError as error:
        raise KartError(f"The header of a recording is damaged: {error}.") from error
    return SessionHeader.from_dict(data)


def encode_frame(rgb: RGB, codec: Codec) -> bytes:
    """A PNG (lossless, fastest level) or JPEG file of a uint8 `(H, W, 3)` frame."""
    buffer = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    if codec == "png":
        picture.save(buffer, "PNG", compress_level=1)
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def decode_picture(data: bytes) -> Image.Image:
    """A loaded RGB picture from a PNG or JPEG file.

    Raises:
        KartError: the bytes are no readable picture.
    """
    if not data:
        raise KartError("A frame is missing: the video that held it is damaged.")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            picture.load()
            return picture if picture.mode == "RGB" else picture.convert("RGB")
    except UnidentifiedImageError as error:  # whose own message tells an address in memory
        raise KartError("A frame cannot be decoded: it is no PNG or JPEG file.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise KartError(f"A frame cannot be decoded: {error}.") from error


def decode_frame(data: bytes) -> RGB:
    """uint8 `(H, W, 3)` from a PNG or JPEG file; KartError as in `decode_picture`."""
    return np.asarray(decode_picture(data))


def to_row(step: Step, encoded: bytes | None, state: tuple[str, ...]) -> Row:
    """One step as a row of `schema`; a state value that the game did not tell is null. None leaves the frame out."""
    choice = step.choice
    label = choice.label
    spec = choice.action.spec
    return {
        "step": step.index,
        "t_ns": step.frame.t_ns,
        **({} if encoded is None else {"frame": {"bytes": encoded, "path": None}}),
        **{name: choice.action[name] for name in spec.names},
        **{f"label_{name}": None if label is None else label[name] for name in spec.names},
        "actor": choice.actor,
        "intervention": choice.intervention,
        **{f"state_{name}": step.frame.state.get(name) for name in state},
    }


def to_step(row: Row, rgb: RGB, header: SessionHeader) -> Step:
    """The step of a row of `schema` and its frame; inverse of `to_row` up to float32."""
    spec = header.spec

    def action(prefix: str) -> Action:
        return Action(
            spec,
            tuple(row[prefix + name] for name in spec.axes),
            tuple(row[prefix + name] for name in spec.buttons),
        )

    taught = all(row[f"label_{name}"] is not None for name in spec.names)
    state = {name: row[f"state_{name}"] for name in header.state if row[f"state_{name}"] is not None}
    choice = Choice(action(""), row["actor"], action("label_") if taught else None, row["intervention"])
    return Step(row["step"], Frame(rgb, row["t_ns"], state), choice)
