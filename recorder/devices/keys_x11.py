"""Keys under X11, whichever window has the focus.

Raw events of the XInput 2 extension, which go to whoever asks, say when something changed; the server's own map of keys
says what is held. So a release can never be missed, and holding a key costs nothing.
"""

import contextlib
import select
from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.key_layout import NAMED_KEYS
from recorder.devices.device import Listener, NoDeviceError
from recorder.devices.keys import Hold, check_key_library

_LOOK_S = 0.1  # for the wish to end; also how late a change of which no event came is seen


class X11Listener(Listener):
    """Hears some keys of the X server that DISPLAY names.

    Args:
        keys: by our names.
        hold: as for `hear_keys`.

    Raises:
        KartError: python-xlib is not installed.
        NoDeviceError: there is no such server.
    """

    backend = "x11"

    def __init__(self, keys: Collection[str], hold: Hold) -> None:
        super().__init__("keyboard")
        self._keys = frozenset(keys)
        self._hold = hold
        self._start()

    @abstractmethod
    def _follow(self, server: Any, xinput: Any, codes: Mapping[str, int]) -> None:
        """Ask for events, set `_opened`, and tell what is held until `_closing` is set.

        Args:
            server: the connection.
            xinput: python-xlib's module of the extension, which the server has.
            codes: the server's number of each key that it has.
        """

    def _listen(self) -> None:
        try:
            from Xlib import XK, display, error
            from Xlib.ext import xinput
        except ImportError as missing:
            raise check_key_library(missing) from missing
        try:
            server = display.Display()
        except (error.DisplayError, OSError) as trouble:
            raise NoDeviceError(
                "keyboard", f"the X server does not answer ({trouble})", "Start this on a desktop."
            ) from trouble
        try:
            if not server.has_extension(xinput.extname):
                raise NoDeviceError("keyboard", "this X server has no XInput extension", "Use a gamepad.")
            codes = {
                key: server.keysym_to_keycode(XK.string_to_keysym(NAMED_KEYS[key][0] if key in NAMED_KEYS else key))
                for key in self._keys
            }
            # 0: this keyboard has no such key
            self._follow(server, xinput, {key: code for key, code in codes.items() if code})
        except error.ConnectionClosedError as trouble:
            raise KartError(f"The X server has gone ({trouble}); keys are no longer heard.") from trouble
        finally:
            with contextlib.suppress(error.ConnectionClosedError):  # it closes by itself then
                server.close()


def ask_for_keys(server: Any, xinput: Any) -> None:
    """Want to be told of all keys, whoever has the focus; the version of the extension has been asked for."""
    mask = xinput.RawKeyPressMask | xinput.RawKeyReleaseMask
    server.screen().root.xinput_select_events([(xinput.AllMasterDevices, mask)])


class X11Keys(X11Listener):
    """Keys by whomever they are pressed, a person or a program."""

    def _follow(self, server: Any, xinput: Any, codes: Mapping[str, int]) -> None:
        server.xinput_query_version()  # the server wants to know that we mean the second version
        ask_for_keys(server, xinput)
        while not self._closing.is_set():
            for _ in range(server.pending_events()):
                server.next_event()
            t_ns = now_ns()
            held = server.query_keymap()
            self._hold(t_ns, [key for key, code in codes.items() if held[code // 8] >> code % 8 & 1])
            self._opened.set()
            if not server.pending_events():  # the answer may have brought some along
                select.select([server.fileno()], [], [], _LOOK_S)
