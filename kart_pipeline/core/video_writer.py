"""Writing frames as H.264 so that a crash loses a moment of them, and making a whole video of what a crash left."""

import contextlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from kart_pipeline.core.durable import RawFile, replace_file
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.video import (
    COLOURS,
    KEYFRAME_S,
    PIXELS,
    RANGE,
    TIME_BASE,
    VIDEO,
    VideoReader,
    open_video,
    pyav,
    to_ms,
    to_step,
)

_SMPTE170M, _LIMITED = 5, 1  # COLOURS and RANGE as the file tells them to players (ITU-T H.273)


class VideoWriter:
    """Append frames to a new video; each is in the file as soon as the next one is written.

    Args:
        path: must not exist; its folder bears the session's id.
        size: width and height of all frames.
        rate_hz: steps per second.
        crf: of x264, 0 to 51, lower is better.

    Raises:
        KartError: no PyAV, or one without x264.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate_hz: float, crf: int) -> None:
        self._session, self._size, self._rate = path.parent.name, size, rate_hz
        self._av = av = pyav(self._session)
        if "libx264" not in av.codecs_available:
            raise KartError("This PyAV was built without x264; install it from PyPI, or record jpeg or png.")
        self._last = -1
        self._closed = False
        self._failure: Exception | None = None
        self._file = RawFile(path)
        # A cluster for each frame: what is not in a whole cluster is lost in a crash.
        options = {"cluster_size_limit": "1", "flush_packets": "1"}
        self._container = av.open(self._file, "w", format="matroska", options=options)
        rate = Fraction(rate_hz).limit_denominator(1001)
        # Zero latency: no frame waits in the encoder, where a crash would lose it. Costs 4 % in size.
        encoding = {"preset": "veryfast", "tune": "zerolatency", "crf": str(crf)}
        # Keyframes at their turn only: readers take the others that a cut would bring for places to begin at.
        encoding["x264-params"] = "scenecut=0"
        stream = self._stream = self._container.add_stream("libx264", rate=rate, options=encoding)
        stream.width, stream.height = size
        stream.pix_fmt = PIXELS
        context = stream.codec_context
        context.time_base = TIME_BASE
        context.gop_size = max(1, round(KEYFRAME_S * rate_hz))
        context.thread_count = 1  # the game needs the other cores
        context.colorspace, context.color_range = _SMPTE170M, _LIMITED

    def write(self, step: int, rgb: RGB) -> None:
        """Encode the frame of a step.

        Args:
            step: later than the one before.
            rgb: uint8 `(H, W, 3)`.

        Raises:
            KartError: an earlier step, or another size.
            OSError: the disk is full or gone; nothing more can be written.
        """
        size = (rgb.shape[1], rgb.shape[0])
        if size != self._size:
            (width, height), (first_width, first_height) = size, self._size
            raise KartError(
                f"Session {self._session} is a video of {first_width}x{first_height}; got a frame of {width}x{height}. "
                "Keep the window's size while recording, or record jpeg or png."
            )
        if step <= self._last:
            raise KartError(f"Session {self._session} is a video: step {step} cannot follow step {self._last}.")
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(
            format=PIXELS, dst_colorspace=COLOURS, dst_color_range=RANGE
        )
        frame.pts, frame.time_base = to_ms(step, self._rate), TIME_BASE
        with self._unbroken():
            self._container.mux(self._stream.encode(frame))
        self._last = step

    def sync(self) -> None:
        """Wait until what was written would survive a power cut; OSError as for `write`. Another thread may write."""
        if self._failure is not None:
            raise OSError(str(self._failure))
        self._file.sync()

    def close(self) -> None:
        """Complete the file: its index and length come last; OSError as for `write`."""
        if self._closed:
            return
        with self._unbroken():
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._file.sync()
        self._file.close()
        self._closed = True

    def abandon(self) -> None:
        """Leave the file as it is, for `mend_video`; nothing where it was closed."""
        if self._file.closed:
            return
        self._file.close()  # first, since PyAV writes the index of a container that is let go of
        with contextlib.suppress(OSError, ValueError):
            self._container.close()

    @contextlib.contextmanager
    def _unbroken(self) -> Iterator[None]:
        """Nothing more is written after the first failure: what is in the file stays readable."""
        try:
            if self._failure is not None:
                raise OSError(str(self._failure))
            yield
        except (OSError, self._av.FFmpegError) as error:
            self._failure = error
            self.abandon()
            raise OSError(str(error)) from error


def mend_video(path: Path, rate_hz: float, progress: Callable[[float], None] = lambda _: None) -> set[int]:
    """Make a whole video, with its index, of one whose writer died. The frames are copied as they are.

    Args:
        path: of the video.
        rate_hz: steps per second.
        progress: is told the share of the frames that have been checked, 0 to 1.

    Returns:
        The steps whose frames it holds and can be decoded: all of them are, once.

    Raises:
        KartError: it holds no whole frame; the file is as it was.
    """
    session = path.parent.name
    av = pyav(session)
    VideoReader(path, rate_hz, session).close()  # says what is wrong with a file that is no video
    with replace_file(path) as temporary:
        with open_video(av, path) as torn, av.open(str(temporary), "w", format="matroska") as whole:
            try:
                target = whole.add_stream_from_template(torn.streams.video[0])
            except ValueError as error:  # PyAV's way to say that nothing here writes such a codec
                raise KartError(f"{VIDEO} of session {session} is damaged: its codec is told as {error}.") from error
            last = -1
            with contextlib.suppress(av.FFmpegError):  # where it is torn
                for packet in torn.demux(torn.streams.video[0]):
                    step = -1 if packet.pts is None else to_step(packet.pts, rate_hz)
                    if step > last:
                        last = step
                        packet.stream = target
                        whole.mux(packet)
        steps = _steps(temporary, rate_hz, session, lambda step: progress(step / max(1, last))) if last >= 0 else set()
        if not steps:
            raise KartError(f"{VIDEO} of session {session} holds no whole frame.")
    return steps


def _steps(path: Path, rate_hz: float, session: str, passed: Callable[[int], None]) -> set[int]:
    steps: set[int] = set()
    with contextlib.closing(VideoReader(path, rate_hz, session)) as reader:
        for step, _ in reader.decoded():
            steps.add(step)
            passed(step)
    return steps
