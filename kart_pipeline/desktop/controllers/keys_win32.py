"""Keys on Windows, pressed by SendInput: as scan codes, for games do not look at anything else."""

import ctypes
import string
from collections.abc import Collection
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.key_layout import KeyLayout

# WinUser.h
_INPUT_KEYBOARD = 1
_EXTENDEDKEY, _KEYUP, _SCANCODE = 0x1, 0x2, 0x8
_MAPVK_VK_TO_VSC = 0
_VIRTUAL_KEYS = (
    {letter: ord(letter.upper()) for letter in string.ascii_lowercase + string.digits}
    | {f"f{number}": 0x6F + number for number in range(1, 13)}
    | {"backspace": 0x08, "tab": 0x09, "return": 0x0D, "space": 0x20}
    | {"left": 0x25, "up": 0x26, "right": 0x27, "down": 0x28}
    | {"left shift": 0xA0, "right shift": 0xA1, "left ctrl": 0xA2, "right ctrl": 0xA3}
    | {"left alt": 0xA4, "right alt": 0xA5}
)
_EXTENDED = {"left", "up", "right", "down", "right ctrl", "right alt"}  # share a scan code with another key


class _KeyInput(ctypes.Structure):
    _fields_ = (
        ("vk", ctypes.c_uint16),
        ("scan", ctypes.c_uint16),
        ("flags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("extra", ctypes.c_size_t),
    )


class _MouseInput(ctypes.Structure):
    """The largest of the union, which gives it its size."""

    _fields_ = (
        ("dx", ctypes.c_int32),
        ("dy", ctypes.c_int32),
        ("data", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("extra", ctypes.c_size_t),
    )


class _Union(ctypes.Union):
    _fields_ = (("key", _KeyInput), ("mouse", _MouseInput))


class _Input(ctypes.Structure):
    _fields_ = (("type", ctypes.c_uint32), ("u", _Union))


class Win32Sender:
    """The keyboard of this user's desktop.

    Args:
        layout: the keys.
        user32: instead of the system's.
    """

    backend = "sendinput"

    def __init__(self, layout: KeyLayout, user32: Any = None) -> None:
        system: Any = ctypes  # WinDLL exists on Windows only
        self._user = user32 or system.WinDLL("user32", use_last_error=True)
        self._user.GetAsyncKeyState.restype = ctypes.c_int16
        self._keys = set(layout.keys.values())

    def down(self) -> Collection[str]:
        """As the system has it at this moment, whichever window the keys go to."""
        return [key for key in self._keys if self._user.GetAsyncKeyState(_VIRTUAL_KEYS[key]) & 0x8000]

    def send(self, key: str, down: bool) -> None:
        """To the window that has the focus.

        Raises:
            KartError: Windows does not let keys through to it.
        """
        scan = self._user.MapVirtualKeyW(_VIRTUAL_KEYS[key], _MAPVK_VK_TO_VSC) & 0xFF
        flags = _SCANCODE | (0 if down else _KEYUP) | (_EXTENDEDKEY if key in _EXTENDED else 0)
        event = _Input(_INPUT_KEYBOARD, _Union(key=_KeyInput(0, scan, flags, 0, 0)))
        if self._user.SendInput(1, ctypes.byref(event), ctypes.sizeof(event)) != 1:
            why = "the screen is locked, or the game runs as administrator and this does not"
            raise KartError(f"Windows lets no key through: {why}.")

    def close(self) -> None:
        """Nothing is held."""
