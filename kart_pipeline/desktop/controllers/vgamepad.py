"""A gamepad of Windows' own: the driver ViGEmBus makes an X-Box 360 pad, which every game takes for a real one."""

import contextlib
from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import UnavailableError, check_windows, needs_extra
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.response import STICK_16, TRIGGER_8

_BUTTONS: Mapping[str, str] = (
    {name: f"XUSB_GAMEPAD_{name.upper()}" for name in ("a", "b", "x", "y", "back", "start", "guide")}
    | {"lb": "XUSB_GAMEPAD_LEFT_SHOULDER", "rb": "XUSB_GAMEPAD_RIGHT_SHOULDER"}
    | {"ls": "XUSB_GAMEPAD_LEFT_THUMB", "rs": "XUSB_GAMEPAD_RIGHT_THUMB"}
    | {f"dpad_{name}": f"XUSB_GAMEPAD_DPAD_{name.upper()}" for name in ("up", "down", "left", "right")}
)


class VigemPad:
    """A virtual pad, which is plugged in while this is open. The driver unplugs it when the process ends.

    Args:
        library: instead of the package vgamepad.

    Raises:
        UnavailableError: this is not Windows, or the package or the driver is missing.
    """

    name = "vgamepad"

    def __init__(self, library: Any = None) -> None:
        self._library: Any = library or _library()
        try:
            self._pad: Any = self._library.VX360Gamepad()
        except RuntimeError as trouble:
            raise _no_driver(trouble) from trouble

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "gamepad", "backend": "vgamepad", "name": "Xbox 360 Controller"}

    def apply(self, state: PadState) -> None:
        """Hold the pad like this."""
        pad = self._pad
        if pad is None:
            raise KartError("The virtual gamepad has been closed.")
        sticks = [STICK_16.of(state.value(axis)) for axis in ("left_x", "left_y", "right_x", "right_y")]
        pad.reset()  # of what is going to be sent, not of the pad
        pad.left_joystick(*sticks[:2])
        pad.right_joystick(*sticks[2:])
        pad.left_trigger(TRIGGER_8.of(state.value("left_trigger")))
        pad.right_trigger(TRIGGER_8.of(state.value("right_trigger")))
        for button in state.buttons:
            pad.press_button(self._library.XUSB_BUTTON[_BUTTONS[button]])
        try:
            pad.update()
        except RuntimeError as trouble:
            raise KartError(f"The virtual gamepad is gone ({trouble}).") from trouble

    def neutral(self) -> None:
        """Let go of everything."""
        with contextlib.suppress(KartError):  # a pad that is gone holds nothing
            self.apply(PadState())

    def close(self) -> None:
        """Let go and unplug, which the package does when nobody has the pad any more."""
        self.neutral()
        self._pad = None


def _library() -> Any:
    check_windows("vgamepad")
    try:
        import vgamepad
    except ImportError as missing:
        raise needs_extra("vgamepad", missing, "vgamepad") from missing
    except RuntimeError as trouble:  # it looks for the driver when it is imported
        raise _no_driver(trouble) from trouble
    return vgamepad


def _no_driver(trouble: RuntimeError) -> UnavailableError:
    # Its setup.py starts the driver's installer where that is missing.
    remedy = "Run `pip install --force-reinstall --no-cache-dir vgamepad`."
    return UnavailableError("vgamepad", f"the driver ViGEmBus does not answer ({trouble})", remedy)
