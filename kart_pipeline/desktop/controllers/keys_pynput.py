"""Keys through pynput, for macOS."""

import importlib
import sys
from typing import Any

from kart_pipeline.desktop.controllers.base import UnavailableError, needs_extra
from kart_pipeline.desktop.key_layout import NAMED_KEYS, KeyLayout


class PynputSender:
    """The keyboard as pynput presses it. The system does not tell it what is down.

    Args:
        layout: the keys.

    Raises:
        UnavailableError: pynput is not installed, or macOS does not permit it.
    """

    backend = "pynput"

    def __init__(self, layout: KeyLayout) -> None:
        try:
            from pynput import keyboard
        except ImportError as error:
            raise needs_extra("keyboard", error, "recorder") from error
        # HIServices comes with pynput on macOS.
        if sys.platform == "darwin" and not importlib.import_module("HIServices").AXIsProcessTrusted():
            why = "macOS does not let this program press keys"
            remedy = "Permit it for the terminal in Privacy & Security, under Accessibility."
            raise UnavailableError("keyboard", why, remedy)
        self._keyboard: Any = keyboard.Controller()
        self._keys = {
            key: getattr(keyboard.Key, NAMED_KEYS[key][1]) if key in NAMED_KEYS else key for key in layout.keys.values()
        }

    def down(self) -> None:
        """It does not tell."""

    def send(self, key: str, down: bool) -> None:
        """To the window that has the focus."""
        (self._keyboard.press if down else self._keyboard.release)(self._keys[key])

    def close(self) -> None:
        """Nothing is held."""
