"""What tells a preview's window what to show, and hears where it lies; the loop never waits for it."""

import multiprocessing
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Self

import numpy as np

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.driving.instruments import FULL_WIDTH
from recorder.live.placing import beside, overlap
from recorder.live.preview_window import Opening, Pressed, Shown, show

RATE_HZ = 15.0
_UNSENT = 2000  # samples, while the window opens
_CLOSE_S = 2.0


class PreviewFeed(ABC):
    """A window of another process and the thread that tells it; a context manager.

    Args:
        title: of the window.
        spec: of the actions to come.
        seen: where on the desktop the frames are taken, which is not to be covered; it may move.
        monitors: of the desktop.
        size: of the window, as wished for.
        say: tells the person.

    Raises:
        KartError: there is no room beside what is seen.
    """

    closed = "The preview was closed."

    def __init__(
        self,
        title: str,
        spec: ActionSpec,
        seen: Callable[[], Rect | None],
        monitors: Sequence[Rect],
        size: tuple[int, int],
        say: Callable[[str], None],
    ) -> None:
        self._seen, self._say = seen, say
        place = seen()
        found = beside(place, monitors, size) if place else None
        if found is None:
            raise KartError(self._no_room())
        opening = Opening(title, spec, *found)
        processes = multiprocessing.get_context("spawn")
        self._told, theirs = processes.Pipe()
        self._process = processes.Process(target=show, args=(theirs, opening), name="preview", daemon=True)
        self._process.start()
        theirs.close()
        # Without a lock, on which the loop could wait: what is lost between two threads is a frame that nobody sees.
        self._samples: deque[tuple[float, Action, bool]] = deque(maxlen=_UNSENT)
        self._place: Rect | None = None
        self._end, self._opened = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._send, name="preview", daemon=True)

    @abstractmethod
    def _no_room(self) -> str:
        """A sentence for the case that there is none."""

    @abstractmethod
    def _shown(self) -> Shown | None:
        """What to show now; None for nothing new."""

    @abstractmethod
    def _covers(self, covers: bool) -> None:
        """Whether the window lies over what is seen; called often, and at the end with False."""

    @abstractmethod
    def _pressed(self, key: str) -> None:
        """A key or button was pressed in the window."""

    def _sample(self, action: Action, *, aside: bool) -> None:
        """Note what is done; takes microseconds, in any thread."""
        self._samples.append((time.monotonic(), action, aside))

    def _news(self) -> list[tuple[float, Action, bool]]:
        """What was noted since the last time."""
        return [self._samples.popleft() for _ in range(len(self._samples))]

    def _send(self) -> None:
        """The thread that tells the window."""
        try:
            while not self._end.wait(1 / RATE_HZ):
                self._hear(self._told)
                shown = self._shown()
                if shown is not None:
                    self._told.send(shown)
        except (EOFError, OSError):
            if not self._end.is_set():
                self._say(self.closed)
        finally:
            self._opened.set()
            self._covers(False)

    def _hear(self, told: Connection) -> None:
        while told.poll():
            heard = told.recv()
            if isinstance(heard, Pressed):
                self._pressed(heard.key)
            elif isinstance(heard, str):
                self._say(heard)
                self._end.set()
            else:
                self._place = heard
            self._opened.set()
        seen = self._seen()
        self._covers(bool(self._place and seen and overlap(self._place, seen)))

    def wait(self, seconds: float) -> None:
        """Until the window is open, or cannot be opened; no longer than so."""
        self._opened.wait(seconds)

    def __enter__(self) -> Self:
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


def small(rgb: RGB) -> RGB:
    """Every n-th pixel, so that the pipe carries no more than is shown."""
    step = max(1, rgb.shape[1] // FULL_WIDTH)
    return np.ascontiguousarray(rgb[::step, ::step])
