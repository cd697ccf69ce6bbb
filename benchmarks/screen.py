"""A screen without a monitor and a window on it with a moving picture, to record."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NO_SCREEN = "There is no Xvfb to show a window on (apt-get install xvfb): nothing was recorded.\n"


def has_screen() -> bool:
    """Whether one can be had; says what to do where not."""
    if shutil.which("Xvfb"):
        return True
    sys.stderr.write(NO_SCREEN)
    return False


@contextmanager
def moving_screen(size: str = "800x600") -> Iterator[None]:
    """An X server of this size, which DISPLAY names, with the window of `moving_window` in its corner."""
    with _server(size), _window():
        yield


@contextmanager
def windows_are_shown() -> Iterator[None]:
    """For the other benchmarks SDL draws into nothing."""
    before = os.environ.pop("SDL_VIDEODRIVER", None)
    try:
        yield
    finally:
        if before is not None:
            os.environ["SDL_VIDEODRIVER"] = before


@contextmanager
def _server(size: str) -> Iterator[None]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    before = {name: os.environ.pop(name, None) for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE")}
    try:
        os.environ["DISPLAY"] = f":{server.stdout.readline().strip() if server.stdout else ''}"
        yield
    finally:
        del os.environ["DISPLAY"]
        os.environ.update({name: value for name, value in before.items() if value is not None})
        server.terminate()
        server.wait(10)


@contextmanager
def _window() -> Iterator[None]:
    environ = {name: value for name, value in os.environ.items() if name != "SDL_VIDEODRIVER"}
    command = [sys.executable, "-m", "benchmarks.moving_window"]
    window = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        if not any(line == "shown\n" for line in window.stdout or ()):
            raise RuntimeError("the window with the moving picture did not open")
        yield
    finally:
        window.terminate()
        window.wait(10)
