"""Keys on Windows and macOS, whichever window has the focus."""

import sys
import threading
from collections.abc import Collection
from typing import Any

from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.key_layout import NAMED_KEYS
from recorder.devices.device import NoDeviceError
from recorder.devices.keys import Hold, check_key_library

_OURS = {theirs: name for name, (_, theirs) in NAMED_KEYS.items()}
_OURS |= {"shift_l": "left shift", "ctrl": "left ctrl", "alt": "left alt"}  # depends on the system


class PynputKeys:
    """Some keys as pynput's thread hears them.

    Args:
        keys: by our names.
        hold, by_hand: as for `hear_keys`.

    Raises:
        KartError: pynput is not installed.
        NoDeviceError: macOS does not permit it.
    """

    backend = "pynput"

    def __init__(self, keys: Collection[str], hold: Hold, *, by_hand: bool = False) -> None:
        try:
            from pynput import keyboard
        except ImportError as error:
            raise check_key_library(error) from error
        self._wanted = frozenset(keys)
        self._hold = hold
        self._by_hand = by_hand
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._listener = keyboard.Listener(
            on_press=lambda key, injected: self._note(key, True, injected),
            on_release=lambda key, injected: self._note(key, False, injected),
        )
        self._listener.start()
        self._listener.wait()
        if sys.platform == "darwin" and not self._listener.IS_TRUSTED:
            self.close()
            raise NoDeviceError(
                "keyboard",
                "macOS does not let this program hear keys",
                "Permit it for the terminal in Privacy & Security, under Accessibility and Input Monitoring.",
            )

    def check(self) -> None:
        """It tells of no failure."""

    def close(self) -> None:
        """Hear no more; may be called more than once."""
        self._listener.stop()

    def _note(self, key: Any, down: bool, injected: bool) -> None:
        """A key changed; `injected` by a program."""
        name = key_name(key)
        if name not in self._wanted or (injected and self._by_hand):
            return
        with self._lock:
            (self._held.add if down else self._held.discard)(name)
            self._hold(now_ns(), self._held)


def key_name(key: Any) -> str | None:
    """Our name of pynput's `Key` or `KeyCode`; None for keys that have none."""
    special = getattr(key, "name", None)
    if special is not None:
        return _OURS.get(special)
    code = getattr(key, "vk", None)
    if sys.platform == "win32" and code in range(ord("0"), ord("Z") + 1):
        return chr(code).lower()  # the key, whatever Shift and Ctrl make of it
    letter = getattr(key, "char", None)
    return letter.lower() if letter else None
