"""Keys that a program presses, under a real X server: what a window gets, and what stays down."""

import threading
import time
from collections.abc import Iterator

import pytest
from desktop_fixtures import Hands, KeyWatch, StartServer

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.key_senders import open_sender
from kart_pipeline.desktop.controllers.keyboard import Keyboard, without_key
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.mapping import default_mapping
from kart_pipeline.desktop.pad import PadState


@pytest.fixture
def keyboard(desktop: str) -> Iterator[Keyboard]:
    layout = KeyLayout()
    made = Keyboard(layout, open_sender(layout))
    yield made
    made.close()


def test_pynput_which_serves_macos_presses_the_same_keys(desktop: str, key_watch: KeyWatch, soon) -> None:
    pytest.importorskip("pynput", reason="pynput is installed on Windows and macOS only")
    from kart_pipeline.desktop.controllers.keys_pynput import PynputSender

    # No letters: under X11, and only there, pynput sends those to the window past the server.
    layout = KeyLayout({"left": "left", "right": "right", "up": "up", "lb": "left shift"})
    keyboard = Keyboard(layout, PynputSender(layout))
    try:
        keyboard.apply(PadState({"left_x": -1.0, "left_y": 1.0}, frozenset({"lb"})))
        soon(lambda: key_watch.down() == {"Left", "Up", "Shift_L"})
        keyboard.apply(PadState({"left_x": 0.5}))
        soon(lambda: key_watch.down() == {"Right"})
        soon(lambda: key_watch.down() == set())
    finally:
        keyboard.close()
    soon(lambda: key_watch.down() == set())


def steer(value: float) -> PadState:
    return PadState({"left_x": value})


def test_buttons_and_full_deflections_are_keys_that_are_held(keyboard: Keyboard, key_watch: KeyWatch) -> None:
    keyboard.apply(PadState({"left_x": -1.0, "right_trigger": 1.0}, frozenset({"a"})))
    assert key_watch.down() == {"Left", "Up", "x"}
    assert keyboard.held == {"left", "up", "x"}
    keyboard.apply(PadState({"left_y": -1.0}, frozenset({"rb", "dpad_right"})))
    assert key_watch.down() == {"Down", "Right", "n"}


def test_a_key_that_stays_is_pressed_once(keyboard: Keyboard, key_watch: KeyWatch) -> None:
    for _ in range(5):
        keyboard.apply(PadState(buttons=frozenset({"a"})))
    keyboard.neutral()
    keyboard.neutral()
    assert key_watch.events() == ["+x", "-x"]


@pytest.mark.parametrize("rate_hz", [15, 30, 60])
def test_half_a_deflection_is_half_the_time_however_often_it_is_told(
    keyboard: Keyboard, key_watch: KeyWatch, rate_hz: int
) -> None:
    end_ns = now_ns() + 2_000_000_000
    changes: list[tuple[int, bool]] = []

    def watch() -> None:
        while now_ns() < end_ns:
            down = "Right" in key_watch.down()
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


def test_pulses_go_on_between_calls_and_end_with_the_deflection(keyboard: Keyboard, key_watch: KeyWatch, soon) -> None:
    keyboard.apply(steer(-0.5))
    seen: set[bool] = set()

    def both() -> bool:
        seen.add("Left" in key_watch.down())
        return len(seen) == 2

    soon(both)
    keyboard.apply(steer(0.0))
    assert key_watch.down() == set()
    key_watch.events()
    time.sleep(0.15)
    assert key_watch.events() == []


def test_neutral_lets_go_of_its_own_keys_only(keyboard: Keyboard, key_watch: KeyWatch, hands: Hands) -> None:
    hands.key("Right", True)
    keyboard.apply(PadState({"left_x": 1.0}, frozenset({"a"})))
    assert keyboard.held == {"x"}, "the person has Right already"
    keyboard.neutral()
    assert key_watch.down() == {"Right"}


def test_a_key_that_somebody_lets_go_of_is_pressed_again(keyboard: Keyboard, key_watch: KeyWatch, hands: Hands) -> None:
    keyboard.apply(steer(1.0))
    hands.key("Right", False)
    keyboard.apply(steer(1.0))
    assert key_watch.down() == {"Right"}


def test_neutral_may_come_from_any_thread_while_keys_are_pulsed(keyboard: Keyboard, key_watch: KeyWatch) -> None:
    for _ in range(20):
        keyboard.apply(steer(0.5))
        other = threading.Thread(target=keyboard.neutral)
        other.start()
        other.join()
        assert key_watch.down() == set()


def test_close_lets_go_and_may_be_called_twice(keyboard: Keyboard, key_watch: KeyWatch) -> None:
    keyboard.apply(PadState({"left_x": 0.6, "left_y": 1.0}, frozenset({"start"})))
    keyboard.close()
    keyboard.close()
    assert key_watch.down() == set()


def test_keys_of_the_d_pad_may_be_others_than_those_of_the_stick(desktop: str, key_watch: KeyWatch) -> None:
    layout = KeyLayout({"left": "left", "right": "right", "dpad_left": "a", "up": "up"})
    keyboard = Keyboard(layout, open_sender(layout))
    keyboard.apply(PadState({"left_x": 1.0}, frozenset({"dpad_left", "dpad_up"})))
    assert key_watch.down() == {"Right", "a", "Up"}
    keyboard.close()


@pytest.mark.parametrize(
    ("spec", "keys", "lacking"),
    [
        (ActionSpec(("steer", "throttle"), ("A", "drift")), {}, []),
        (ActionSpec(("steer", "throttle", "roll"), ("LS",)), {}, ["roll", "LS"]),
        (ActionSpec(("steer",), ("A",)), {"left": "left", "b": "x"}, ["steer", "A"]),
        (ActionSpec((), ("left", "right", "gas"), (), (("left", "right"),)), {}, []),
    ],
)
def test_what_no_key_can_do_is_known_beforehand(spec: ActionSpec, keys: dict[str, str], lacking: list[str]) -> None:
    assert without_key(default_mapping(spec), KeyLayout(keys) if keys else KeyLayout()) == lacking


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
