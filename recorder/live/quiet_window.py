"""Opening a window of ours so that the keys still go to the game."""

import os
import time
from typing import Any

_SETTLE_S = 0.5  # for whoever gives the focus to new windows


def open_quietly(pygame: Any, size: tuple[int, int]) -> Any:
    """The surface of a window that opens without the focus; on macOS it takes it all the same.

    Args:
        pygame: the module, its display initialised, `SDL_WINDOW_NO_ACTIVATION_WHEN_SHOWN` set: Windows goes by that.
        size: of the inside.
    """
    if pygame.display.get_driver() != "x11":
        return pygame.display.set_mode(size)
    surface = pygame.display.set_mode(size, pygame.HIDDEN)
    handle = pygame.display.get_wm_info()["window"]
    from Xlib import X, display, error

    server = display.Display(os.environ.get("DISPLAY"))
    try:
        focus = server.get_input_focus().focus
        # Extended Window Manager Hints: of a window that the person asked for at time 0, the focus is not wanted.
        window = server.create_resource_object("window", handle)
        window.change_property(server.intern_atom("_NET_WM_USER_TIME"), server.intern_atom("CARDINAL"), 32, [0])
        server.sync()
        pygame.Window.from_display_module().show()
        end = time.monotonic() + _SETTLE_S
        while time.monotonic() < end:
            pygame.event.pump()
            now = server.get_input_focus().focus
            if getattr(now, "id", now) == handle and hasattr(focus, "id"):  # SDL takes it where nobody gives it
                focus.set_input_focus(X.RevertToParent, X.CurrentTime, onerror=error.CatchError())
                server.sync()
            time.sleep(0.02)
    finally:
        server.close()
    return surface
