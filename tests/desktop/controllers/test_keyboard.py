"""Keys that a program presses, under a real X server: what a window gets, and what stays down."""

import threading
import time
from collections.abc import Iterator

import pytest
from desktop_fixtures import Hands, StartServer

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.key_senders import open_sender
from kart_pipeline.desktop.controllers.keyboard import Keyboard
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState


class Server:
    """Which keys are down on the X server, and which events a window of its own has got."""

    def __init__(self, name: str) -> None:
        from Xlib import XK, X
        from Xlib.display import Display

        self._x, self._xk = X, XK
        self._named = {
            getattr(XK, f"XK_{name}"): name for name in ("Left", "Right", "Up", "Down", "Return", "BackSpace")
        }
        self._display = Display(name)
        screen = self._display.screen()
        mask = X.KeyPressMask | X.KeyReleaseMask
        self.window = screen.root.create_window(0, 0, 50, 50, 0, screen.root_depth, event_mask=mask)
        self.window.map()
        self.window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()

    def down(self) -> set[str]:
        held = self._display.query_keymap()
        codes = [code for code in range(8, 256) if held[code // 8] >> code % 8 & 1]
        return {self._name(code) for code in codes}

    def events(self) -> list[str]:
        """As "+Left" and "-Left", without the repeats of a held key."""
        self._display.sync()
        told = [self._display.next_event() for _ in range(self._display.pending_events())]
        return [
            ("+" if event.type == self._x.KeyPress else "-") + self._name(event.detail)
            for event in told
            if event.type in (self._x.KeyPress, self._x.KeyRelease)
        ]

    def _name(self, code: int) -> str:
        symbol = self._display.keycode_to_keysym(code, 0)
        return self._xk.keysym_to_string(symbol) or self._named[symbol]

    def close(self) -> None:
        self.window.destroy()
        self._display.close()


@pytest.fixture
def server(desktop: str) -> Iterator[Server]:
    made = Server(desktop)
    yield made
    made.close()


@pytest.fixture
def keyboard(desktop: str) -> Iterator[Keyboard]:
    layout = KeyLayout()
    made = Keyboard(layout, open_sender(layout))
    yield made
    made.close()


def steer(value: float) -> PadState:
    return PadState({"left_x": value})


def test_buttons_and_full_deflections_are_keys_that_are_held(keyboard: Keyboard, server: Server) -> None:
    keyboard.apply(PadState({"left_x": -1.0, "right_trigger": 1.0}, frozenset({"a"})))
    assert server.down() == {"Left", "Up", "x"}
    assert keyboard.held == {"left", "up", "x"}
    keyboard.apply(PadState({"left_y": -1.0}, frozenset({"rb", "dpad_right"})))
    assert server.down() == {"Down", "Right", "n"}


def test_a_key_that_stays_is_pressed_once(keyboard: Keyboard, server: Server) -> None:
    for _ in range(5):
        keyboard.apply(PadState(buttons=frozenset({"a"})))
    keyboard.neutral()
    keyboard.neutral()
    assert server.events() == ["+x", "-x"]


@pytest.mark.parametrize("rate_hz", [15, 30, 60])
def test_half_a_deflection_is_half_the_time_however_often_it_is_told(
    keyboard: Keyboard, server: Server, rate_hz: int
) -> None:
    end_ns = now_ns() + 2_000_000_000
    changes: list[tuple[int, bool]] = []

    def watch() -> None:
        while now_ns() < end_ns:
            down = "Right" in server.down()
            if not changes or changes[-1][1] != down:
                changes.append((now_ns(), down))
            time.sleep(0.002)

    watching = threading.Thread(target=watch)
    watching.start()
    while now_ns() < end_ns:
        keyboard.apply(steer(0.5))
        time.sleep(1 / rate_hz)
    watching.join()
    ends = [*changes[1:], (end_ns, False)]
    held_ns = sum(after[0] - before[0] for before, after in zip(changes, ends, strict=True) if before[1])
    assert 0.35 < held_ns / 2e9 < 0.65, f"held for {held_ns / 2e7:.0f} % of the time"
    assert len(changes) > 12, "it is pulsed"


def test_pulses_go_on_between_two_calls_and_end_with_the_deflection(keyboard: Keyboard, server: Server, soon) -> None:
    keyboard.apply(steer(-0.5))
    seen: set[bool] = set()

    def both() -> bool:
        seen.add("Left" in server.down())
        return len(seen) == 2

    soon(both)
    keyboard.apply(steer(0.0))
    assert server.down() == set()
    server.events()
    time.sleep(0.15)
    assert server.events() == []


def test_neutral_lets_go_of_its_own_keys_only(keyboard: Keyboard, server: Server, hands: Hands) -> None:
    hands.key("Right", True)
    keyboard.apply(PadState({"left_x": 1.0}, frozenset({"a"})))
    assert keyboard.held == {"x"}, "the person has Right already"
    keyboard.neutral()
    assert server.down() == {"Right"}


def test_a_key_that_somebody_else_lets_go_of_is_pressed_again(keyboard: Keyboard, server: Server, hands: Hands) -> None:
    keyboard.apply(steer(1.0))
    hands.key("Right", False)
    keyboard.apply(steer(1.0))
    assert server.down() == {"Right"}


def test_neutral_may_come_from_any_thread_while_keys_are_pulsed(keyboard: Keyboard, server: Server) -> None:
    for _ in range(20):
        keyboard.apply(steer(0.5))
        other = threading.Thread(target=keyboard.neutral)
        other.start()
        other.join()
        assert server.down() == set()


def test_close_lets_go_and_may_be_called_twice(keyboard: Keyboard, server: Server) -> None:
    keyboard.apply(PadState({"left_x": 0.6, "left_y": 1.0}, frozenset({"start"})))
    keyboard.close()
    keyboard.close()
    assert server.down() == set()


def test_keys_of_the_d_pad_may_be_others_than_those_of_the_stick(desktop: str, server: Server) -> None:
    layout = KeyLayout({"left": "left", "right": "right", "dpad_left": "a", "up": "up"})
    keyboard = Keyboard(layout, open_sender(layout))
    keyboard.apply(PadState({"left_x": 1.0}, frozenset({"dpad_left", "dpad_up"})))
    assert server.down() == {"Right", "a", "Up"}
    keyboard.close()


def test_an_x_server_that_goes_away_is_told_in_a_sentence(x_server: StartServer, soon) -> None:
    server, name = x_server()
    layout = KeyLayout()
    keyboard = Keyboard(layout, open_sender(layout, {"DISPLAY": name}))
    keyboard.apply(steer(0.5))
    server.kill()
    server.wait(10)

    def told() -> bool:
        try:
            keyboard.apply(steer(0.5))
        except KartError as error:
            return "The X server has gone" in str(error)
        return False

    soon(told)
    keyboard.neutral()
    keyboard.close()


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "DISPLAY is not set"),
        ({"DISPLAY": ":7654"}, "the X server :7654 does not answer"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland lets no program press keys.*X11 session.*uinput"),
    ],
)
def test_where_no_key_can_be_pressed_a_sentence_says_why(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(UnavailableError, match=sentence) as error:
        open_sender(KeyLayout(), environ)
    assert "\n" not in str(error.value)
