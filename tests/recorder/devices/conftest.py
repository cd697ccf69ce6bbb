"""Devices without hardware: gamepads that SDL attaches by itself, and an X server without a screen."""

import ctypes
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pygame
import pytest

GAMEPAD, PLAIN = 1, 0  # SDL's types of virtual joysticks; it knows no layout for a plain one


class VirtualPad:
    """A joystick with six axes, fifteen buttons and a hat, which can be unplugged and plugged in again."""

    def __init__(self, library: ctypes.CDLL, kind: int = GAMEPAD) -> None:
        self._sdl = library
        self._kind = kind
        self._index = -1
        self.library = library._name
        library.SDL_JoystickOpen.restype = ctypes.c_void_p
        library.SDL_JoystickClose.argtypes = [ctypes.c_void_p]
        library.SDL_JoystickSetVirtualAxis.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int16]
        library.SDL_JoystickSetVirtualButton.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint8]
        library.SDL_JoystickSetVirtualHat.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint8]
        self.plug_in()

    def plug_in(self) -> None:
        self._index = self._sdl.SDL_JoystickAttachVirtual(self._kind, 6, 15, 1)
        assert self._index >= 0
        self._joystick = self._sdl.SDL_JoystickOpen(self._index)
        for trigger in (4, 5):
            self.axis(trigger, -32768)

    def axis(self, number: int, value: int) -> None:
        assert self._sdl.SDL_JoystickSetVirtualAxis(self._joystick, number, value) == 0

    def button(self, number: int, down: bool) -> None:
        assert self._sdl.SDL_JoystickSetVirtualButton(self._joystick, number, down) == 0

    def hat(self, value: int) -> None:
        assert self._sdl.SDL_JoystickSetVirtualHat(self._joystick, 0, value) == 0

    def unplug(self) -> None:
        if self._index >= 0:
            self._sdl.SDL_JoystickDetachVirtual(self._index)
            self._sdl.SDL_JoystickClose(self._joystick)
            self._index = -1


@pytest.fixture
def sdl(home: Path) -> Iterator[ctypes.CDLL]:
    """The SDL that pygame itself has loaded, which lies beside it in its wheels."""
    package = Path(pygame.__file__).parent
    patterns = ("../pygame_ce.libs/libSDL2-2*.so*", "SDL2.dll", ".dylibs/libSDL2-2*.dylib")
    found = [path for pattern in patterns for path in sorted(package.glob(pattern))]
    if not found:
        pytest.skip("this pygame does not bring an SDL that a virtual gamepad could be attached to")
    pygame.joystick.init()
    yield ctypes.CDLL(str(found[0]))
    pygame.joystick.quit()


MakePad = Callable[..., VirtualPad]


@pytest.fixture
def make_virtual(sdl: ctypes.CDLL) -> Iterator[MakePad]:
    made: list[VirtualPad] = []

    def make(kind: int = GAMEPAD) -> VirtualPad:
        made.append(VirtualPad(sdl, kind))
        return made[-1]

    yield make
    for pad in reversed(made):
        pad.unplug()


@pytest.fixture
def virtual(make_virtual: MakePad) -> VirtualPad:
    return make_virtual()


Soon = Callable[[Callable[[], object]], None]


@pytest.fixture
def soon() -> Soon:
    """Waits until something that another thread sees has come about."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < end, "it did not come about within 5 s"
            time.sleep(0.002)

    return wait


@pytest.fixture(scope="session")
def x_server() -> Iterator[str]:
    """The name of an X server that has no screen to show anything on."""
    if not shutil.which("Xvfb"):
        pytest.skip("there is no Xvfb to press keys in: apt-get install xvfb")
    pytest.importorskip("Xlib", reason="python-xlib is for Linux only")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "64x48x24", "-nolisten", "tcp", "-noreset"],  # noqa: S607
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout
    number = server.stdout.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)
