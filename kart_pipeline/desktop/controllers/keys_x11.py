"""Keys under X11, pressed by the XTEST extension: any program's window takes them for those of a keyboard."""

import contextlib
from collections.abc import Collection, Iterator

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import UnavailableError, needs_extra
from kart_pipeline.desktop.key_layout import NAMED_KEYS, KeyLayout


class X11Sender:
    """The keyboard of an X server.

    Args:
        layout: the keys.
        name: of the server, as DISPLAY has it.

    Raises:
        UnavailableError: there is no such server, it cannot press keys, or its keyboard lacks one of the layout.
    """

    backend = "xtest"

    def __init__(self, layout: KeyLayout, name: str) -> None:
        try:
            from Xlib import XK, X, display, error
            from Xlib.ext import xtest
        except ImportError as missing:
            raise needs_extra("keyboard", missing, "recorder") from missing
        self._lost = error.ConnectionClosedError
        self._kinds = {True: X.KeyPress, False: X.KeyRelease}
        self._fake = xtest.fake_input
        try:
            self._display = display.Display(name)
        except (error.DisplayError, OSError) as trouble:
            why = f"the X server {name} does not answer ({trouble})"
            raise UnavailableError("keyboard", why, "Start it on a desktop.") from trouble
        with self._server():
            if not self._display.has_extension(xtest.extname):
                raise UnavailableError("keyboard", f"the X server {name} has no XTEST extension", "Use another.")
            self._codes = {
                key: self._display.keysym_to_keycode(
                    XK.string_to_keysym(NAMED_KEYS[key][0] if key in NAMED_KEYS else key)
                )
                for key in layout.keys.values()
            }
        lacking = ", ".join(key for key, code in self._codes.items() if not code)
        if lacking:
            self.close()
            why = f"the keyboard of the X server {name} has no {lacking}"
            raise UnavailableError("keyboard", why, "Choose other keys in pads.toml, section [keyboard].")

    def down(self) -> Collection[str]:
        """As the server's map of keys has it."""
        with self._server():
            held = self._display.query_keymap()
        return [key for key, code in self._codes.items() if held[code // 8] >> code % 8 & 1]

    def send(self, key: str, down: bool) -> None:
        """By a keyboard of the server's own, so it does not meddle with those that a person has."""
        with self._server():
            self._fake(self._display, self._kinds[down], self._codes[key])
            self._display.sync()  # it is done when this returns, also for those who look from elsewhere

    def close(self) -> None:
        """Leave the server."""
        with contextlib.suppress(self._lost):
            self._display.close()

    @contextlib.contextmanager
    def _server(self) -> Iterator[None]:
        try:
            yield
        except self._lost as trouble:
            raise KartError(f"The X server has gone ({trouble}); no key can be pressed any more.") from trouble
