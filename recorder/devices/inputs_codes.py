"""What the codes and numbers of a pad's events mean: they differ by system and by driver."""

import array
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.desktop.pad import PadState, clamped

# Numbers of linux/input-event-codes.h, by the names that `inputs` gives them.
_ABS_CODES = {
    "ABS_X": 0x00,
    "ABS_Y": 0x01,
    "ABS_Z": 0x02,
    "ABS_RX": 0x03,
    "ABS_RY": 0x04,
    "ABS_RZ": 0x05,
    "ABS_GAS": 0x09,
    "ABS_BRAKE": 0x0A,
    "ABS_HAT0X": 0x10,
    "ABS_HAT0Y": 0x11,
}
_ABSINFO_INTS = 6  # struct input_absinfo: value, minimum, maximum, fuzz, flat, resolution
_KEY_BYTES = 0x300 // 8  # one bit for each of KEY_CNT
_SAME_BUTTONS = {
    "BTN_TL": "lb",
    "BTN_TR": "rb",
    "BTN_THUMBL": "ls",
    "BTN_THUMBR": "rs",
    "BTN_MODE": "guide",
    "BTN_DPAD_UP": "dpad_up",
    "BTN_DPAD_DOWN": "dpad_down",
    "BTN_DPAD_LEFT": "dpad_left",
    "BTN_DPAD_RIGHT": "dpad_right",
}
_SELECT_START = {"BTN_SELECT": "back", "BTN_START": "start"}
# The kernel's names say where a button is, but the drivers of X-Box pads send BTN_X, which is BTN_NORTH, for the X on
# the left (Documentation/input/gamepad.rst has it otherwise). Those of Sony's and Nintendo's pads keep to the rule.
_BY_DRIVER = {
    "xbox": {"BTN_SOUTH": "a", "BTN_EAST": "b", "BTN_NORTH": "x", "BTN_WEST": "y", **_SELECT_START},
    "sony": {"BTN_SOUTH": "a", "BTN_EAST": "b", "BTN_NORTH": "y", "BTN_WEST": "x", **_SELECT_START},
    "nintendo": {"BTN_SOUTH": "b", "BTN_EAST": "a", "BTN_NORTH": "x", "BTN_WEST": "y", **_SELECT_START},
    # `inputs` itself makes these of XInput's numbers, and takes Start and Back for each other.
    "xinput": {
        "BTN_SOUTH": "a",
        "BTN_EAST": "b",
        "BTN_NORTH": "y",
        "BTN_WEST": "x",
        "BTN_SELECT": "start",
        "BTN_START": "back",
    },
}
_DRIVER_OF_MAKER = {"054c": "sony", "057e": "nintendo"}  # by USB's number of the maker
_DIGITAL_TRIGGERS = {"BTN_TL2": "left_trigger", "BTN_TR2": "right_trigger"}
_STICKS = {"ABS_X": "left_x", "ABS_Y": "left_y", "ABS_RX": "right_x", "ABS_RY": "right_y"}
_TRIGGERS = {"ABS_Z": "left_trigger", "ABS_RZ": "right_trigger"}
# X-Box pads over Bluetooth: triggers as pedals, which frees Z and RZ for the right stick.
_PEDALS = {"ABS_BRAKE": "left_trigger", "ABS_GAS": "right_trigger", "ABS_Z": "right_x", "ABS_RZ": "right_y"}


@dataclass(frozen=True, slots=True)
class Range:
    """Between which numbers an axis moves, and where it stood when it was asked."""

    least: int
    most: int
    value: int

    def stick(self, value: int) -> float:
        """In [-1, 1], 0 in the middle."""
        middle = (self.least + self.most + 1) // 2  # 0 of -32768 to 32767, 128 of 0 to 255
        return clamped((value - middle) / max(1, self.most - middle if value > middle else middle - self.least))

    def trigger(self, value: int) -> float:
        """In [0, 1], 0 at rest."""
        return max(0.0, clamped((value - self.least) / (self.most - self.least)))


# XInput's, which are the same for every pad; for Linux where a device does not say.
_XINPUT = {name: Range(-32768, 32767, 0) for name in _STICKS} | {name: Range(0, 255, 0) for name in _TRIGGERS}


def ranges_of(descriptor: int | None) -> dict[str, Range]:
    """By `inputs`' name of an axis its range, as the kernel knows it (EVIOCGABS of linux/input.h).

    Args:
        descriptor: of an open /dev/input/event*; None on Windows, where all pads have XInput's ranges.
    """
    found: dict[str, Range] = {}
    if descriptor is not None and sys.platform == "linux":
        import fcntl

        for name, code in _ABS_CODES.items():
            answer = array.array("i", [0] * _ABSINFO_INTS)
            request = 2 << 30 | answer.itemsize * _ABSINFO_INTS << 16 | ord("E") << 8 | 0x40 + code
            try:
                fcntl.ioctl(descriptor, request, answer)
            except OSError:  # no such axis, or no such device
                continue
            if answer[1] < answer[2]:
                found[name] = Range(answer[1], answer[2], answer[0])
    return found or dict(_XINPUT)


def held_keys(descriptor: int) -> list[int]:
    """Numbers of the buttons that are down, which were pressed before anybody listened (EVIOCGKEY of linux/input.h).

    Args:
        descriptor: of an open /dev/input/event*.
    """
    if sys.platform != "linux":
        return []
    import fcntl

    answer = bytearray(_KEY_BYTES)
    try:
        fcntl.ioctl(descriptor, 2 << 30 | _KEY_BYTES << 16 | ord("E") << 8 | 0x18, answer)
    except OSError:  # no such device
        return []
    return [number for number in range(8 * _KEY_BYTES) if answer[number // 8] >> number % 8 & 1]


def maker_driver(vendor: Path) -> str:
    """The driver whose names a pad without one goes by: its maker's; "" for X-Box pads. Programs make such pads.

    Args:
        vendor: the file in which the kernel tells the maker's number.
    """
    try:
        return _DRIVER_OF_MAKER.get(vendor.read_text(encoding="ascii").strip(), "")
    except OSError:
        return ""


def button_names(driver: str, *, windows: bool = False) -> dict[str, str]:
    """The standard pad's button for each of `inputs`' names, under that driver of Linux or on Windows."""
    if windows:
        kind = "xinput"
    elif driver in ("sony", "playstation"):
        kind = "sony"
    else:
        kind = "nintendo" if driver == "nintendo" else "xbox"
    return _SAME_BUTTONS | _BY_DRIVER[kind]


class Decoder:
    """Collects the events of a pad into its state.

    Args:
        buttons: from `button_names`.
        ranges: from `ranges_of`.
        up_is_negative: as on Linux; XInput has it the other way round.
    """

    def __init__(self, buttons: Mapping[str, str], ranges: Mapping[str, Range], *, up_is_negative: bool) -> None:
        self._buttons = buttons
        self._ranges = ranges
        self._up = -1 if up_is_negative else 1
        self._controls = _STICKS | (_PEDALS if "ABS_GAS" in ranges else _TRIGGERS)
        self._axes: dict[str, float] = {}
        self._pressed: set[str] = set()
        for name, span in ranges.items():
            self.take(name, span.value)

    def take(self, code: str, value: int) -> None:
        """One event, by `inputs`' name of it; what a standard pad does not have is left aside."""
        if code in self._buttons:
            self._press(self._buttons[code], value != 0)
        elif code in _DIGITAL_TRIGGERS:
            if "ABS_Z" not in self._ranges:  # else the same pull is told twice
                self._axes[_DIGITAL_TRIGGERS[code]] = float(value != 0)
        elif code == "ABS_HAT0X":
            self._press("dpad_left", value < 0)
            self._press("dpad_right", value > 0)
        elif code == "ABS_HAT0Y":  # up is negative on every system
            self._press("dpad_up", value < 0)
            self._press("dpad_down", value > 0)
        elif code in self._controls and code in self._ranges:
            control, span = self._controls[code], self._ranges[code]
            if control.endswith("trigger"):
                self._axes[control] = span.trigger(value)
            else:
                self._axes[control] = span.stick(value) * (self._up if control.endswith("_y") else 1)

    def state(self) -> PadState:
        """How the pad stands after the events so far."""
        return PadState(dict(self._axes), frozenset(self._pressed))

    def _press(self, button: str, down: bool) -> None:
        (self._pressed.add if down else self._pressed.discard)(button)
