"""Gamepads through the package `inputs`, with the faults of its last release made good.

It does not say the range of an axis nor which way is up, and its names of buttons mean others by system and driver:
`inputs_codes` knows. Its second look around has lost the names of events, and its read blocks for ever, or on Windows
takes a whole core: here it is asked only when there is something, and the thread never keeps the program from ending.
"""

import select
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.pad import UNPLUGGED, PadState
from recorder.devices.device import PLUG_IN, Listener, NoDeviceError
from recorder.devices.found import Found, linux_hint
from recorder.devices.inputs_codes import Decoder, button_names, ranges_of
from recorder.devices.timeline import Timeline

_LOOK_S = 0.1  # for the wish to end
_SEARCH_S = 0.5  # for a pad that was plugged in again
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
        pad = self._find(inputs.devices.gamepads)
        if pad is None:
            names = ", ".join(str(other) for other in inputs.devices.gamepads)
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
        driver = Path("/sys/class/input") / path.name / "device/device/driver"
        self.driver = driver.resolve().name if driver.exists() else ""
        self.ranges = ranges_of(self._file.fileno())

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

    def __init__(self, inputs: Any, pad: Any) -> None:
        self._inputs = inputs
        self._pad = pad
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
    """All gamepads that `inputs` sees.

    Raises:
        KartError: `inputs` is not installed.
    """
    return [Found("inputs", str(pad), True) for pad in _look_again(_inputs())]


def _inputs() -> Any:
    if sys.platform == "darwin":
        raise NoDeviceError("gamepad", "inputs reads no gamepads on macOS", "Use --pad sdl.")
    try:
        import inputs
    except ImportError as error:
        raise KartError(
            f"Reading pads through inputs needs that package ({error}): pip install 'kart-pipeline[recorder]'."
        ) from error
    except OSError as error:
        raise KartError(
            f"The package inputs cannot look at this machine's devices ({error}); use --pad sdl."
        ) from error
    return inputs


def _look_again(inputs: Any) -> list[Any]:
    """The gamepads that are there now."""
    try:
        manager = inputs.DeviceManager()
    except OSError:  # something came or went in the middle of the look
        return []
    manager.codes = inputs.devices.codes  # one of its tables is a generator, which the first manager has used up
    return list(manager.gamepads)


def _nothing(match: str, names: str) -> NoDeviceError:
    reason = f"none has {match!r} in its name; there is {names}" if names else "none is seen"
    return NoDeviceError("gamepad", reason, linux_hint() or PLUG_IN)
