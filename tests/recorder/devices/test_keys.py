"""Keys that another program's window gets, under a real X server and pressed by XTest."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.session import wayland
from recorder.devices.device import Device, NoDeviceError
from recorder.devices.keys import Keyboard, open_keyboard


class Fingers:
    """Presses keys as a keyboard would."""

    def __init__(self, name: str) -> None:
        from Xlib import XK, X, display
        from Xlib.ext import xtest

        self._display = display.Display(name)
        self._codes = {
            key: self._display.keysym_to_keycode(XK.string_to_keysym(key)) for key in ("Left", "Up", "x", "q")
        }
        self._kinds = {True: X.KeyPress, False: X.KeyRelease}
        self._send = xtest.fake_input

    def press(self, key: str, down: bool = True) -> int:
        """The time at which it was pressed."""
        t_ns = now_ns()
        self._send(self._display, self._kinds[down], self._codes[key])
        self._display.sync()
        return t_ns

    def close(self) -> None:
        for key in self._codes:
            self.press(key, False)
        self._display.close()


@pytest.fixture
def fingers(x_name: str) -> Iterator[Fingers]:
    made = Fingers(x_name)
    yield made
    made.close()


@pytest.fixture(params=["x11", "pynput"])
def keyboard(request: pytest.FixtureRequest, x_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """Both ways of hearing keys; pynput, which serves Windows and macOS, can do X11 as well."""
    monkeypatch.setenv("DISPLAY", x_name)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    layout = KeyLayout(ramp=False)
    if request.param == "x11":
        opened = open_keyboard(layout)
    else:
        pytest.importorskip("pynput", reason="pynput is installed on Windows and macOS only")
        from recorder.devices.keys_pynput import PynputKeys

        opened = Keyboard(layout, PynputKeys)
    yield opened
    opened.close()
    fingers = Fingers(x_name)  # under X11 pynput's thread ends with the next key
    fingers.press("q")
    fingers.close()


def test_keys_are_heard_without_any_window(keyboard: Device, fingers: Fingers, soon) -> None:
    fingers.press("Left")
    fingers.press("x")
    soon(lambda: keyboard.at(now_ns()).buttons == {"dpad_left", "a"})
    assert keyboard.at(now_ns()).value("left_x") == -1
    fingers.press("Left", down=False)
    soon(lambda: keyboard.at(now_ns()).buttons == {"a"})
    fingers.press("x", down=False)
    soon(lambda: not keyboard.at(now_ns()).buttons)


def test_a_press_has_the_time_at_which_it_happened(keyboard: Device, fingers: Fingers, soon) -> None:
    late = []
    for _ in range(10):
        pressed = fingers.press("Up")
        time.sleep(0.02)
        assert "dpad_up" not in keyboard.at(pressed).buttons
        late.append(next(t for t in range(0, 1_000_000_000, 250_000) if keyboard.at(pressed + t).buttons) / 1e6)
        fingers.press("Up", down=False)
        soon(lambda: not keyboard.at(now_ns()).buttons)
    assert sorted(late)[5] < 10, f"late by {late} ms"


def test_a_held_key_is_one_change_and_other_keys_leave_no_trace(keyboard: Device, fingers: Fingers, soon) -> None:
    fingers.press("Left")
    soon(lambda: keyboard.at(now_ns()).buttons)
    changes = len(keyboard._stick._held)
    fingers.press("q")
    time.sleep(0.8)  # X repeats a held key after 0.66 s
    fingers.press("q", down=False)
    time.sleep(0.05)
    assert len(keyboard._stick._held) == changes


@pytest.mark.e2e
def test_a_server_that_goes_away_is_told(soon, monkeypatch: pytest.MonkeyPatch, x_name: str) -> None:
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"],  # noqa: S607
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout
    monkeypatch.setenv("DISPLAY", f":{server.stdout.readline().strip()}")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    keyboard = open_keyboard(KeyLayout())
    server.terminate()
    server.wait(10)

    def told() -> bool:
        try:
            keyboard.at(now_ns())
        except KartError as error:
            return "keys are no longer heard" in str(error)
        return False

    soon(told)
    keyboard.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere keys need no X server")
@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "DISPLAY is not set"),
        ({"DISPLAY": ":7654"}, "the X server does not answer"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland lets no program hear.*Use a gamepad"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "Wayland lets no program hear.*Use a gamepad"),
    ],
)
def test_where_keys_cannot_be_heard_a_sentence_says_why(
    environ: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoDeviceError, match=sentence) as error:
        open_keyboard(KeyLayout())
    assert "\n" not in str(error.value)


def test_an_x11_session_is_not_taken_for_wayland() -> None:
    assert not wayland({"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"})
    assert not wayland(dict.fromkeys(os.environ.keys() - {"WAYLAND_DISPLAY", "XDG_SESSION_TYPE"}, "x"))
