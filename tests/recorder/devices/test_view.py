"""The live picture of a pad, and what it says about worn sticks."""

import re
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from kart_pipeline.desktop.pad import PadState
from recorder.devices.view import Drift, bar, picture


def shown(state: PadState, drift: Drift | None = None) -> str:
    out = Console(width=100)
    with out.capture() as capture:
        out.print(picture(state, drift or Drift()))
    return capture.get()


def test_sticks_triggers_and_buttons_are_shown() -> None:
    text = shown(PadState({"left_x": -1.0, "right_trigger": 0.5}, frozenset({"a", "dpad_up"})))
    left, trigger = (next(line for line in text.splitlines() if name in line) for name in ("left_x", "right_trigger"))
    assert "█─" in left
    assert "-1.000" in left
    assert "+0.500" in trigger
    assert " a " in text
    assert "dpad_up" in text


def test_an_unplugged_pad_is_said_to_be() -> None:
    assert "unplugged" in shown(PadState(connected=False))


@given(st.floats(-1.5, 1.5), st.floats(0, 0.5))
def test_a_bar_is_always_as_long_and_has_one_mark(value: float, dead_zone: float) -> None:
    text = bar(value, dead_zone).plain
    assert (len(text), text.count("█")) == (33, 1)


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ([0.0, 0.02, -0.05], "within 0.050 of their middle; the dead zone of 0.06 covers that"),
        ([0.0, -0.12], "rests 0.120 from its middle.*set dead_zone = 0.15"),
        ([0.0, 0.9], "left_x was not let go of"),
    ],
)
def test_the_drift_at_rest_becomes_advice(values: list[float], advice: str) -> None:
    drift = Drift()
    for value in values:
        drift.take(PadState({"left_x": value}))
    assert pytest.approx(max(abs(v) for v in values if abs(v) < 0.3)) == drift.worst["left_x"]
    assert re.search(advice, drift.advice)


def test_the_command_shows_a_worn_pad_and_ends_by_itself(virtual, run) -> None:
    virtual.axis(0, 3277)
    status, out, err = run("devices", "--test", "--seconds", "0.3", "--pad", "sdl:virtual")
    assert (status, err) == (0, "")
    assert "--pad sdl:virtual takes the gamepad Virtual Controller through sdl" in out
    assert "+0.100" in out
    assert "left_x rests 0.100 from its middle" in out


@pytest.mark.e2e
def test_ctrl_c_ends_the_test_in_order(virtual, run) -> None:
    threading.Thread(target=lambda: (time.sleep(0.5), signal.raise_signal(signal.SIGINT)), daemon=True).start()
    status, out, _ = run("devices", "--test")
    assert status == 0
    assert "Sticks rest within" in out
