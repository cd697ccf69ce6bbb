"""A pad of RetroArch, over its network: the "Network RetroPad" that it listens to, analog and without any driver.

Its `input/input_driver.c` reads one datagram a player and frame, `struct {int32 port, device, index, id; uint16 state}`
with padding, 20 bytes. Each sets one button or one axis, which stays; a datagram of any other size clears them all.
So what has changed most is sent first, and never more than a slow game takes in, for the rest would queue up.
"""

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.response import STICK_16, Range

Control = tuple[int, int, int]  # device, index, id, as libretro.h numbers them

_JOYPAD, _ANALOG = 1, 5
_DOWN_16 = Range(STICK_16.high, STICK_16.rest, STICK_16.low)  # up is negative
_AXES: Mapping[str, tuple[Control, Range]] = {
    "left_x": ((_ANALOG, 0, 0), STICK_16),
    "left_y": ((_ANALOG, 0, 1), _DOWN_16),
    "right_x": ((_ANALOG, 1, 0), STICK_16),
    "right_y": ((_ANALOG, 1, 1), _DOWN_16),
}
# By place, as RetroArch maps an X-Box pad: a, the lower button, is B on a RetroPad, which looks like that of a SNES.
_BUTTONS: Mapping[str, int] = {
    "a": 0,
    "x": 1,
    "back": 2,
    "start": 3,
    "dpad_up": 4,
    "dpad_down": 5,
    "dpad_left": 6,
    "dpad_right": 7,
} | {"b": 8, "y": 9, "lb": 10, "rb": 11, "left_trigger": 12, "right_trigger": 13, "ls": 14, "rs": 15}
_PRESSED = 0.5  # of a trigger
_FULL = 32768  # how urgent a button is, in the units of an axis
CLEAR = b"\0"
PACKET_S = 1 / 40  # slower than a PAL game's frames
_REFRESH_S = 0.25  # datagrams may be lost
ASK_FOR = 'network_remote_enable = "true" and network_remote_enable_user_p1 = "true"'


def values(state: PadState) -> dict[Control, int]:
    """How the whole RetroPad stands; it has no guide button."""
    sticks = {control: numbers.of(state.value(name)) for name, (control, numbers) in _AXES.items()}
    return sticks | {(_JOYPAD, 0, number): int(state.value(name) > _PRESSED) for name, number in _BUTTONS.items()}


def packet(control: Control, value: int) -> bytes:
    """The datagram that sets one control."""
    return struct.pack("<iiiiHxx", 0, *control, value & 0xFFFF)


def most_urgent(sent: Mapping[Control, int], wanted: Mapping[Control, int]) -> Control | None:
    """The control that is farthest from what is wanted, a button before any axis; None where all is as wanted."""

    def urgency(control: Control) -> int:
        return abs(wanted[control] - sent[control]) * (2 * _FULL if control[0] == _JOYPAD else 1)

    farthest = max(wanted, key=urgency)
    return farthest if urgency(farthest) else None


class RetroArchPad:
    """The pad of a player of a RetroArch that runs here or elsewhere.

    Args:
        host: where.
        port: of the player; 55400 is that of the first.

    Raises:
        UnavailableError: there is no such machine, or nobody listens there.
    """

    name = "retroarch"

    def __init__(self, host: str, port: int) -> None:
        self._place = f"{host}:{port}"
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
        except OSError as trouble:
            raise UnavailableError("retroarch", f"there is no {self._place} ({trouble})", "Name another.") from trouble
        self._sent = self._wanted = values(PadState())
        self._controls = itertools.cycle(self._wanted)
        self._error: KartError | None = None
        self._active = self._closed = False
        self._sent_s = 0.0
        self._change = threading.Condition()
        try:
            self._socket.connect(address)
            for _ in range(2):  # that nobody listens is told at the second
                self._socket.send(CLEAR)
                time.sleep(PACKET_S)
        except OSError as trouble:
            self._socket.close()
            why = f"no RetroArch listens at {self._place} ({trouble})"
            remedy = f"Start it with {ASK_FOR} in retroarch.cfg, or switch on Settings, Network, Network RetroPad."
            raise UnavailableError("retroarch", why, remedy) from trouble
        self._thread = threading.Thread(target=self._run, name="packets to RetroArch", daemon=True)
        self._thread.start()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "gamepad", "backend": "network retropad", "place": self._place}

    def apply(self, state: PadState) -> None:
        """What changes is sent in the next moments, by and by.

        Raises:
            KartError: nobody listens any more.
        """
        with self._change:
            if self._error is not None:
                raise self._error
            self._wanted, self._active = values(state), True
            self._change.notify()

    def neutral(self) -> None:
        """Let go of everything, by a datagram that clears it."""
        with self._change:
            self._active = False
            self._sent = self._wanted = values(PadState())
            with contextlib.suppress(OSError):  # closed already, or nobody is there who could hold anything
                for _ in range(2):  # one may be lost
                    self._socket.send(CLEAR)

    def close(self) -> None:
        """The same, for good."""
        self.neutral()
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        with self._change:
            while not self._closed:
                wait_s = self._due_in_s() if self._active else None
                if wait_s is None or wait_s > 0:
                    self._change.wait(wait_s)
                else:
                    self._send(most_urgent(self._sent, self._wanted) or next(self._controls))

    def _due_in_s(self) -> float:
        """A change is due when the last datagram has been read; else one control is told again now and then."""
        gap_s = PACKET_S if most_urgent(self._sent, self._wanted) else _REFRESH_S
        return self._sent_s + gap_s - time.monotonic()

    def _send(self, control: Control) -> None:
        self._sent_s = time.monotonic()
        try:
            self._socket.send(packet(control, self._wanted[control]))
        except OSError as trouble:
            self._error = KartError(f"RetroArch is gone: nobody listens at {self._place} ({trouble}).")
            self._active = False
        else:
            self._sent = {**self._sent, control: self._wanted[control]}


def clear(host: str, port: int) -> None:
    """Let go of everything that whoever sends there may hold.

    Raises:
        OSError: nobody listens there.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as sender:
        for _ in range(3):
            sender.sendto(CLEAR, address)
            time.sleep(PACKET_S)
