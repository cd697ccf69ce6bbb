"""The preview, seen from the recording: what it is told, and that it never gets into the picture."""

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

import numpy as np

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.driving.instruments import FULL_WIDTH, Headline, panel_size
from recorder.live.placing import beside, overlap
from recorder.live.preview_window import Opening, Shown, show
from recorder.live.view import clock
from recorder.screen.recording import ScreenRecording

PREVIEW = "preview"  # the reason to hold while it is in the way
RATE_HZ = 15.0
_UNSENT = 2000  # samples, while the window opens
_CLOSE_S = 2.0
_UNNOTICED_S = 1.0  # more than passes between a move of the window and our hearing of it
_IN_THE_WAY = "the preview lies over what is recorded"


class Preview:
    """The observer that shows frames and hands in a window of another process; a context manager.

    While the window lies over what is recorded, recording is held: it would be in the frames.

    Args:
        recording: that is shown.
        spec: of the actions to come.
        title: what is recorded.
        recorded: where on the desktop; it may move.
        monitors: of the desktop.
        frame: width and height of the frames.
        say: tells the person.

    Raises:
        KartError: there is no room beside what is recorded.
    """

    def __init__(
        self,
        recording: ScreenRecording,
        spec: ActionSpec,
        title: str,
        recorded: Callable[[], Rect | None],
        monitors: Sequence[Rect],
        frame: tuple[int, int],
        say: Callable[[str], None],
    ) -> None:
        self._recording, self._title, self._recorded, self._say = recording, title, recorded, say
        seen = recorded()
        found = beside(seen, monitors, panel_size(frame)) if seen else None
        if found is None:
            raise KartError(
                "The preview would lie over what is recorded, for there is no room beside that: record a window or a "
                "region, or use a second monitor."
            )
        opening = Opening(f"Preview: {title}", spec, *found)
        processes = multiprocessing.get_context("spawn")
        self._told, theirs = processes.Pipe()
        self._process = processes.Process(target=show, args=(theirs, opening), name="preview", daemon=True)
        self._process.start()
        theirs.close()
        # Without a lock, on which the capture could wait: what is lost between two threads is a frame that nobody sees.
        self._rgb: RGB | None = None
        self._samples: deque[tuple[float, Action, bool]] = deque(maxlen=_UNSENT)
        self._place: Rect | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._send, name="preview", daemon=True)

    def on_step(self, step: Step) -> None:
        """Note the step; takes microseconds."""
        self._samples.append((time.monotonic(), step.choice.action, bool(self._recording.holds)))
        self._rgb = step.frame.rgb

    def _send(self) -> None:
        """The thread that tells the window."""
        try:
            while not self._end.wait(1 / RATE_HZ):
                self._hear(self._told)
                rgb, self._rgb = self._rgb, None
                if rgb is not None:
                    samples = [self._samples.popleft() for _ in range(len(self._samples))]
                    self._told.send(Shown(_small(rgb), samples, self._headline()))
        except (EOFError, OSError):
            if not self._end.is_set():
                self._say("The preview was closed; recording goes on.")
        finally:
            self._recording.release(PREVIEW)

    def _hear(self, told: Connection) -> None:
        while told.poll():
            heard = told.recv()
            if isinstance(heard, str):
                self._say(heard)
                self._end.set()
            else:
                self._place = heard
        recorded = self._recorded()
        in_the_way = bool(self._place and recorded and overlap(self._place, recorded))
        if in_the_way and PREVIEW not in self._recording.holds:
            self._recording.hold(PREVIEW, _IN_THE_WAY)
            self._recording.drop_last(_UNNOTICED_S)
            self._say(f"Paused: {_IN_THE_WAY}. Move it away. The last {_UNNOTICED_S:g} s are cut: it may be in them.")
        elif not in_the_way and PREVIEW in self._recording.holds:
            self._recording.release(PREVIEW)
            self._say("The preview is out of the way.")

    def _headline(self) -> Headline:
        recording = self._recording
        laps = f"{recording.laps} lap{'s' * (recording.laps != 1)}   " if recording.laps else ""
        why = recording.why
        return Headline(
            text=f"{why or 'recording'}   {clock(recording.seconds)}",
            lit=not why,
            right=laps + self._title,
            alarm=f"{_IN_THE_WAY}: move it away" if PREVIEW in recording.holds else "",
        )

    def __enter__(self) -> "Preview":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive():  # in the middle of telling a window that does not listen
            self._process.kill()
            self._thread.join()
        self._told.close()  # the window closes itself
        self._process.join(_CLOSE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _small(rgb: RGB) -> RGB:
    """Every n-th pixel, so that the pipe carries no more than is shown."""
    step = max(1, rgb.shape[1] // FULL_WIDTH)
    return np.ascontiguousarray(rgb[::step, ::step])
