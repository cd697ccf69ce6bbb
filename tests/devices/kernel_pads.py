"""Gamepads that a kernel makes of what we say: as a driver would (uinput), or under a real driver, as plugs do (uhid).

Codes and numbers are those of linux/input-event-codes.h and linux/uhid.h.
"""

import contextlib
import os
import struct
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import evdev
from evdev import AbsInfo, ecodes

_APPEARS_S = 60.0  # the guest is slow
XBOX_BUTTONS = {
    "a": ecodes.BTN_A,
    "b": ecodes.BTN_B,
    "x": ecodes.BTN_X,
    "y": ecodes.BTN_Y,
    "lb": ecodes.BTN_TL,
    "rb": ecodes.BTN_TR,
    "ls": ecodes.BTN_THUMBL,
    "rs": ecodes.BTN_THUMBR,
    "back": ecodes.BTN_SELECT,
    "start": ecodes.BTN_START,
    "guide": ecodes.BTN_MODE,
}
_STICK_16 = AbsInfo(0, -32768, 32767, 16, 128, 0)  # fuzz and flat as of xpad
_TRIGGER_8 = AbsInfo(0, 0, 255, 0, 0, 0)
_HAT = AbsInfo(0, -1, 1, 0, 0, 0)
D_PAD = {
    "dpad_left": (ecodes.ABS_HAT0X, -1),
    "dpad_right": (ecodes.ABS_HAT0X, 1),
    "dpad_up": (ecodes.ABS_HAT0Y, -1),
    "dpad_down": (ecodes.ABS_HAT0Y, 1),
}
STICKS = {
    "left_x": ecodes.ABS_X,
    "left_y": ecodes.ABS_Y,
    "right_x": ecodes.ABS_RX,
    "right_y": ecodes.ABS_RY,
    "left_trigger": ecodes.ABS_Z,
    "right_trigger": ecodes.ABS_RZ,
}


class KernelPad(Protocol):
    """A gamepad that a test has in its hands, in the words of the standard pad.

    Attributes:
        name: what the kernel calls it.
    """

    name: str

    def plug_in(self) -> None:
        """Make it, and wait until it is there for everybody."""

    def unplug(self) -> None:
        """Take it away; may be called more than once."""

    def press(self, button: str, down: bool = True) -> None:
        """Press or release."""

    def move(self, axis: str, value: float) -> None:
        """To `value` in [-1, 1], of a trigger in [0, 1]; up and right are positive."""


@dataclass
class UinputPad:
    """A gamepad as a driver of the kernel shows it: an X-Box 360 pad, where nothing else is said.

    Attributes:
        name: what it calls itself.
        vendor: by USB's numbers.
        product: the same.
        version: the same.
        stick: range and rest of its sticks.
        trigger: range and rest of its triggers.
        buttons: by our names the kernel's codes.
        axes: the same.
    """

    name: str = "Microsoft X-Box 360 pad"
    vendor: int = 0x045E
    product: int = 0x028E
    version: int = 0x0110
    stick: AbsInfo = _STICK_16
    trigger: AbsInfo = _TRIGGER_8
    buttons: Mapping[str, int] = field(default_factory=lambda: XBOX_BUTTONS)
    axes: Mapping[str, int] = field(default_factory=lambda: STICKS)
    device: evdev.UInput | None = None

    def plug_in(self) -> None:
        """Make it, and wait for udev, which sets its links and rights."""
        axes = [(code, self._range(axis)) for axis, code in self.axes.items()]
        axes += [(ecodes.ABS_HAT0X, _HAT), (ecodes.ABS_HAT0Y, _HAT)]
        events = {ecodes.EV_KEY: list(self.buttons.values()), ecodes.EV_ABS: axes}
        numbers = {"vendor": self.vendor, "product": self.product, "version": self.version}
        self.device = evdev.UInput(events, name=self.name, bustype=ecodes.BUS_USB, **numbers)
        wait_until(self.name, there=True)

    def unplug(self) -> None:
        """Take it away."""
        if self.device is not None:
            self.device.close()
            self.device = None
            wait_until(self.name, there=False)

    def press(self, button: str, down: bool = True) -> None:
        """Press or release."""
        if button in D_PAD and button not in self.buttons:
            code, value = D_PAD[button]
            self._send(ecodes.EV_ABS, code, value if down else 0)
        else:
            self._send(ecodes.EV_KEY, self.buttons[button], int(down))

    def move(self, axis: str, value: float) -> None:
        """To the device's number for `value`."""
        span = self._range(axis)
        if axis.endswith("trigger"):
            raw = round(span.min + value * (span.max - span.min))
        else:
            value = -value if axis.endswith("_y") else value  # the kernel's Y grows downwards
            raw = round(span.value + value * (span.max - span.value if value > 0 else span.value - span.min))
        self._send(ecodes.EV_ABS, self.axes[axis], raw)

    def _range(self, axis: str) -> AbsInfo:
        return self.trigger if axis.endswith("trigger") else self.stick

    def _send(self, kind: int, code: int, value: int) -> None:
        assert self.device is not None
        self.device.write(kind, code, value)
        self.device.syn()


def sony_by_uinput() -> UinputPad:
    """A pad with the numbers of Sony's, without Sony's driver: 0 to 255, buttons named by where they are."""
    pulled = {"pulled left": ecodes.BTN_TL2, "pulled right": ecodes.BTN_TR2}
    buttons = {**XBOX_BUTTONS, "x": ecodes.BTN_WEST, "y": ecodes.BTN_NORTH, **pulled}
    centred = AbsInfo(128, 0, 255, 0, 0, 0)
    name = "Sony Interactive Entertainment Wireless Controller"
    return UinputPad(name, 0x054C, 0x09CC, 0x8111, centred, buttons=buttons)


# A DualShock 4's first report, in the notation of the HID specification: four axes, a hat, 14 buttons and a counter,
# two triggers, and what we leave at 0; then the reports that the driver asks for and sends.
_DS4_REPORTS = bytes.fromhex(
    "05010905a1018501"
    "0930093109320935150026ff007508950481020939150025073500463b016514750495018142"
    "65000509190129 0e15002501750195 0e810206 00ff0920750695011500257f8102"
    "05010933093415002 6ff00750895028102 0600ff09219536 8102".replace(" ", "")
    + "85050922951f910285020924952 4b1028581092895 06b10285a30929 9530b102c0".replace(" ", "")
)
_CREATE, _DESTROY, _GET_REPORT, _GET_REPLY, _INPUT, _SET_REPORT, _SET_REPLY = 11, 1, 9, 10, 12, 13, 14
_EVENT_BYTES = 4380  # struct uhid_event


class DualShock4:
    """The pad of a PlayStation 4 as it lies on the wire: the kernel's own driver (hid-sony) makes a gamepad of it."""

    name = "Wireless Controller"
    _BUTTONS = ("x", "a", "b", "y", "lb", "rb", "l2", "r2", "back", "start", "ls", "rs", "guide", "touchpad")
    _AXES: Mapping[str, int] = {"left_x": 0, "left_y": 1, "right_x": 2, "right_y": 3}
    _HAT: Sequence[frozenset[str]] = tuple(
        frozenset(f"dpad_{way}" for way in ways.split())
        for ways in ("up", "up right", "right", "right down", "down", "down left", "left", "left up", "")
    )

    def __init__(self) -> None:
        self._file = -1
        self._rest()

    def plug_in(self) -> None:
        """Plug it in, and answer what its driver asks."""
        self._rest()
        self._file = os.open("/dev/uhid", os.O_RDWR)
        head = struct.pack(
            "<128s64s64sHHIIII", self.name.encode(), b"", b"", len(_DS4_REPORTS), 3, 0x054C, 0x09CC, 0x111, 0
        )
        self._write(_CREATE, head + _DS4_REPORTS)
        threading.Thread(target=self._answer, args=(self._file,), daemon=True).start()
        wait_until(self.name, there=True)
        self._report()

    def unplug(self) -> None:
        """Pull the plug."""
        if self._file >= 0:
            self._write(_DESTROY, b"")
            wait_until(self.name, there=False)
            os.close(self._file)
            self._file = -1

    def press(self, button: str, down: bool = True) -> None:
        """Press or release."""
        (self._pressed.add if down else self._pressed.discard)(button)
        self._report()

    def move(self, axis: str, value: float) -> None:
        """The middle of a stick is 128."""
        if axis.endswith("trigger"):
            self._triggers[axis.startswith("right")] = round(value * 255)
        else:
            value = -value if axis.endswith("_y") else value
            self._sticks[self._AXES[axis]] = round(128 + value * (127 if value > 0 else 128))
        self._report()

    def _rest(self) -> None:
        self._sticks, self._triggers = [128] * 4, [0, 0]
        self._pressed: set[str] = set()

    def _report(self) -> None:
        ways = frozenset(name for name in self._pressed if name.startswith("dpad"))
        bits = self._HAT.index(ways) | sum((name in self._pressed) << 4 + i for i, name in enumerate(self._BUTTONS))
        data = bytes([1, *self._sticks]) + bits.to_bytes(3, "little") + bytes(self._triggers)
        self._write(_INPUT, struct.pack("<H", 64) + data.ljust(64, b"\0"))

    def _answer(self, file: int) -> None:
        # Whatever the driver asks for (calibration, address, version): numbers of which none is 0, for it divides.
        while event := _read_event(file):
            kind, number = struct.unpack_from("<II", event)
            if kind == _GET_REPORT:
                report = bytes([event[8], *range(1, 64)])
                self._write(_GET_REPLY, struct.pack("<IHH", number, 0, len(report)) + report)
            elif kind == _SET_REPORT:
                self._write(_SET_REPLY, struct.pack("<IH", number, 0))

    def _write(self, kind: int, data: bytes) -> None:
        os.write(self._file, (struct.pack("<I", kind) + data).ljust(_EVENT_BYTES, b"\0"))


def _read_event(file: int) -> bytes:
    try:
        return os.read(file, _EVENT_BYTES)
    except OSError:  # unplugged
        return b""


def wait_until(name: str, *, there: bool) -> None:
    """A gamepad of that name has come or gone, and udev has dealt with that."""
    end = time.monotonic() + _APPEARS_S
    while (name in _names()) != there:
        assert time.monotonic() < end, f"the kernel knows of {_names()}"
        time.sleep(0.01)
    subprocess.run(["udevadm", "settle"], check=True)  # noqa: S607


def _names() -> list[str]:
    """Of all that is plugged in."""
    found = []
    for event in Path("/sys/class/input").glob("event*"):
        with contextlib.suppress(OSError):  # just unplugged
            found.append((event / "device/name").read_text(encoding="utf-8").strip())
    return found
