"""The pixels of the desktop, read through mss."""

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.session import wayland

BGRX = npt.NDArray[np.uint8]  # (H, W, 4): blue, green, red and nothing


class Pixels:
    """Grabs parts of the desktop; belongs to the thread that made it.

    Args:
        display: the X display to read; "" is the one of this session, on every system.

    Raises:
        KartError: mss is not installed, or there is no screen that could be read.
    """

    def __init__(self, display: str = "") -> None:
        why = "" if display else unreadable(os.environ)
        if why:
            raise KartError(why)
        try:
            import mss
            from mss.exception import ScreenShotError
        except ImportError as error:
            raise KartError(
                f"Recording the screen needs mss ({error}): pip install 'kart-pipeline[recorder]'."
            ) from error
        # The last two are what becomes of a server that is gone: an assertion in mss, or a null pointer behind it.
        self._errors = (ScreenShotError, OSError, AssertionError, ValueError)
        try:
            self._mss = mss.MSS(display=display) if display else mss.MSS()
            self._all = self._monitors()
        except (ScreenShotError, OSError) as error:
            raise KartError(f"The screen cannot be read ({error}). Start this on a desktop that you see.") from error

    @property
    def desktop(self) -> Rect:
        """All monitors together."""
        return self._all[0]

    @property
    def monitors(self) -> Sequence[Rect]:
        """Each of them; what a person calls monitor 1 comes first."""
        return self._all[1:]

    def _monitors(self) -> list[Rect]:
        return [_rect(monitor) for monitor in self._mss.monitors]

    def grab(self, rect: Rect) -> BGRX:
        """What is seen there now: uint8 `(rect.height, rect.width, 4)`; beyond the screen it is black.

        Raises:
            KartError: the screen cannot be read any more.
        """
        seen = rect.within(self.desktop)
        try:
            shot = self._mss.grab(seen.to_dict())
        except self._errors as error:
            raise KartError(f"The screen at {seen} cannot be read any more ({error!r}).") from error
        # `bgra` would copy them
        pixels: BGRX = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        if seen == rect:
            return pixels
        whole = np.zeros((rect.height, rect.width, 4), np.uint8)
        top, left = seen.top - rect.top, seen.left - rect.left
        whole[top : top + seen.height, left : left + seen.width] = pixels
        return whole

    def close(self) -> None:
        """Release the screen; may be called more than once."""
        with contextlib.suppress(*self._errors):  # the server took everything with it
            self._mss.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def unreadable(environ: Mapping[str, str]) -> str:
    """Why no program can read the screen here, and what does work; "" where nothing speaks against it."""
    if sys.platform != "linux":
        return ""
    if wayland(environ):
        return (
            "Wayland lets no program read the screen by itself. Log in to an X11 session (many login screens offer it "
            "as Xorg), or take a game that can be opened from here, as --game car_racing."
        )
    if not environ.get("DISPLAY"):
        return "There is no screen here (DISPLAY is not set); start this on a desktop, or start an X server."
    return ""


def _rect(monitor: Mapping[str, Any]) -> Rect:
    return Rect(monitor["left"], monitor["top"], monitor["width"], monitor["height"])
