"""The windows of the desktop: which there are, and where their inside is."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.rect import Rect

CLOSED = "the window is closed"
MINIMISED = "the window is minimised"


@dataclass(frozen=True, slots=True)
class Hidden:
    """Why there is nothing to be seen at this moment, as half a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """A window that can be seen, or is minimised.

    Attributes:
        handle: the system's number of it.
        title: not empty.
        inside: without frame and title bar; None while it is minimised.
    """

    handle: int
    title: str
    inside: Rect | None


class Windows(Protocol):
    """The windows, by whatever system keeps them."""

    def all(self) -> Sequence[WindowInfo]:
        """Those that have a title, the frontmost first where the system knows."""

    def inside(self, handle: int) -> Rect | Hidden:
        """Where a window shows its picture now, without frame and title bar; `CLOSED` once it is gone."""

    def has_focus(self, handle: int) -> bool:
        """Whether keys that are pressed now reach this window, or one within it."""

    def focus_place(self) -> Rect | None:
        """Where the window is that keys reach now; None where there is none, or the system does not tell."""

    def close(self) -> None:
        """Release what this holds; may be called more than once."""


def open_windows() -> Windows:
    """The windows of this system.

    Raises:
        KartError: they cannot be found here; the sentence says what does work.
    """
    if sys.platform == "win32":
        from kart_pipeline.desktop.windows_win32 import Win32Windows

        return Win32Windows()
    if sys.platform == "darwin":
        raise KartError("On macOS no window can be followed; record its place: --region draw, or --region x,y,w,h.")
    from kart_pipeline.desktop.windows_x11 import X11Windows

    return X11Windows()


def matching(windows: Sequence[WindowInfo], title: str) -> list[WindowInfo]:
    """Those with exactly this title, whatever its case; where there are none, those with it in theirs."""
    wanted = title.casefold()
    exact = [window for window in windows if window.title.casefold() == wanted]
    return exact or [window for window in windows if wanted in window.title.casefold()]


def find_window(windows: Windows, title: str) -> WindowInfo:
    """The one window with `title`, or a part of it.

    Raises:
        KartError: there is none, or several; the sentence lists what there is.
    """
    there = windows.all()
    found = matching(there, title)
    if len(found) == 1:
        return found[0]
    if found:
        raise KartError(
            f"{len(found)} windows have {title!r} in their title: {_titles(found)}. Say more of it, or use --region."
        )
    seen = f"there are {_titles(there)}" if there else "there is none at all"
    raise KartError(f"No window has {title!r} in its title; {seen}. Open the game first.")


def _titles(windows: Sequence[WindowInfo]) -> str:
    return ", ".join(dict.fromkeys(repr(window.title) for window in windows))
