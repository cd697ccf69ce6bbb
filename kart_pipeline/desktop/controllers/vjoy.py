"""A joystick of the Windows driver vJoy, for games that know DirectInput and no X-Box pad."""

import contextlib
from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import UnavailableError, check_windows, needs_extra
from kart_pipeline.desktop.pad import BUTTONS, PadState
from kart_pipeline.desktop.response import Range

_RIGHT, _DOWN, _TRIGGER = Range(1, 0x4000, 0x8000), Range(0x8000, 0x4000, 1), Range(1, 1, 0x8000)
_AXES: Mapping[str, tuple[str, Range]] = {
    "left_x": ("wAxisX", _RIGHT),
    "left_y": ("wAxisY", _DOWN),
    "left_trigger": ("wAxisZ", _TRIGGER),
    "right_x": ("wAxisXRot", _RIGHT),
    "right_y": ("wAxisYRot", _DOWN),
    "right_trigger": ("wAxisZRot", _TRIGGER),
}


class VjoyPad:
    """The first joystick that vJoy is configured for; buttons are numbered from 1 in the order of `pad.BUTTONS`.

    Args:
        library: instead of the package pyvjoy.

    Raises:
        UnavailableError: this is not Windows, the package or the driver is missing, or another program has it.
    """

    name = "vjoy"

    def __init__(self, library: Any = None) -> None:
        self._library: Any = library or _library()
        try:
            self._device: Any = self._library.VJoyDevice(1)
        except self._library.exceptions.vJoyException as trouble:
            why = f"its driver does not hand out joystick 1 ({type(trouble).__name__} {trouble})".replace(" )", ")")
            remedy = "Install vJoy, switch joystick 1 on in its program Configure vJoy, with 6 axes and 15 buttons."
            raise UnavailableError("vjoy", why, remedy) from trouble
        self.neutral()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "joystick", "backend": "vjoy", "name": "vJoy Device"}

    def apply(self, state: PadState) -> None:
        """Hold the joystick like this."""
        if self._device is None:
            raise KartError("The virtual joystick has been closed.")
        report = self._device.data
        for axis, (field, numbers) in _AXES.items():
            setattr(report, field, numbers.of(state.value(axis)))
        report.lButtons = sum(1 << number for number, button in enumerate(BUTTONS) if button in state.buttons)
        if not self._device.update():  # in one go; it does not raise
            raise KartError("The virtual joystick is gone: vJoy takes nothing any more.")

    def neutral(self) -> None:
        """Let go of everything."""
        with contextlib.suppress(KartError):  # a joystick that is gone holds nothing
            self.apply(PadState())

    def close(self) -> None:
        """Let go and give the joystick back, which the package does when nobody has it any more."""
        self.neutral()
        self._device = None


def _library() -> Any:
    check_windows("vjoy")
    try:
        import pyvjoy
    except ImportError as missing:
        raise needs_extra("vjoy", missing, "vjoy") from missing
    except SystemExit as trouble:  # that is how it says that its DLL cannot be loaded
        raise UnavailableError(
            "vjoy", "pyvjoy finds no vJoyInterface.dll", "Run `pip install --force-reinstall pyvjoy`."
        ) from trouble
    return pyvjoy
