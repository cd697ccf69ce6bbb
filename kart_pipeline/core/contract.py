"""How a frame becomes a network's input and the network's output an action: one frozen object with one hash."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError

Colour = Literal["rgb", "yuv", "grey"]
Filter = Literal["nearest", "box", "bilinear", "bicubic", "lanczos", "area"]
Unit = Literal["fraction", "pixel"]

VERSION = 1  # of the meaning of the fields below and of `prepare`; part of the hash


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the source: left, top, right, bottom (exclusive), in fractions of it or in its pixels."""

    left: float
    top: float
    right: float
    bottom: float
    unit: Unit = "fraction"

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise KartError(f"A region's unit is 'fraction' or 'pixel', not {self.unit!r}.")
        limit = 1.0 if self.unit == "fraction" else math.inf
        edges = (self.left, self.top, self.right, self.bottom)
        if not all(isinstance(edge, int | float) and math.isfinite(edge) for edge in edges) or not (
            0 <= self.left < self.right <= limit and 0 <= self.top < self.bottom <= limit
        ):
            raise KartError(f"Region {edges} in {self.unit}s is empty or outside the picture.")
        # 0 and 0.0 are the same edge and must give the same hash
        for name, edge in zip(("left", "top", "right", "bottom"), edges, strict=True):
            object.__setattr__(self, name, float(edge))

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The rectangle in whole pixels of a `width` x `height` source, fractions rounded to the nearest.

        Raises:
            KartError: it does not fit into the source, or is less than one pixel of it.
        """
        scale_x, scale_y = (width, height) if self.unit == "fraction" else (1, 1)
        left, right = round(self.left * scale_x), round(self.right * scale_x)
        top, bottom = round(self.top * scale_y), round(self.bottom * scale_y)
        if right > width or bottom > height or left >= right or top >= bottom:
            raise KartError(
                f"Region {(self.left, self.top, self.right, self.bottom)} in {self.unit}s does not fit "
                f"a {width}x{height} frame; correct the crop, mask or inset of the contract."
            )
        return left, top, right, bottom


WHOLE = Region(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Inset:
    """What is small in the source and matters, a minimap or a speedometer, shown in a size of its own.

    Attributes:
        region: where it is in the source. Masks do not hide it, so a mask may take it out of the main picture.
        width, height: of the tile that it becomes, in pixels.
    """

    region: Region
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Contract:
    """All that the training side and the driving side must agree on.

    Attributes:
        spec: the action's channels.
        rate_hz: steps per second that the labels were made for.
        crop: the part of the source that is used.
        masks: parts of the source painted black first (HUD, minimap).
        width, height: of the main picture in the network's input, in pixels. 200x66 is PilotNet's.
        filter: Pillow's resampling filter; "area" takes the mean of whole blocks of pixels first and does the rest
            bilinearly, which is faster where the source is twice as large or more.
        colour: "rgb", "yuv" (full-range BT.601, as in JPEG) or "grey".
        stack: how many frames, the oldest first, are joined along the channels.
        stride: steps between the frames of a stack.
        delay_ms: the label of a frame is the action that was made this much later than the frame was shown.
        play_delay_ms: from an action to the first pixel that it changes, where the model will drive; the labels of each
            session are shifted by as much as its own delay differs (`datasets.labels.label_shift_ms`). None: the model
            drives where was recorded, and both delays are the same.
        inset: a tile that is added below the main picture, in the middle of `inset.height` black rows.
    """

    spec: ActionSpec
    rate_hz: float
    crop: Region = WHOLE
    masks: tuple[Region, ...] = ()
    width: int = 200
    height: int = 66
    filter: Filter = "bilinear"
    colour: Colour = "yuv"
    stack: int = 1
    stride: int = 1
    delay_ms: float = 0.0
    inset: Inset | None = None
    play_delay_ms: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise KartError(f"A contract's rate must be above 0 Hz, not {self.rate_hz}.")
        if not (math.isfinite(self.delay_ms) and self.delay_ms >= 0):
            raise KartError(f"A contract's delay must be 0 ms or more, not {self.delay_ms}.")
        if self.play_delay_ms is not None and not (math.isfinite(self.play_delay_ms) and self.play_delay_ms >= 0):
            raise KartError(f"A contract's delay in play must be 0 ms or more, not {self.play_delay_ms}.")
        for name, least, most in (("width", 1, 4096), ("height", 1, 4096), ("stack", 1, 32), ("stride", 1, 1000)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise KartError(f"A contract's {name} is a whole number from {least} to {most}, not {value!r}.")
        if self.colour not in get_args(Colour):
            raise KartError(f"A contract's colour is one of {', '.join(get_args(Colour))}, not {self.colour!r}.")
        if self.filter not in get_args(Filter):
            raise KartError(f"A contract's filter is one of {', '.join(get_args(Filter))}, not {self.filter!r}.")
        if self.inset:
            self._check_inset(self.inset)
        object.__setattr__(self, "rate_hz", float(self.rate_hz))
        object.__setattr__(self, "delay_ms", float(self.delay_ms))
        if self.play_delay_ms is not None:
            object.__setattr__(self, "play_delay_ms", float(self.play_delay_ms))

    def _check_inset(self, inset: Inset) -> None:
        for name, most in (("width", self.width), ("height", 4096 - self.height)):
            value = getattr(inset, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise KartError(
                    f"A contract's inset has a {name} that is a whole number from 1 to {most}, not {value!r}."
                )
        if (self.width - inset.width) % 2:
            raise KartError(
                f"A contract's inset of width {inset.width} has no middle place below a picture of width {self.width}, "
                "and would move when mirrored; make both widths even or both odd."
            )

    @property
    def channels(self) -> int:
        """Channels of one prepared frame: 1 for grey, else 3."""
        return 1 if self.colour == "grey" else 3

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """`(height + inset.height, width, channels)` of one prepared frame, uint8."""
        return self.height + (self.inset.height if self.inset else 0), self.width, self.channels

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """`(height + inset.height, width, channels * stack)` of the network's input, uint8."""
        height, width, channels = self.frame_shape
        return height, width, channels * self.stack

    @property
    def delay_steps(self) -> int:
        """The delay in whole steps, to the nearest."""
        return round(self.delay_ms * self.rate_hz / 1000)

    @property
    def hash(self) -> str:
        """16 hex digits of the SHA-256 of the canonical JSON form."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal contract, of the same hash, back."""
        masks = [asdict(mask) for mask in self.masks]
        plain = {"version": VERSION, **asdict(self), "spec": self.spec.to_dict(), "masks": masks}
        for name in ("inset", "play_delay_ms"):
            if plain[name] is None:
                del plain[name]  # so that contracts from before there was such a field keep their hashes
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Contract":
        """Raises KartError where `data` is no contract, or one of another version."""
        try:
            fields = dict(data)
            version = fields.pop("version")
            if version != VERSION:
                raise KartError(f"The contract is of version {version!r}; this release reads version {VERSION}.")
            fields["spec"] = ActionSpec.from_dict(fields["spec"])
            fields["crop"] = Region(**fields["crop"])
            fields["masks"] = tuple(Region(**mask) for mask in fields["masks"])
            if "inset" in fields:
                fields["inset"] = Inset(**{**fields["inset"], "region": Region(**fields["inset"]["region"])})
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise KartError(f"Not a contract: {error!r} in {data!r}.") from error
