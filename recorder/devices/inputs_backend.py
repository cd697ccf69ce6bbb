"""Gamepads through the package `inputs`, with the faults of its last release made good.

It does not say the range of an axis nor which way is up, and its names of buttons mean others by system and driver:
`inputs_codes` knows. Its second look around has lost the names of events, and its read blocks for ever, or on Windows
takes a whole core: here it is asked only when there is something, and the thread never keeps the program from ending.
"""

import glob
import select
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.pad import UNPLUGGED, PadState
from recorder.devices.device import PLUG_IN, Listener, NoDeviceError
from recorder.devices.found import Found, linux_hint
from recorder.devices.inputs_codes import Decoder, button_names, held_keys, maker_driver, ranges_of
from recorder.devices.timeline import Timeline

_LOOK_S = 0.1  # for the wish to end
_SEARCH_S = 0.5  # for a pad that was plugged in again
_NO_PACKET = 2**32 - 1  # another than that of any first look
_POLL_S = 0.004  # on Windows, where nothing can be waited for


class InputsPad(Listener):
    """The first gamepad that `inputs` sees, which comes back after it was unplugged.

    Args:
        match: a part of the pad's name; "" takes any.
        comes_back: an unplugged pad is looked for.

    Raises:
        KartError: `inputs` is not installed, or the pad may not be read.
        NoDeviceError: no such pad is plugged in.
    """

    def __init__(self, match: str = "", *, comes_back: bool = True) -> None:
        super().__init__("gamepad")
        self._match = match
        self._comes_back = comes_back
        self._states: Timeline[PadState] = Timeline(UNPLUGGED)
        self.name = ""
        self._start()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "gamepad", "backend": "inputs", "name": self.name}

    @property
    def connected(self) -> bool:
        """Whether it is plugged in now."""
        return self._states.last.connected

    def at(self, t_ns: int) -> PadState:
        """How it stood at `t_ns`."""
        self.check()
        return self._states.at(t_ns)

    def _listen(self) -> None:
        inputs = _inputs()
        pads = _look_again(inputs)  # what it saw when it was imported may be another device by now
        pad = self._find(pads)
        if pad is None:
            names = ", ".join(map(str, pads))
            raise _nothing(self._match, names)
        while not self._closing.is_set():
            if pad is not None:
                self.name = str(pad)
                try:
                    self._follow(inputs, pad)
                except _UnpluggedError:
                    pass
                except KartError:
                    if not self._opened.is_set():
                        raise
                    # Who may read a pad that was just plugged in is settled a moment later.
                self._states.push(now_ns(), UNPLUGGED)
            self._closing.wait(_SEARCH_S if self._comes_back else None)
            pad = self._find(_look_again(inputs))

    def _find(self, pads: Iterable[Any]) -> Any:
        fitting = [pad for pad in pads if self._match.casefold() in str(pad).casefold()]
        return next((pad for pad in fitting if str(pad) == self.name), fitting[0] if fitting else None)

    def _follow(self, inputs: Any, pad: Any) -> None:
        """Read until it is unplugged, which raises, or `_closing` is set."""
        windows = sys.platform == "win32"
        source = _Windows(inputs, pad) if windows else _Linux(inputs, pad)
        with source:
            decoder = Decoder(button_names(source.driver, windows=windows), source.ranges, up_is_negative=not windows)
            for code in source.held:
                decoder.take(code, 1)
            self._states.push(now_ns(), decoder.state())
            self._opened.set()
            while not self._closing.is_set():
                events = source.events()
                t_ns = now_ns()
                for event in events:
                    decoder.take(event.code, event.state)
                if events:
                    self._states.push(t_ns, decoder.state())


class _UnpluggedError(Exception):
    """The pad is not there any more."""


class _Linux:
    """A pad of `inputs` on Linux, read without its buffer so that it can be waited for."""

    def __init__(self, inputs: Any, pad: Any) -> None:
        self._inputs = inputs
        self._pad = pad
        path = Path(pad.get_char_device_path())
        try:
            self._file = path.open("rb", buffering=0)
        except PermissionError as error:
            raise KartError(
                f"You may not read the gamepad {pad} ({path}): become a member of the group input, and log in anew."
            ) from error
        except OSError as error:
            raise _UnpluggedError from error
        pad._character_file = self._file  # it would open it with a buffer, which hides waiting events
        device = Path("/sys/class/input") / path.name / "device"
        driver = device / "device/driver"
        self.driver = driver.resolve().name if driver.exists() else maker_driver(device / "id/vendor")
        self.ranges = ranges_of(self._file.fileno())
        names = inputs.devices.codes["Key"]
        self.held = [names[number] for number in held_keys(self._file.fileno()) if number in names]

    def events(self) -> list[Any]:
        """Those that come within a moment; often none."""
        if not select.select([self._file], [], [], _LOOK_S)[0]:
            return []
        unknown = (self._inputs.UnknownEventType, self._inputs.UnknownEventCode)
        try:
            events = self._pad._do_iter()  # `read` would go on for ever at the end of a file
        except OSError as error:
            raise _UnpluggedError from error
        except unknown:  # a code newer than the package's list: nothing that a standard pad has
            return []
        if events is None:
            raise _UnpluggedError
        return list(events)

    def __enter__(self) -> "_Linux":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Windows:
    """A pad of `inputs` on Windows, asked at a steady pace."""

    driver = "xinput"
    held = ()  # told at the first look

    def __init__(self, inputs: Any, pad: Any) -> None:
        self._inputs = inputs
        self._pad = pad
        # It compares with how the pad stood when it was found: what was held then would be told at its release only.
        pad._GamePad__last_state = inputs.XinputState(packet_number=_NO_PACKET)
        self.ranges = ranges_of(None)

    def events(self) -> list[Any]:
        """Those since the last call."""
        time.sleep(_POLL_S)
        try:
            self._pad._GamePad__check_state()  # `read` asks without a pause, on a core of its own
        except self._inputs.UnpluggedError as error:
            raise _UnpluggedError from error
        found: list[Any] = []
        while events := self._pad._do_iter():
            found += events
        return found

    def __enter__(self) -> "_Windows":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def inputs_pads() -> list[Found]:
    """All gamepads that `inputs` sees, or that it sees none.

    Raises:
        KartError: `inputs` is not installed.
    """
    found = [Found("inputs", str(pad), True) for pad in _look_again(_inputs())]
    return found or [Found("inputs", "", False, _none_seen())]


def _inputs() -> Any:
    if sys.platform == "darwin":
        raise NoDeviceError("gamepad", "inputs reads no gamepads on macOS", "Use --pad sdl.")
    try:
        with _no_lights():
            import inputs
    except ImportError as error:
        raise KartError(
            f"Reading pads through inputs needs that package ({error}): pip install 'kart-pipeline[recorder]'."
        ) from error
    except OSError as error:
        raise KartError(
            f"The package inputs cannot look at this machine's devices ({error}); use --pad sdl."
        ) from error
    # One of its tables is a generator, which its first look has used up: every later one would miss names of events.
    inputs.EVENT_MAP = tuple(inputs.devices.codes.items())
    inputs.DeviceManager._find_leds = lambda _: None
    return inputs


@contextmanager
def _no_lights() -> Iterator[None]:
    """Keep `inputs` from its look at lights: at that of an X-Box pad its import ends in an AttributeError.

    https://github.com/zeth/inputs/issues/72; it looks while it is imported, so nothing of it can be mended before.
    """
    real = glob.glob

    def without_lights(pathname: Any, *args: Any, **named: Any) -> list[Any]:
        return [] if str(pathname).startswith("/sys/class/leds") else real(pathname, *args, **named)

    glob.glob = without_lights
    try:
        yield
    finally:
        glob.glob = real


def _look_again(inputs: Any) -> list[Any]:
    """The gamepads that are there now."""
    try:
        return list(inputs.DeviceManager().gamepads)
    except OSError:  # something came or went in the middle of the look
        return []


def _none_seen() -> str:
    if sys.platform == "linux" and any(map(_is_pad, Path("/sys/class/input").glob("event*"))):
        return "it sees only what udev has linked in /dev/input/by-id or by-path, as it does for pads with a USB plug"
    return "none is seen"


def _is_pad(device: Path) -> bool:
    """Whether an input device of the kernel has a gamepad's or joystick's first button (linux/input-event-codes.h)."""
    try:
        words = (device / "device/capabilities/key").read_text().split()
    except OSError:  # unplugged just now
        return False
    digits = 2 * struct.calcsize("P")  # the kernel writes longs, the highest first
    keys = int("".join(word.zfill(digits) for word in words) or "0", 16)
    return any(keys >> code & 1 for code in (0x120, 0x130))


def _nothing(match: str, names: str) -> NoDeviceError:
    reason = f"none has {match!r} in its name; there is {names}" if names else _none_seen()
    return NoDeviceError("gamepad", reason, linux_hint() or PLUG_IN)
