"""Where frames come from: a monitor, a region, or a window that is followed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, now_ns
from kart_pipeline.desktop.pixels import BGRX, Pixels
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.scaling import Scaler
from kart_pipeline.desktop.windows import CLOSED, Hidden, Windows, find_window, matching, open_windows

_SEARCH_S = 1.0  # between two looks for a window that was closed; walking through all of them takes its time
_LOOKS = 3  # at a window that moves while it is looked at


@dataclass(frozen=True, slots=True)
class Where:
    """What of the screen is recorded: one of these.

    Attributes:
        window: a window's title or a part of it; "" for none.
        region: of the desktop.
        monitor: its number, from 1.
        display: the X display that a region or monitor is on; "" is the one of this session, on every system.
    """

    window: str = ""
    region: Rect | None = None
    monitor: int | None = None
    display: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Grab:
    """A picture: uint8 `(H, W, 3)`, and the time of `core.frame.now_ns` at which it was on the screen."""

    rgb: RGB
    t_ns: int


class Source(Protocol):
    """Shows what is on the screen; belongs to one thread."""

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: where on the screen, and the size of the frames."""

    def grab(self) -> Grab | Hidden:
        """What is seen now, always of one size; or why there is nothing to see.

        Raises:
            KartError: the screen cannot be read any more, and will not come back.
        """

    def notes(self) -> Mapping[str, Any]:
        """What changed since the first grab, for the manifest."""

    def focused(self) -> bool:
        """Whether keys that are pressed now reach what is shown; True also where the system does not tell."""

    def close(self) -> None:
        """Release what this holds; may be called more than once."""


class Area(Protocol):
    """A part of the desktop, which may move."""

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""

    def now(self) -> Rect | Hidden:
        """Where it is."""

    def focused(self) -> bool:
        """Whether keys reach it; True also where the system does not tell."""

    def close(self) -> None:
        """Release what this holds; may be called more than once."""


@dataclass(slots=True)
class FixedArea:
    """A part of the desktop that stays where it is."""

    rect: Rect
    about: Mapping[str, Any]
    _windows: Windows | None = field(default=None, init=False)
    _blind: bool = field(default=False, init=False)  # the system shows no windows

    def now(self) -> Rect | Hidden:
        """Where it always was."""
        return self.rect

    def focused(self) -> bool:
        """Whether the window that keys reach covers the middle of it."""
        if self._windows is None and not self._blind:
            try:
                self._windows = open_windows()
            except KartError:  # as on macOS
                self._blind = True
        if self._windows is None:
            return True
        place, rect = self._windows.focus_place(), self.rect
        middle = Rect(rect.left + rect.width // 2, rect.top + rect.height // 2, 1, 1)
        return place is not None and middle.within(place) == middle

    def close(self) -> None:
        """Release the list of windows."""
        if self._windows is not None:
            self._windows.close()


@dataclass(slots=True)
class WindowArea:
    """The inside of a window, wherever it goes; one that was closed is looked for again.

    Raises:
        KartError: there is no such window, or several.
    """

    windows: Windows
    title: str
    desktop: Rect
    about: Mapping[str, Any] = field(init=False)
    _handle: int | None = field(init=False)
    _search: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        found = find_window(self.windows, self.title)
        self._handle = found.handle
        self.about = {"window": found.title}

    def now(self) -> Rect | Hidden:
        """Where it is, if it can be seen."""
        if self._handle is None:
            return self._look_again()
        place = self.windows.inside(self._handle)
        if isinstance(place, Hidden):
            if place.reason == CLOSED:
                self._handle, self._search = None, time.monotonic()
            return place
        if place.is_tiny or place.within(self.desktop).is_tiny:
            return Hidden("the window is off the screen" if not place.is_tiny else "the window is too small")
        return place

    def _look_again(self) -> Rect | Hidden:
        if time.monotonic() < self._search:
            return Hidden(CLOSED)
        found = matching(self.windows.all(), self.title)
        if not found:
            self._search = time.monotonic() + _SEARCH_S
            return Hidden(CLOSED)
        self._handle = found[0].handle
        return self.now()

    def focused(self) -> bool:
        """Whether the window has the focus."""
        return self._handle is not None and self.windows.has_focus(self._handle)

    def close(self) -> None:
        """Release the list of windows."""
        self.windows.close()


class ScreenSource:
    """An area of the desktop, scaled to frames of one size.

    Args:
        pixels: of the desktop; closed with this.
        area: closed with this.
        height: of the frames; 0 keeps the area's own.

    Attributes:
        place: where on the desktop the last picture was; None before the first.
    """

    def __init__(self, pixels: Pixels, area: Area, height: int) -> None:
        self._pixels = pixels
        self._area = area
        self._scaler = Scaler(height)
        self.place: Rect | None = None
        self._sizes: list[dict[str, int]] = []  # of the area, each with the time from which on it held

    @property
    def monitors(self) -> Sequence[Rect]:
        """Of the desktop."""
        return self._pixels.monitors

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        frame = {"width": self._scaler.size[0], "height": self._scaler.size[1]} if self._scaler.size else {}
        first = {key: value for key, value in (self._sizes[0] if self._sizes else {}).items() if key != "t_ns"}
        return {"kind": "screen", **self._area.about, "seen": first, "frame": frame}

    def grab(self) -> Grab | Hidden:
        """What is seen now."""
        place = self._area.now()
        for _ in range(_LOOKS):
            if isinstance(place, Hidden):
                return place
            t_ns, pixels = now_ns(), self._pixels.grab(place)
            then, place = place, self._area.now()
            if place == then:  # else it moved, and a part of the picture is of something else
                break
        self.place = then
        self._note_size(t_ns, pixels)
        return Grab(self._scaler.frame(pixels), t_ns)

    def _note_size(self, t_ns: int, pixels: BGRX) -> None:
        height, width = pixels.shape[:2]
        if not self._sizes or (self._sizes[-1]["width"], self._sizes[-1]["height"]) != (width, height):
            self._sizes.append({"t_ns": t_ns, "width": width, "height": height})

    def notes(self) -> Mapping[str, Any]:
        """The sizes that the area had, where it had several: frames keep the size of the first."""
        return {"sizes": self._sizes} if len(self._sizes) > 1 else {}

    def focused(self) -> bool:
        """Whether keys that are pressed now reach what is shown."""
        return self._area.focused()

    def close(self) -> None:
        """Release screen and window."""
        self._pixels.close()
        self._area.close()


def open_source(where: Where, height: int) -> ScreenSource:
    """Look at a part of the screen.

    Raises:
        KartError: it cannot be read, there is no such part, or it cannot be seen now.
    """
    pixels = Pixels(where.display)
    try:
        area = _area(where, pixels)
        place = area.now()
        if isinstance(place, Hidden):
            area.close()
            raise KartError(f"There is nothing to see yet: {place.reason}. Bring it on the screen first.")
    except BaseException:
        pixels.close()
        raise
    return ScreenSource(pixels, area, height)


def _area(where: Where, pixels: Pixels) -> Area:
    if where.window:
        windows = open_windows()
        try:
            return WindowArea(windows, where.window, pixels.desktop)
        except BaseException:
            windows.close()
            raise
    if where.region is not None:
        region, desktop = where.region, pixels.desktop
        if region.within(desktop) != region:
            raise KartError(
                f"The region {region} reaches beyond the screen, which is {desktop.size} "
                f"from {desktop.left},{desktop.top} on."
            )
        return FixedArea(region, {"region": str(region)})
    number = where.monitor or 1
    if number > len(pixels.monitors):
        count = len(pixels.monitors)
        there = f"there {'is' if count == 1 else 'are'} {count}"
        raise KartError(f"There is no monitor {number}; {there}: see `python -m recorder screens`.")
    rect = pixels.monitors[number - 1]
    return FixedArea(rect, {"monitor": number, "region": str(rect)})
