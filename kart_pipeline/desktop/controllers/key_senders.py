"""The system's own way to press keys."""

import os
import sys
from collections.abc import Mapping

from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.keyboard import KeySender
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.session import wayland


def open_sender(layout: KeyLayout, environ: Mapping[str, str] | None = None) -> KeySender:
    """Whatever presses the keys of the layout here.

    Args:
        layout: the keys.
        environ: instead of this process's environment.

    Raises:
        UnavailableError: this system lets no program press keys, or a package is missing.
    """
    environ = os.environ if environ is None else environ
    if sys.platform == "win32":
        from kart_pipeline.desktop.controllers.keys_win32 import Win32Sender

        return Win32Sender(layout)
    if sys.platform == "darwin":
        from kart_pipeline.desktop.controllers.keys_pynput import PynputSender

        return PynputSender(layout)
    if wayland(environ):
        why = "Wayland lets no program press keys for another"
        raise UnavailableError("keyboard", why, "Log in to an X11 session, or use --controller uinput.")
    if not environ.get("DISPLAY"):
        raise UnavailableError("keyboard", "there is no screen here (DISPLAY is not set)", "Start it on a desktop.")
    from kart_pipeline.desktop.controllers.keys_x11 import X11Sender

    return X11Sender(layout, environ["DISPLAY"])
