"""Keys under X11 that a person presses, and not a program: for whoever presses keys and must not hear itself.

Every event of a key tells from which device it came. What programs press by the XTEST extension comes from a keyboard
of the server's own, so it can be told from what a hand does to another, also where both hold the same key. A remote
desktop that presses its keys by XTEST (x11vnc) is a program, too: its person is heard by a gamepad only.
"""

import select
from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.frame import now_ns
from recorder.devices.keys_x11 import X11Listener, ask_for_keys

_LOOK_S = 0.1  # for the wish to end
_PROGRAMS = "XTEST keyboard"  # a part of the name of the server's own keyboard, see xserver's Xext/xtest.c


class X11HandKeys(X11Listener):
    """Keys as a person holds them."""

    def _follow(self, server: Any, xinput: Any, codes: Mapping[str, int]) -> None:
        _ask(server, xinput)
        names = {code: key for key, code in codes.items()}
        programs = _programs(server, xinput)
        held: set[tuple[int, int]] = set()  # device and key
        self._opened.set()
        while not self._closing.is_set():
            while server.pending_events():
                event = server.next_event()
                kind = getattr(event, "evtype", None)
                if kind not in (xinput.RawKeyPress, xinput.RawKeyRelease):
                    continue
                device, code = event.data["sourceid"], event.data["detail"]
                if code not in names or device in programs:
                    continue
                (held.add if kind == xinput.RawKeyPress else held.discard)((device, code))
                self._hold(now_ns(), [names[code] for _, code in held])
            select.select([server.fileno()], [], [], _LOOK_S)


def _ask(server: Any, xinput: Any) -> None:
    """Ask for the raw events of all keys; since version 2.1 they come also where a game has grabbed the keyboard."""
    from Xlib.protocol import rq

    # python-xlib does not read these events by itself (XI2proto.h: xXIRawEvent), and asks for version 2.0 only
    raw = rq.Struct(
        *(rq.Card16("deviceid"), rq.Card32("time"), rq.Card32("detail"), rq.Card16("sourceid")),
        *(rq.Card16("valuators"), rq.Card32("flags"), rq.Pad(4)),
    )
    opcode = server.display.get_extension_major(xinput.extname)
    xinput.XIQueryVersion(display=server.display, opcode=opcode, major_version=2, minor_version=2)
    for kind in (xinput.RawKeyPress, xinput.RawKeyRelease):
        server.ge_add_event_data(opcode, kind, raw)
    ask_for_keys(server, xinput)


def _programs(server: Any, xinput: Any) -> set[int]:
    """The keyboards by which programs press keys."""
    return {
        device.deviceid
        for device in server.xinput_query_device(xinput.AllDevices).devices
        if device.use == xinput.SlaveKeyboard and _PROGRAMS in str(device.name)
    }
