"""A gamepad of Linux' own: the kernel makes an X-Box 360 pad out of what is written to /dev/uinput."""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import UnavailableError, needs_extra
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.response import STICK_16, TRIGGER_8, Range

NODE = Path("/dev/uinput")
# The most common pad there is, as the kernel's driver xpad announces it: SDL and emulators know its layout.
NAME, VENDOR, PRODUCT, VERSION, BUS_USB = "Microsoft X-Box 360 pad", 0x045E, 0x028E, 0x0110, 0x03
_RULES = "/etc/udev/rules.d/70-kart-uinput.rules"  # before 73-seat-late.rules, which reads the tag
_PERMIT = (
    f"""echo 'KERNEL=="uinput", TAG+="uaccess", OPTIONS+="static_node=uinput"' | sudo tee {_RULES} """
    "&& sudo udevadm control --reload && sudo udevadm trigger --name-match=uinput"
)

_EV_SYN, _EV_KEY, _EV_ABS = 0x00, 0x01, 0x03  # linux/input-event-codes.h
_DOWN_16 = Range(STICK_16.high, STICK_16.rest, STICK_16.low)  # evdev has up at the lower end
_AXES: Mapping[str, tuple[int, Range]] = {
    "left_x": (0x00, STICK_16),
    "left_y": (0x01, _DOWN_16),
    "left_trigger": (0x02, TRIGGER_8),
    "right_x": (0x03, STICK_16),
    "right_y": (0x04, _DOWN_16),
    "right_trigger": (0x05, TRIGGER_8),
}
# xpad calls x the button of the north and y that of the west, wherever they are on the pad.
_BUTTONS: Mapping[str, int] = {"a": 0x130, "b": 0x131, "x": 0x133, "y": 0x134, "lb": 0x136, "rb": 0x137} | {
    "back": 0x13A,
    "start": 0x13B,
    "guide": 0x13C,
    "ls": 0x13D,
    "rs": 0x13E,
}
_HATS: Mapping[int, tuple[str, str]] = {0x10: ("dpad_left", "dpad_right"), 0x11: ("dpad_up", "dpad_down")}


def events(state: PadState) -> list[tuple[int, int, int]]:
    """The whole of a pad as (type, code, value); the kernel passes on what has changed."""
    axes = [(_EV_ABS, code, numbers.of(state.value(name))) for name, (code, numbers) in _AXES.items()]
    hats = [(_EV_ABS, code, round(state.value(high) - state.value(low))) for code, (low, high) in _HATS.items()]
    return axes + hats + [(_EV_KEY, code, int(name in state.buttons)) for name, code in _BUTTONS.items()]


class UinputPad:
    """A virtual pad, which is plugged in while this is open. The kernel unplugs it when the process ends.

    Args:
        make: instead of evdev's UInput, with the same arguments.

    Raises:
        UnavailableError: there is no /dev/uinput, it may not be written to, or python-evdev is not installed.
    """

    name = "uinput"

    def __init__(self, make: Callable[..., Any] | None = None) -> None:
        if make is None:
            check_node(NODE)
        try:
            from evdev import AbsInfo, UInput, UInputError
        except ImportError as missing:
            raise needs_extra("uinput", missing, "uinput") from missing
        ranges = {code: (numbers.low, numbers.high) for code, numbers in _AXES.values()} | dict.fromkeys(_HATS, (-1, 1))
        # Without fuzz and flat, for it does not tremble.
        axes = [(code, AbsInfo(0, min(ends), max(ends), 0, 0, 0)) for code, ends in ranges.items()]
        described: dict[int, Any] = {_EV_KEY: list(_BUTTONS.values()), _EV_ABS: axes}
        try:
            self._device = (make or UInput)(
                described, name=NAME, vendor=VENDOR, product=PRODUCT, version=VERSION, bustype=BUS_USB
            )
        except (UInputError, OSError) as trouble:
            raise UnavailableError(
                "uinput", f"{NODE} makes no pad ({trouble})", "Run `sudo modprobe -r uinput && sudo modprobe uinput`."
            ) from trouble
        self._open = True
        self.neutral()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "gamepad", "backend": "uinput", "name": NAME}

    def fileno(self) -> int:
        """The open /dev/uinput, for whoever is to let go of everything if this process no longer can."""
        return int(self._device.fd)

    def apply(self, state: PadState) -> None:
        """Hold the pad like this."""
        if not self._open:
            raise KartError("The virtual gamepad has been closed.")
        try:
            for event in events(state):
                self._device.write(*event)
            self._device.syn()
        except OSError as trouble:
            raise KartError(f"The virtual gamepad is gone ({trouble}).") from trouble

    def neutral(self) -> None:
        """Let go of everything."""
        with contextlib.suppress(KartError):  # a pad that is gone holds nothing
            self.apply(PadState())

    def close(self) -> None:
        """Let go and unplug."""
        if self._open:
            self.neutral()
            self._open = False
            self._device.close()


def check_node(node: Path) -> None:
    """That the kernel's device is there and may be used.

    Raises:
        UnavailableError: it is not, or may not; with the command that mends it. One for both: what a module makes is
            root's alone.
    """
    if not node.exists():
        raise UnavailableError(
            "uinput",
            f"{node} is missing, the kernel's module is not loaded",
            f"Run `sudo modprobe uinput && {_PERMIT}`.",
        )
    if not os.access(node, os.W_OK):
        raise UnavailableError("uinput", f"you may not write to {node}", f"Run `{_PERMIT}`.")
