"""Where a window of ours may lie, so that it is not in the picture that is recorded."""

from collections.abc import Sequence

from kart_pipeline.desktop.rect import Rect

_SIDE, _TITLE = 8, 40  # pixels of a window's frame, at most: the desktop draws it outside of what we are told
SCALES = (1.0, 0.75, 0.5)


def framed(window: Rect) -> Rect:
    """A window with its frame and title bar."""
    return Rect(window.left - _SIDE, window.top - _TITLE, window.width + 2 * _SIDE, window.height + _TITLE + _SIDE)


def overlap(window: Rect, recorded: Rect) -> bool:
    """Whether any of the window is in the recorded picture."""
    seen = framed(window).within(recorded)
    return seen.width > 0 and seen.height > 0


def beside(recorded: Rect, monitors: Sequence[Rect], size: tuple[int, int]) -> tuple[Rect, float] | None:
    """A place for a window, the largest that there is, and by how much it is smaller than wished for.

    Args:
        recorded: that must stay free.
        monitors: of the desktop.
        size: of the window as wished for.

    Returns:
        The inside of the window and one of `SCALES`; None where there is no room.
    """
    for scale in SCALES:
        width, height = round(size[0] * scale), round(size[1] * scale)
        for free in (area for monitor in monitors for area in _free(recorded, monitor)):
            if width + 2 * _SIDE <= free.width and height + _TITLE + _SIDE <= free.height:
                return Rect(free.left + _SIDE, free.top + _TITLE, width, height), scale
    return None


def _free(recorded: Rect, monitor: Rect) -> list[Rect]:
    """The parts of a monitor to the right, left, below and above of what is recorded."""
    seen = recorded.within(monitor)
    if not seen.width or not seen.height:
        return [monitor]
    return [
        Rect(seen.right, monitor.top, monitor.right - seen.right, monitor.height),
        Rect(monitor.left, monitor.top, seen.left - monitor.left, monitor.height),
        Rect(monitor.left, seen.bottom, monitor.width, monitor.bottom - seen.bottom),
        Rect(monitor.left, monitor.top, monitor.width, seen.top - monitor.top),
    ]
