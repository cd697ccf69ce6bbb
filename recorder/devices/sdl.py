"""Any gamepad whose layout SDL knows, on every system: Xbox, PlayStation, Switch, adapters for N64 pads.

SDL is asked at a steady pace rather than for its events: those belong to whoever has a window, and neither the video
part of SDL nor the focus of a window is needed so. The framework of macOS tells of pads only to a main thread with a
window (https://github.com/libsdl-org/SDL/issues/12886), so SDL is asked to do without it; untried on a Mac.

What is held while a pad is opened is known at once, but for triggers: SDL takes them for released until they move.
"""

import os
import queue
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.core.settings import Settings
from kart_pipeline.desktop.pad import UNPLUGGED, PadState, clamped
from recorder.devices.device import PLUG_IN, Listener, NoDeviceError
from recorder.devices.found import Found, linux_hint
from recorder.devices.layouts import LAYOUTS, announce_layouts
from recorder.devices.timeline import Timeline

POLL_S = 0.004  # pads report every 4 to 10 ms; an event is known this late at most
_SEARCH_S = 0.25  # for a pad that was plugged in again
_HARDLY, _STRONG = 0.01, 0.6  # of what the motors can
_FULL = 32767  # SDL's axes reach from -32768 to 32767, its triggers from 0

_AXES = {  # by pygame's name: ours, and the sign that makes up positive
    "LEFTX": ("left_x", 1),
    "LEFTY": ("left_y", -1),
    "RIGHTX": ("right_x", 1),
    "RIGHTY": ("right_y", -1),
    "TRIGGERLEFT": ("left_trigger", 1),
    "TRIGGERRIGHT": ("right_trigger", 1),
}
# SDL goes by the labels: a is what is printed on a Switch pad's A, and the lower of the four where nothing is printed.
_BUTTONS = {
    **{name.upper(): name for name in ("a", "b", "x", "y", "back", "start", "guide")},
    **{name.upper(): name for name in ("dpad_up", "dpad_down", "dpad_left", "dpad_right")},
    "LEFTSHOULDER": "lb",
    "RIGHTSHOULDER": "rb",
    "LEFTSTICK": "ls",
    "RIGHTSTICK": "rs",
}


class Sdl:
    """SDL's gamepads; opened and closed in the thread that reads them.

    Args:
        home: KART_HOME; the layouts in its `gamecontrollerdb.txt` are known too.

    Raises:
        KartError: pygame-ce is not installed.
    """

    def __init__(self, home: Path) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")  # the game has the focus
        os.environ.setdefault("SDL_JOYSTICK_THREAD", "1")  # Windows tells some pads' events to a window only
        os.environ.setdefault("SDL_JOYSTICK_MFI", "0")  # the framework of macOS: see above
        announce_layouts(home / LAYOUTS)
        try:
            import pygame
            from pygame._sdl2 import controller, controller_old
        except ImportError as error:
            raise KartError(f"Gamepads need pygame-ce ({error}): pip install 'kart-pipeline[recorder]'.") from error
        self.pygame = pygame
        self.controller = controller
        self.update = controller_old.update  # the newer module can only be updated through a window's events
        self._layout_name = controller_old.name_forindex  # and has no names
        self._ours = not controller.get_init()
        if self._ours:
            controller.init()
        self.update()

    def known(self) -> list[int]:
        """Indices of the pads whose layout is known."""
        return [index for index in range(self.controller.get_count()) if self.controller.is_controller(index)]

    def names(self) -> list[str]:
        """Of all that is plugged in, by index; what is known has the name of its layout, by which `--pad` finds it."""
        names: list[str] = []
        for index in range(self.controller.get_count()):
            known = self.controller.is_controller(index)
            names.append(self._layout_name(index) if known else self.pygame.joystick.Joystick(index).get_name())  # type: ignore[arg-type]
        return names

    def close(self) -> None:
        """Leave SDL as it was found."""
        if self._ours:
            self.controller.quit()


class SdlPad(Listener):
    """The first gamepad that SDL knows, with another one in its place when it was unplugged.

    Args:
        match: a part of the pad's name; "" takes any.
        home: KART_HOME.
        comes_back: an unplugged pad is looked for.

    Raises:
        KartError: pygame-ce is not installed.
        NoDeviceError: no such pad is plugged in.
    """

    def __init__(self, match: str = "", home: Path | None = None, *, comes_back: bool = True) -> None:
        super().__init__("gamepad")
        self._match = match
        self._comes_back = comes_back
        self._home = home or Settings.from_env().home
        self._states: Timeline[PadState] = Timeline(UNPLUGGED)
        self.name = ""
        self.rumbles = False
        self._rumble_s: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._start()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "gamepad", "backend": "sdl", "name": self.name}

    @property
    def connected(self) -> bool:
        """Whether it is plugged in now."""
        return self._states.last.connected

    def at(self, t_ns: int) -> PadState:
        """How it stood at `t_ns`."""
        self.check()
        return self._states.at(t_ns)

    def rumble(self, seconds: float) -> None:
        """Run the motors, where there are any; in the thread that reads the pad."""
        self._rumble_s.put(seconds)

    def _listen(self) -> None:
        sdl = Sdl(self._home)
        try:
            pad = self._find(sdl)
            if pad is None:
                raise _nothing(sdl, self._match)
            self.name = pad.name
            self.rumbles = pad.rumble(0.0, _HARDLY, 1)  # SDL does not tell otherwise
            controls = _Controls(sdl)
            controls.begin(pad)
            self._states.push(now_ns(), controls.read(pad))
            self._opened.set()
            search = 0.0
            while not self._closing.is_set():
                time.sleep(POLL_S)
                sdl.update()
                t_ns = now_ns()
                if pad is not None and pad.attached():
                    self._states.push(t_ns, controls.read(pad))
                    while not self._rumble_s.empty():
                        pad.rumble(_STRONG, _STRONG, round(1e3 * self._rumble_s.get()))
                elif pad is not None:
                    self._states.push(t_ns, UNPLUGGED)
                    pad.quit()
                    pad, search = None, time.monotonic()
                elif self._comes_back and time.monotonic() >= search:
                    pad, search = self._find(sdl), time.monotonic() + _SEARCH_S
                    if pad is not None:
                        controls.begin(pad)
            if pad is not None:
                pad.quit()
        finally:
            sdl.close()

    def _find(self, sdl: Sdl) -> Any:
        """The pad to read, None where there is none; one with the name of the last is preferred."""
        found: Any = None
        for index in sdl.known():
            try:
                pad = sdl.controller.Controller(index)
            except sdl.pygame.error:  # unplugged between the two lines
                continue
            if self._match.casefold() not in pad.name.casefold():
                continue
            if pad.name == self.name:
                return pad
            found = found or pad
        return found


class _Controls:
    """SDL's numbers of axes and buttons, looked up once.

    Of a pad that has not reported yet, the kernel's sony and playstation drivers say that all axes are at nought, which
    is full left and full up. No thumb holds a stick in that corner exactly while the pad is plugged in, so such a stick
    rests until it says something else.
    """

    def __init__(self, sdl: Sdl) -> None:
        self._axes = [(getattr(sdl.pygame, f"CONTROLLER_AXIS_{key}"), *ours) for key, ours in _AXES.items()]
        self._buttons = [(getattr(sdl.pygame, f"CONTROLLER_BUTTON_{key}"), ours) for key, ours in _BUTTONS.items()]
        self._silent: set[str] = set()

    def begin(self, pad: Any) -> None:
        """`pad` was opened just now."""
        axes = self._values(pad)
        self._silent = {side for side in ("left", "right") if _cornered(axes, side)}

    def read(self, pad: Any) -> PadState:
        axes = self._values(pad)
        self._silent = {side for side in self._silent if _cornered(axes, side)}
        axes |= {f"{side}_{way}": 0.0 for side in self._silent for way in "xy"}
        return PadState(axes, frozenset(name for number, name in self._buttons if pad.get_button(number)))

    def _values(self, pad: Any) -> dict[str, float]:
        return {name: clamped(sign * pad.get_axis(number) / _FULL) for number, name, sign in self._axes}


def _cornered(axes: Mapping[str, float], side: str) -> bool:
    return axes[f"{side}_x"] <= -1.0 and axes[f"{side}_y"] >= 1.0


def sdl_pads(home: Path) -> list[Found]:
    """Everything that SDL sees.

    Raises:
        KartError: pygame-ce is not installed.
    """
    sdl = Sdl(home)
    try:
        known = sdl.known()
        unknown = "SDL does not know its layout: `python -m recorder devices --map` teaches it"
        return [
            Found("sdl", name, index in known, "" if index in known else unknown)
            for index, name in enumerate(sdl.names())
        ]
    finally:
        sdl.close()


def _nothing(sdl: Sdl, match: str) -> NoDeviceError:
    names = sdl.names()
    if match and sdl.known():
        reason = f"none that is connected has {match!r} in its name; there is {', '.join(names)}"
    elif names:
        reason = f"SDL does not know the layout of {', '.join(names)}"
        return NoDeviceError("gamepad", reason, "`python -m recorder devices --map` teaches it.")
    else:
        reason = "none is connected"
    return NoDeviceError("gamepad", reason, linux_hint() or PLUG_IN)
