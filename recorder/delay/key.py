"""The key that the program presses by itself, as a controller whose `press.PRESSED` it is."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import Controller
from kart_pipeline.desktop.key_layout import NAMED_KEYS, KeyLayout
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.session import wayland


def open_key(key: str) -> Controller:
    """A keyboard of one key.

    Args:
        key: a letter, a digit, or one of `NAMED_KEYS`.

    Raises:
        KartError: there is no such key, or no program can press keys here.
    """
    layout = KeyLayout({"a": key})
    if sys.platform in ("win32", "darwin") or wayland(os.environ) or not os.environ.get("DISPLAY"):
        raise KartError("The program can press keys under X11 only; leave --press out and press a button yourself.")
    return _XTestKey(layout.keys["a"])


class _XTestKey:
    """A key of the X server that DISPLAY names."""

    name = "keyboard"

    def __init__(self, key: str) -> None:
        try:
            from Xlib import XK, X, display, error
            from Xlib.ext import xtest
        except ImportError as missing:
            raise KartError(
                f"Pressing keys needs python-xlib ({missing}): pip install 'kart-pipeline[recorder]'."
            ) from missing
        try:
            self._display = display.Display()
        except (error.DisplayError, OSError) as trouble:
            raise KartError(f"The X server does not answer ({trouble}).") from trouble
        self._send = xtest.fake_input
        self._events = {True: X.KeyPress, False: X.KeyRelease}
        name = NAMED_KEYS[key][0] if key in NAMED_KEYS else key
        self._code = self._display.keysym_to_keycode(XK.string_to_keysym(name))
        self._down = False
        self.about: Mapping[str, Any] = {"device": "keyboard", "backend": "xtest", "keys": {"a": key}}

    def apply(self, state: PadState) -> None:
        self._hold("a" in state.buttons)

    def neutral(self) -> None:
        self._hold(False)

    def close(self) -> None:
        self.neutral()
        self._display.close()

    def _hold(self, down: bool) -> None:
        if down != self._down:
            self._down = down
            self._send(self._display, self._events[down], self._code)
            self._display.sync()
