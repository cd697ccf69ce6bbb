"""The keyboard as a pad while another program has the focus, or in a window of our own.

On Linux keys are heard through X11 (python-xlib, which needs no compiler; pynput would need one for evdev), on Windows
and macOS through pynput. Only the keys that were asked for are ever looked at.
"""

import os
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Protocol

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.session import wayland
from recorder.devices.device import Device, NoDeviceError
from recorder.devices.keystick import KeyStick

Hold = Callable[[int, Collection[str]], object]  # is told when something changed, and the keys that are down from then


class HeardKeys(Protocol):
    """Keys that are heard whichever window has the focus."""

    backend: str

    def check(self) -> None:
        """Raise KartError where they are not heard any more."""

    def close(self) -> None:
        """Hear no more; may be called more than once."""


class KeyWindow(Protocol):
    """A window that knows which keys are held in it."""

    @property
    def keys(self) -> set[str]:
        """Names of the keys that are down."""


class WindowKeyboard:
    """The keyboard in a window of our own: no other program's keys are heard, and no system minds."""

    name = "keyboard"
    connected = True

    def __init__(self, layout: KeyLayout, window: KeyWindow) -> None:
        self._stick = KeyStick(layout, now_ns())
        self._window = window

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {**self._stick.layout.about, "backend": "window"}

    def at(self, t_ns: int) -> PadState:
        """How the keys stand; the window knows of a key when it takes in its events, so `t_ns` is to be now."""
        self._stick.hold(t_ns, self._window.keys)
        return self._stick.at(t_ns)

    def close(self) -> None:
        """Nothing of its own to release."""


class Keyboard:
    """The keyboard, heard whichever window has the focus.

    Args:
        layout: which key is what.
        hear: opens the keys.

    Raises:
        NoDeviceError: as for `hear_keys`.
    """

    name = "keyboard"
    connected = True

    def __init__(self, layout: KeyLayout, hear: Callable[[Collection[str], Hold], HeardKeys]) -> None:
        self._stick = KeyStick(layout, now_ns())
        self._heard = hear([*layout.keys.values()], self._stick.hold)

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {**self._stick.layout.about, "backend": self._heard.backend}

    def at(self, t_ns: int) -> PadState:
        """How the keys stood at `t_ns`."""
        self._heard.check()
        return self._stick.at(t_ns)

    def close(self) -> None:
        """Hear no more."""
        self._heard.close()


def open_keyboard(layout: KeyLayout, *, by_hand: bool = False) -> Device:
    """The keyboard as a pad; NoDeviceError as for `hear_keys`."""
    return Keyboard(layout, partial(hear_keys, by_hand=by_hand))


def hear_keys(keys: Collection[str], hold: Hold, *, by_hand: bool = False) -> HeardKeys:
    """Hear some keys whichever window has the focus.

    Args:
        keys: by our names.
        hold: is called in a thread of its own when one of them is pressed or let go of.
        by_hand: only what a person presses counts, and not what programs do, such as this one.

    Raises:
        NoDeviceError: this system does not let other programs' keys be heard; the sentence says what does work.
    """
    if sys.platform in ("win32", "darwin"):
        from recorder.devices.keys_pynput import PynputKeys

        return PynputKeys(keys, hold, by_hand=by_hand)
    if wayland(os.environ):
        why = "Wayland lets no program hear the keys that are meant for another"
        raise NoDeviceError("keyboard", why, "Use a gamepad, or log in to an X11 session.")
    if not os.environ.get("DISPLAY"):
        raise NoDeviceError("keyboard", "there is no screen here (DISPLAY is not set)", "Start this on a desktop.")
    from recorder.devices.hand_keys_x11 import X11HandKeys
    from recorder.devices.keys_x11 import X11Keys

    return X11HandKeys(keys, hold) if by_hand else X11Keys(keys, hold)


def check_key_library(error: ImportError) -> KartError:
    """What is missing to hear keys."""
    return KartError(f"Hearing keys needs {error.name} ({error}): pip install 'kart-pipeline[recorder]'.")
