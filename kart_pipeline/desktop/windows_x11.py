"""Windows of an X server, with a window manager or without."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.windows import CLOSED, MINIMISED, Hidden, WindowInfo


class X11Windows:
    """The windows of the X server that DISPLAY names; belongs to one thread.

    A window manager puts each window into a frame of its own; the window itself has no title bar, so its own place is
    what is wanted, and the tree of all windows leads to it whoever manages them.

    Raises:
        KartError: python-xlib is not installed, or there is no such server.
    """

    def __init__(self) -> None:
        try:
            from Xlib import X, display, error
        except ImportError as missing:
            raise KartError(
                f"Finding windows needs python-xlib ({missing}): pip install 'kart-pipeline[recorder]'."
            ) from missing
        try:
            self._display = display.Display()
        except (error.DisplayError, OSError) as trouble:
            raise KartError(f"The X server does not answer ({trouble}); start this on a desktop.") from trouble
        self._visible = X.IsViewable
        self._under_pointer = X.PointerRoot
        self._gone: tuple[type[Exception], ...] = (error.BadWindow, error.BadDrawable)
        self._lost: Any = error.ConnectionClosedError
        self._root = self._display.screen().root
        self._name = self._display.intern_atom("_NET_WM_NAME")
        self._state = self._display.intern_atom("WM_STATE")

    def all(self) -> Sequence[WindowInfo]:
        """Windows with a title that are shown, and those that a window manager has minimised."""
        with self._server():
            return list(self._titled(self._root))

    def inside(self, handle: int) -> Rect | Hidden:
        """Where it shows its picture now."""
        with self._server():
            try:
                return self._inside(self._display.create_resource_object("window", handle))
            except self._gone:
                return Hidden(CLOSED)

    def has_focus(self, handle: int) -> bool:
        """Whether it has the focus, or its frame, or a window within it."""
        with self._server():
            try:
                focus = self._focus()
                window = self._display.create_resource_object("window", handle)
                return focus is not None and (handle in self._line(focus) or focus.id in self._line(window))
            except self._gone:
                return False

    def focus_place(self) -> Rect | None:
        """Where the window with the focus shows its picture."""
        with self._server():
            try:
                focus = self._focus()
                place = None if focus is None else self._inside(focus)
            except self._gone:
                return None
            return place if isinstance(place, Rect) else None

    def close(self) -> None:
        """Leave the server."""
        with contextlib.suppress(self._lost):
            self._display.close()

    @contextlib.contextmanager
    def _server(self) -> Iterator[None]:
        try:
            yield
        except self._lost as trouble:
            raise KartError(f"The X server has gone ({trouble}); nothing more can be recorded.") from trouble

    def _focus(self) -> Any:
        """The window that gets keys; None where none does.

        Where the desktop itself has the focus, as it may without a window manager, that is the one under the mouse.
        """
        focus = self._display.get_input_focus().focus
        if focus in (self._under_pointer, self._root):
            focus = self._root.query_pointer().child
        return focus if hasattr(focus, "id") else None

    def _line(self, window: Any) -> Iterator[int]:
        """Numbers of the window and of all in which it is, but for the desktop."""
        while window and window.id != self._root.id:
            yield window.id
            window = window.query_tree().parent

    def _inside(self, window: Any) -> Rect | Hidden:
        if window.get_attributes().map_state != self._visible:
            return Hidden(MINIMISED)
        size = window.get_geometry()
        place = self._root.translate_coords(window, 0, 0)
        return Rect(place.x, place.y, size.width, size.height)

    def _titled(self, window: Any) -> Iterator[WindowInfo]:
        """Those below `window`, the uppermost first; a frame with the title of the window in it is not told."""
        for child in reversed(window.query_tree().children):
            try:
                below = list(self._titled(child))
                title = self._title(child)
                inside = self._inside(child)
                # Windows that were never shown are no windows to anybody; a manager gives each of its own a state.
                counts = isinstance(inside, Rect) or child.get_full_property(self._state, 0) is not None
            except self._gone:  # closed just now
                continue
            if title and counts and not any(info.title == title for info in below):
                yield WindowInfo(child.id, title, inside if isinstance(inside, Rect) else None)
            yield from below

    def _title(self, window: Any) -> str:
        text = window.get_full_text_property(self._name) or window.get_wm_name() or ""
        return text if isinstance(text, str) else text.decode("latin-1")
