"""A stick's deflection as the share of time for which a key is down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.desktop.controllers.pulse import Pulse

TICK_S = 1 / 30


def steer() -> Pulse:
    return Pulse(TICK_S, 0.03, 0.97)


def share(pulse: Pulse, value: float, gaps_s: list[float]) -> tuple[float, list[float]]:
    """The share of the time for which the key was held, and how long each of its presses was."""
    t_s = held_s = 0.0
    presses: list[float] = []
    before = 0
    for gap_s in gaps_s:
        now = pulse.step(value, round(t_s * 1e9))
        if now and not before:
            presses.append(0.0)
        if now:
            presses[-1] += gap_s
        held_s += now * gap_s
        t_s += gap_s
        before = now
    return held_s / t_s, presses


@pytest.mark.parametrize("rate_hz", [15, 30, 60, 240])
@pytest.mark.parametrize("value", [0.05, 0.25, 0.5, -0.37, 0.8, -0.95])
def test_over_two_seconds_the_key_is_held_for_the_share_that_the_stick_is_deflected(value: float, rate_hz: int) -> None:
    held, presses = share(steer(), value, [1 / rate_hz] * (2 * rate_hz))
    assert held == pytest.approx(value, abs=0.04)
    assert all(press >= 0.9 * TICK_S for press in presses[:-1])


@given(st.floats(0.1, 0.9), st.lists(st.floats(0.015, 0.07), min_size=150, max_size=300))
def test_the_mean_is_right_however_irregularly_it_is_asked(value: float, gaps_s: list[float]) -> None:
    held, _ = share(steer(), value, gaps_s)
    assert held == pytest.approx(value, abs=0.07)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.001, 0.5)), min_size=1))
def test_no_key_is_held_against_the_stick(course: list[tuple[float, float]]) -> None:
    pulse, t_s = steer(), 0.0
    for value, gap_s in course:
        held = pulse.step(value, round(t_s * 1e9))
        assert held == 0 or held * value > 0
        assert held != 0 or abs(value) < 0.97
        t_s += gap_s


def test_middle_ends_and_the_other_side_come_at_once() -> None:
    pulse = steer()
    assert [pulse.step(value, t) for t, value in enumerate((1.0, 0.0, -1.0, 0.99, -0.9, 0.02))] == [1, 0, -1, 1, -1, 0]


def test_what_was_owed_before_the_stick_rested_is_forgotten() -> None:
    pulse = steer()
    pulse.step(0.45, 0)
    pulse.step(0.0, 30_000_000)
    assert pulse.step(0.1, 60_000_000) == 0
