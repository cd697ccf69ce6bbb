"""The process that lets go of the controls when the one that plays no longer can: `python -m` this module.

Its standard input tells it: one line of JSON (an `Order`), then a byte for each beat. The end of the input, or beats
that fail to come, mean that the player was killed, stopped or hangs.
"""

import contextlib
import json
import os
import queue
import signal
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import BinaryIO, cast

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.choose import ControllerChoice
from kart_pipeline.desktop.controllers.key_senders import open_sender
from kart_pipeline.desktop.controllers.retroarch import clear
from kart_pipeline.desktop.controllers.uinput import events
from kart_pipeline.desktop.controllers.vjoy import VjoyPad
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState

HELD, RESTING, BYE = b"h", b"r", b"q"  # the beats: the player holds something, nothing, is done
READY = "ready"


@dataclass(frozen=True, slots=True)
class Order:
    """What to let go of, and when.

    Attributes:
        controller: as `--controller` has it.
        keys: of the layout, by part of the pad.
        stall_s: how long the beats may fail to come while something is held.
        pad_fd: number of the player's /dev/uinput, which the guard has inherited; -1 without.
    """

    controller: str
    keys: Mapping[str, str]
    stall_s: float
    pad_fd: int = -1

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"


def watch(beats: BinaryIO, order: Order, release: Callable[[], None]) -> None:
    """Until the player ends: let go whenever beats fail to come, and when they end without a goodbye."""
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:  # in a thread, for there is no waiting for a pipe with a limit on Windows
        while beat := beats.read(1):
            heard.put(beat)
        heard.put(b"")

    threading.Thread(target=listen, daemon=True).start()
    last = RESTING
    while True:
        try:
            last = heard.get(timeout=order.stall_s if last == HELD else None)
        except queue.Empty:
            release()
            last = RESTING
            continue
        if last == b"":
            release()
        if last in (b"", BYE):
            return


def releaser(order: Order) -> Callable[[], None]:
    """What lets go of everything that a controller of this kind can hold.

    The pad of vgamepad cannot be reached from another process; its driver unplugs it when the player has ended.

    Raises:
        KartError: it cannot be had here.
    """
    choice = ControllerChoice.parse(order.controller)
    if choice.kind == "keyboard":
        sender = open_sender(layout := KeyLayout(order.keys))

        def release_keys() -> None:
            down = sender.down()
            for key in set(layout.keys.values()) if down is None else down:
                sender.send(key, False)

        return release_keys
    if choice.kind == "retroarch":
        return lambda: clear(choice.host, choice.port)
    if choice.kind == "uinput":
        return lambda: _rest_pad(order.pad_fd)
    if choice.kind == "vjoy":
        return _rest_joystick
    return lambda: None


def _rest_joystick() -> None:
    with contextlib.suppress(KartError):  # whose it is as long as the player lives, even if that is stopped
        VjoyPad().close()


def _rest_pad(descriptor: int) -> None:
    packed = [struct.pack("llHHi", 0, 0, *event) for event in [*events(PadState()), (0, 0, 0)]]  # ends with a report
    os.write(descriptor, b"".join(packed))


def main() -> int:
    """Watch over the process at the other end of standard input."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):  # meant for the player; the guard goes when that has gone
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    # Without a buffer: its lock would be held by the listening thread when the interpreter ends, which is fatal to it.
    beats = cast("BinaryIO", os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0))
    try:
        order = Order(**json.loads(beats.readline()))
        release = releaser(order)
    except (KartError, ValueError, TypeError) as error:
        sys.stdout.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    try:
        watch(beats, order, release)
    except (KartError, OSError) as error:  # the screen or the pad has gone before the player: nothing is held there
        sys.stderr.write(f"The guard of the controls could not let go of them: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
