"""Turns pictures and readings into the frames of an mp4, in a thread of its own."""

import queue
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from kart_pipeline.core.frame import RGB
from player.picture.overlay import Overlay, Reading

_WAITING = 8  # frames between the drive and the thread that draws and encodes them


H264, FALLBACK = "libx264", "mpeg4"


def best_codec() -> str:
    """H.264, which every player shows, or MPEG-4 part 2 where this PyAV was built without x264."""
    import av
    from av.codec.codec import UnknownCodecError

    try:
        av.codec.Codec(H264, "w")
    except UnknownCodecError:
        return FALLBACK
    return H264


class Encoder:
    """Overlay and codec.

    Args:
        path: of the file, whatever its suffix.
        overlay: draws the frames.
        fps: frames a second.
        codec: one of the two above.
    """

    def __init__(self, path: Path, overlay: Overlay, fps: Fraction, codec: str) -> None:
        import av

        self._overlay = overlay
        # faststart puts the index first, so that a browser plays the file while it loads
        self._file = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        # crf: constant quality; of x264's scale 18 cannot be told from the original, 23 is the default
        options = {"crf": "21", "preset": "veryfast"} if codec == H264 else {}
        stream = self._stream = self._file.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height = overlay.width, overlay.height
        stream.pix_fmt = "yuv420p"  # what every player can show
        stream.codec_context.time_base = 1 / fps
        stream.codec_context.thread_count = 2  # the game and the policy need the other cores
        if codec != H264:
            stream.bit_rate = round(overlay.width * overlay.height * fps / 4)  # a quarter of a bit for each pixel

    def write(self, slot: int, picture: RGB, reading: Reading) -> None:
        """Draw and encode one frame, to be shown from `slot / fps` seconds on."""
        import av

        frame = av.VideoFrame.from_ndarray(self._overlay.draw(picture, reading), format="rgb24")
        frame.pts, frame.time_base = slot, self._stream.codec_context.time_base
        self._file.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Encode what the codec still holds back, and complete the file."""
        with self._file:
            self._file.mux(self._stream.encode(None))


class Reel:
    """A thread that draws and encodes what waits in a queue."""

    def __init__(self, make_encoder: Callable[[], Encoder]) -> None:
        self._make_encoder = make_encoder  # opening a codec takes longer than a tick
        self.waiting: queue.Queue[tuple[int, RGB, Reading] | None] = queue.Queue(_WAITING)
        self.frames = 0
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="film", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        encoder: Encoder | None = self._try(self._make_encoder)
        while (item := self.waiting.get()) is not None:
            if self.failure is None and encoder is not None:
                self._try(encoder.write, *item)
                self.frames += self.failure is None
            # else go on emptying the queue: somebody may wait for room in it
        if encoder is not None:
            self._try(encoder.close)

    def _try(self, call: Callable[..., Any], *values: Any) -> Any:
        try:
            return call(*values)
        except Exception as error:  # noqa: BLE001 - a thread's errors reach the drive through `failure`
            self.failure = self.failure or error

    def finish(self) -> Exception | None:
        """Encode what waits and complete the file; returns the first error."""
        self.waiting.put(None)
        self._thread.join()
        return self.failure
