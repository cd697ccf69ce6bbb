"""Windows of Microsoft Windows."""

import ctypes
from collections.abc import Sequence
from ctypes import wintypes
from typing import Any

from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.windows import CLOSED, MINIMISED, Hidden, WindowInfo

_GA_ROOT = 2  # winuser.h
_DWMWA_CLOAKED = 14  # dwmapi.h: of another virtual desktop, or an app that sleeps


class Win32Windows:
    """The windows of this user's desktop, in real pixels whatever the scaling of the screen."""

    def __init__(self) -> None:
        system: Any = ctypes  # what is looked up below exists on Windows only
        self._callback = system.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)
        self._user = user = system.WinDLL("user32")
        self._dwm = system.WinDLL("dwmapi")
        user.SetProcessDPIAware()  # else the system tells places in pixels of a smaller screen
        user.EnumWindows.argtypes = [self._callback, wintypes.LPARAM]
        for name in ("IsWindow", "IsWindowVisible", "IsIconic"):
            getattr(user, name).argtypes = [wintypes.HWND]
        user.GetForegroundWindow.restype = wintypes.HWND
        user.GetAncestor.argtypes, user.GetAncestor.restype = [wintypes.HWND, wintypes.UINT], wintypes.HWND
        user.GetWindowTextLengthW.argtypes = [wintypes.HWND]
        user.GetWindowTextW.argtypes = [wintypes.HWND, wintypes.LPWSTR, ctypes.c_int]
        user.GetClientRect.argtypes = [wintypes.HWND, ctypes.POINTER(wintypes.RECT)]
        user.ClientToScreen.argtypes = [wintypes.HWND, ctypes.POINTER(wintypes.POINT)]
        self._dwm.DwmGetWindowAttribute.argtypes = [wintypes.HWND, wintypes.DWORD, wintypes.LPVOID, wintypes.DWORD]

    def all(self) -> Sequence[WindowInfo]:
        """The frontmost first."""
        found: list[WindowInfo] = []

        def note(handle: int, _: int) -> bool:
            title = self._title(handle)
            if title and self._user.IsWindowVisible(handle) and not self._cloaked(handle):
                inside = self.inside(handle)
                found.append(WindowInfo(handle, title, inside if isinstance(inside, Rect) else None))
            return True

        self._user.EnumWindows(self._callback(note), 0)
        return found

    def inside(self, handle: int) -> Rect | Hidden:
        """Where its client area is now."""
        size, corner = wintypes.RECT(), wintypes.POINT(0, 0)
        if not self._user.IsWindow(handle):
            return Hidden(CLOSED)
        if self._user.IsIconic(handle) or not self._user.IsWindowVisible(handle):
            return Hidden(MINIMISED)
        read = self._user.GetClientRect(handle, ctypes.byref(size))
        if not (read and self._user.ClientToScreen(handle, ctypes.byref(corner))):
            return Hidden(CLOSED)  # between the lines
        return Rect(corner.x, corner.y, size.right, size.bottom)

    def has_focus(self, handle: int) -> bool:
        """Whether it is in the foreground."""
        foremost = self._user.GetForegroundWindow()
        return bool(foremost) and foremost == self._user.GetAncestor(handle, _GA_ROOT)

    def focus_place(self) -> Rect | None:
        """Where the window in the foreground is."""
        foremost = self._user.GetForegroundWindow()
        place = self.inside(foremost) if foremost else None
        return place if isinstance(place, Rect) else None

    def close(self) -> None:
        """Nothing is held."""

    def _title(self, handle: int) -> str:
        length = self._user.GetWindowTextLengthW(handle)
        text = ctypes.create_unicode_buffer(length + 1)
        self._user.GetWindowTextW(handle, text, length + 1)
        return text.value

    def _cloaked(self, handle: int) -> bool:
        cloaked = wintypes.DWORD(0)
        self._dwm.DwmGetWindowAttribute(handle, _DWMWA_CLOAKED, ctypes.byref(cloaked), ctypes.sizeof(cloaked))
        return bool(cloaked.value)
