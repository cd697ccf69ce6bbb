"""Commands given by things that are held together: buttons of the pad, and keys in whatever window has the focus."""

import contextlib
import threading
from collections.abc import Callable, Collection, Mapping

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from recorder.devices.device import Device
from recorder.devices.keys import hear_keys
from recorder.live.commands import Command, Commands

Obey = Callable[[Command], object]

_LOOK_S = 0.02


class Chords:
    """Tells when a command is given: once, when all of its parts have been held long enough.

    Args:
        chords: the parts of each command; one without parts is never given.
        hold_s: how long they must be held.
    """

    def __init__(self, chords: Mapping[Command, Collection[str]], hold_s: float) -> None:
        self._chords = {command: frozenset(parts) for command, parts in chords.items() if parts}
        self._hold_ns = round(hold_s * 1e9)
        self._since: dict[Command, int] = {}
        self._given: set[Command] = set()

    @property
    def parts(self) -> frozenset[str]:
        """All that belongs to any of them."""
        return frozenset().union(*self._chords.values())

    def given(self, t_ns: int, held: Collection[str]) -> list[Command]:
        """The commands that are given at `t_ns`, when exactly `held` are down."""
        found = []
        for command, parts in self._chords.items():
            if not parts.issubset(held):
                self._since.pop(command, None)
                self._given.discard(command)
            elif t_ns - self._since.setdefault(command, t_ns) >= self._hold_ns and command not in self._given:
                self._given.add(command)
                found.append(command)
        return found


class PadChords:
    """Watches the pad in a thread of its own; a context manager.

    Args:
        device: the pad.
        commands: what is to be heard.
        obey: is called in that thread.
    """

    def __init__(self, device: Device, commands: Commands, obey: Obey) -> None:
        self._device = device
        self._chords = Chords({command: item.pad for command, item in commands.bindings.items()}, commands.hold_s)
        self._obey = obey
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pad combinations", daemon=True)

    def _watch(self) -> None:
        with contextlib.suppress(KartError):  # of a pad that cannot be read any more; the recording tells it
            while not self._end.wait(_LOOK_S):
                t_ns = now_ns()
                for command in self._chords.given(t_ns, self._device.at(t_ns).buttons):
                    self._obey(command)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


class Hotkeys:
    """Hears keys in every window; a context manager.

    Args:
        commands: what is to be heard.
        obey: is called in a thread of its own.

    Raises:
        KartError: other programs' keys cannot be heard here.
    """

    def __init__(self, commands: Commands, obey: Obey) -> None:
        self._chords = Chords({command: item.keys for command, item in commands.bindings.items()}, 0.0)
        self._obey = obey
        self._heard = hear_keys(self._chords.parts, self._hold)

    def _hold(self, t_ns: int, held: Collection[str]) -> None:
        for command in self._chords.given(t_ns, held):
            self._obey(command)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._heard.close()
