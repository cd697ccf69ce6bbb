"""What a session says about itself: the header known when recording begins, and the manifest that ends it."""

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

import kart_pipeline
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_channel, checked_id

Codec = Literal["png", "jpeg", "h264"]

# Of the session on disk, by what reads it: releases before videos read format 1.
_FORMATS: Mapping[str, int] = {"png": 1, "jpeg": 1, "h264": 2}
FORMAT = max(_FORMATS.values())  # a reader refuses what is newer

# x264's constant quality: 18 cannot be told from the original, 23 is its default. A lap of Mario Kart 64 at 640x480 and
# 30 Hz takes at most 1.42 GB an hour at 22, and 1.70 at 20, of which a network sees 1.3 and 1.2 of 255 otherwise
# (`python -m benchmarks codecs --frames FOLDER`).
CRF = 22


def _host() -> dict[str, str]:
    """The recording machine, without anything that names its owner."""
    return {"system": platform.platform(), "machine": platform.machine(), "python": platform.python_version()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHeader:
    """Known before the first frame.

    Attributes:
        id: folder name of the session.
        game: what was played; one model per game.
        track: course, as the game names it, or `seed-N`; empty where unknown.
        group: sessions of one group are held out together (same generated track, say); the id where there is none.
        rate_hz: steps per second that the recorder aimed at.
        spec: the action's channels.
        source: where frames came from (window, region, environment and its options).
        driver: who drove and with what (kind, pad, mapping, noise).
        codec: how frames are stored: each as a file in its row, of which "png" is lossless, or all in a video.
        crf: quality of a video, 0 to 51, lower is better; None where there is none.
        state: names of the game's state values, in column order.
        delay_ms: from what the hands did to the first pixel that it changed, as `recorder calibrate` measured it on the
            recording machine; None where nobody did. How it was measured is in the notes.
        notes: whatever an import or a tool wants to keep (rows left out, original path …).
    """

    id: str
    game: str
    rate_hz: float
    spec: ActionSpec
    track: str = ""
    group: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    driver: Mapping[str, Any] = field(default_factory=dict)
    codec: Codec = "png"
    crf: int | None = None
    state: tuple[str, ...] = ()
    delay_ms: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    host: Mapping[str, str] = field(default_factory=_host)
    recorder_version: str = kart_pipeline.__version__
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    format: int = 0  # follows from the codec

    def __post_init__(self) -> None:
        checked_id(self.id)
        checked_id(self.game, "game name")
        for name in self.state:
            checked_channel(name)
        if self.codec not in get_args(Codec):
            raise KartError(f"Session {self.id}: codec {self.codec!r} is none of {', '.join(get_args(Codec))}.")
        object.__setattr__(self, "format", _FORMATS[self.codec])
        if self.is_video:
            object.__setattr__(self, "crf", CRF if self.crf is None else self.crf)
        if self.crf is not None and not (self.is_video and 0 <= self.crf <= 51):
            raise KartError(
                f"Session {self.id}: a CRF of {self.crf} for {self.codec}; h264 takes 0 to 51, others none."
            )
        if not 0 < self.rate_hz < 1000:
            raise KartError(f"Session {self.id}: a rate of {self.rate_hz} Hz is not between 0 and 1000.")
        if self.delay_ms is not None and not (math.isfinite(self.delay_ms) and self.delay_ms >= 0):
            raise KartError(f"Session {self.id}: a delay of {self.delay_ms} ms; it is 0 or more.")
        if not self.group:
            object.__setattr__(self, "group", self.id)

    @property
    def is_video(self) -> bool:
        """Frames are in a video beside the rows, and not in them."""
        return self.codec == "h264"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal object back."""
        return {**asdict(self), "spec": self.spec.to_dict(), "state": list(self.state)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Raises KartError where `data` is no such header or comes from a newer release."""
        session = data.get("id", "?") if isinstance(data, Mapping) else "?"
        try:
            if int(data["format"]) > FORMAT:
                raise KartError(
                    f"Session {session} has format {data['format']}, newer than this release reads ({FORMAT}); "
                    "upgrade kart-pipeline."
                )
            names = {item.name for item in fields(cls)}
            return cls(
                **{key: value for key, value in data.items() if key in names}
                | {"spec": ActionSpec.from_dict(data["spec"]), "state": tuple(data["state"])}
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise KartError(f"The manifest of session {session} is damaged: {error!r}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(SessionHeader):
    """A finished session: the header, and what was found when it was closed.

    Attributes:
        steps: rows.
        labelled: rows with a teacher's label.
        interventions: rows in which a teacher took over.
        width, height: of the frames, pixels.
        duration_s: from the first frame to the last, by their timestamps, plus one period.
        ended: why the drive ended ("finished", "time limit", "stopped", "repaired" …).
        score: in the game's own units, None where the game keeps none.
        digest: SHA-256 of steps.parquet, and of the video after it where there is one, hex.
    """

    steps: int
    labelled: int
    interventions: int
    width: int
    height: int
    duration_s: float
    digest: str
    ended: str = "stopped"
    score: float | None = None
