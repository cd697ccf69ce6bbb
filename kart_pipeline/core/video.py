"""Frames as H.264 in Matroska: what writer and reader agree on, and the reader, in a row or one by one.

A frame belongs to the step whose time on the video's clock is its own: step / rate, in ms. Frames are not counted, so
that one that is missing, dropped or damaged, never shifts the others against their rows.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB

VIDEO = "video.mkv"

# Colour at full resolution: what a network is shown of Mario Kart 64 (200x66 of 320x240) comes back with 30 % less
# error than from yuv420p at the same quality, for 11 % more bytes; yuv420p hardly gets there, even at CRF 1.
PIXELS = "yuv444p"
COLOURS, RANGE = "ITU601", "MPEG"  # the matrix between RGB and YUV, named on both sides so that nobody guesses

TIME_BASE = Fraction(1, 1000)  # Matroska's
KEYFRAME_S = 1.0  # a random access decodes at most so much, and damage reaches no further


def to_ms(step: int, rate_hz: float) -> int:
    """The time of a step on the video's clock."""
    return round(step * 1000 / rate_hz)


def to_step(ms: int, rate_hz: float) -> int:
    """Inverse of `to_ms`, exact for rates below 1000 Hz: rounding to ms moves a time by less than half a period."""
    return round(ms * rate_hz / 1000)


def pyav(session: str) -> Any:
    """PyAV, for the frames of `session`.

    Raises:
        KartError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise KartError(
            f"The frames of session {session} are H.264, which needs PyAV: pip install 'kart-pipeline[recorder]'."
        ) from None
    return av


class VideoReader:
    """The frames of a video, each with its step.

    Args:
        file: a path, or an open binary file that can seek; it is not closed.
        rate_hz: steps per second.
        session: id, for messages.

    Raises:
        KartError: no PyAV, or `file` is no video.
    """

    def __init__(self, file: Any, rate_hz: float, session: str) -> None:
        self._av = av = pyav(session)
        self._session, self._rate = session, rate_hz
        try:
            self.container = open_video(av, file)
        except FileNotFoundError:
            raise KartError(f"Session {session} has no {VIDEO}; restore it from a copy.") from None
        except (av.FFmpegError, OSError) as error:
            raise KartError(f"{VIDEO} of session {session} cannot be read: {error}.") from error
        if not self.container.streams.video or self.container.streams.video[0].codec_context is None:
            self.container.close()
            raise KartError(f"{VIDEO} of session {session} holds no pictures.")
        self.stream = self.container.streams.video[0]
        self.stream.codec_context.thread_count = 1  # more give up whole frames beside a damaged one
        self.stream.codec_context.options = {"err_detect": "explode"}  # a damaged frame is missing, not made up
        self.size = (self.stream.width, self.stream.height)
        self._running: Iterator[tuple[int, Any]] = self.decoded()
        self._at = -1

    def frames(self) -> Iterator[tuple[int, RGB]]:
        """Step and uint8 `(H, W, 3)` of all frames that can be decoded, from the beginning."""
        for step, frame in self.decoded():
            yield step, self._rgb(frame)

    def frame(self, step: int) -> RGB:
        """uint8 `(H, W, 3)` of one step; cheap for the next ones, else at most a second of frames is decoded.

        Raises:
            KartError: the video has no whole frame of this step.
        """
        if not self._at < step <= self._at + KEYFRAME_S * self._rate:
            self._running = self.decoded(step)
        for at, frame in self._running:
            self._at = at
            if at == step:
                return self._rgb(frame)
            if at > step:
                break
        raise KartError(f"{VIDEO} of session {self._session} has no whole frame of step {step}; restore a copy of it.")

    def decoded(self, first: int = 0) -> Iterator[tuple[int, Any]]:
        """Step and PyAV frame from the keyframe at or before step `first` on, without what is damaged.

        A frame is built on those before it: after a damaged one, all are left out up to the next keyframe.
        """
        try:
            self.container.seek(to_ms(first, self._rate), stream=self.stream, backward=True)
        except self._av.FFmpegError:
            return  # there is no whole keyframe in the file
        whole = False
        for frame in self._all():
            if frame is None or frame.is_corrupt:
                whole = False
            elif whole or frame.key_frame:
                whole = True
                if frame.pts is not None:
                    yield to_step(frame.pts, self._rate), frame

    def _all(self) -> Iterator[Any]:
        """All frames; None where the decoder gave up one or more."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except self._av.FFmpegError:  # the file ends in the middle of something
                packet = None
            try:
                # without a packet the decoder hands out what it still holds
                yield from self.stream.codec_context.decode(packet)
            except self._av.FFmpegError:
                yield None
            if packet is None or packet.size == 0:
                return

    def _rgb(self, frame: Any) -> RGB:
        # rows are padded where the width is odd
        return np.ascontiguousarray(frame.to_ndarray(format="rgb24", src_colorspace=COLOURS, src_color_range=RANGE))

    def close(self) -> None:
        """Close the video."""
        self.container.close()


def open_video(av: Any, file: Any) -> Any:
    """A PyAV container to read from a path or an open file; its exceptions are PyAV's."""
    return av.open(str(file) if isinstance(file, Path) else file, "r", metadata_errors="replace")
