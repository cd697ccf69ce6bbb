"""A desktop without a screen, with a window on it that shows which key is held, and hands that press keys."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from recorder.devices.state import now_ns

RELEASED, PRESSED = 0x2040C0, 0xE0A020  # colours of the window, as 0xRRGGBB


StartServer = Callable[[], tuple["subprocess.Popen[str]", str]]


@pytest.fixture(scope="session")
def x_server() -> Iterator[StartServer]:
    """Starts X servers of 800x600 and tells their names."""
    if not shutil.which("Xvfb"):
        pytest.skip("there is no Xvfb to show windows on: apt-get install xvfb")
    pytest.importorskip("Xlib", reason="python-xlib is for Linux only")
    servers: list[subprocess.Popen[str]] = []

    def start() -> tuple["subprocess.Popen[str]", str]:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"],  # noqa: S607
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        servers.append(server)
        assert server.stdout
        number = server.stdout.readline().strip()
        assert number, "Xvfb did not start"
        return server, f":{number}"

    yield start
    for server in servers:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="session")
def x_name(x_server: StartServer) -> str:
    return x_server()[1]


@pytest.fixture
def desktop(x_name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """DISPLAY of an X server of 800x600 on which nothing else runs."""
    monkeypatch.setenv("DISPLAY", x_name)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    return x_name


class PaintedWindow:
    """A window as of another program, in a thread of its own: it shows one colour while x is held, and else another."""

    def __init__(self, display: str, title: str, place: tuple[int, int, int, int]) -> None:
        from Xlib import X
        from Xlib.display import Display

        self._x = X
        self._display = Display(display)
        screen = self._display.screen()
        self.window = screen.root.create_window(
            *place,
            3,  # a border, which is not to be recorded
            screen.root_depth,
            background_pixel=RELEASED,
            border_pixel=0xFFFFFF,
            event_mask=X.KeyPressMask | X.KeyReleaseMask,
        )
        self.window.set_wm_name("the newer name counts, not this")
        utf8 = self._display.intern_atom("UTF8_STRING")
        self.window.change_property(self._display.intern_atom("_NET_WM_NAME"), utf8, 8, title.encode())
        self.window.map()
        self.window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._open:
            while self._display.pending_events():
                event = self._display.next_event()
                if event.type in (self._x.KeyPress, self._x.KeyRelease):
                    pressed = event.type == self._x.KeyPress
                    self.window.change_attributes(background_pixel=PRESSED if pressed else RELEASED)
                    self.window.clear_area()
                    self._display.flush()
            time.sleep(0.0005)

    def close(self) -> None:
        self._open = False
        self._thread.join(5)
        self._display.close()


MakeWindow = Callable[..., PaintedWindow]


@pytest.fixture
def make_window(desktop: str) -> Iterator[MakeWindow]:
    made: list[PaintedWindow] = []

    def make(title: str = "Racing Game", place: tuple[int, int, int, int] = (50, 40, 320, 240)) -> PaintedWindow:
        made.append(PaintedWindow(desktop, title, place))
        return made[-1]

    yield make
    for window in made:
        window.close()


class Hands:
    """Presses keys, moves windows and the mouse, from a connection of their own."""

    def __init__(self, display: str) -> None:
        from Xlib import XK, X
        from Xlib.display import Display
        from Xlib.ext import xtest

        self._x, self._xk, self._fake = X, XK, xtest.fake_input
        self._display = Display(display)

    def key(self, name: str, down: bool) -> int:
        """The time at which it was pressed or let go."""
        code = self._display.keysym_to_keycode(self._xk.string_to_keysym(name))
        t_ns = now_ns()
        self._fake(self._display, self._x.KeyPress if down else self._x.KeyRelease, code)
        self._display.sync()
        return t_ns

    def mouse(self, x: int, y: int) -> None:
        self._fake(self._display, self._x.MotionNotify, x=x, y=y)
        self._display.sync()

    def button(self, down: bool) -> None:
        self._fake(self._display, self._x.ButtonPress if down else self._x.ButtonRelease, 1)
        self._display.sync()

    def do(self, window: PaintedWindow, deed: str, **arguments: Any) -> None:
        """Something to a window: configure, map, unmap, destroy."""
        resource = self._display.create_resource_object("window", window.window.id)
        getattr(resource, deed)(**arguments)
        self._display.sync()

    def close(self) -> None:
        for name in ("x", "Left", "Right", "Return", "Escape"):
            self.key(name, False)
        self._display.close()


@pytest.fixture
def hands(desktop: str) -> Iterator[Hands]:
    made = Hands(desktop)
    yield made
    made.close()
