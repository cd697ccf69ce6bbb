"""What is waited for before a recording begins."""

import numpy as np
import pytest

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.games.controls import N64_SPEC
from recorder.live import gate as module
from recorder.live.gate import Gate, drives_on
from recorder.live.signals import Signal

PEDALS = ActionSpec(("steer", "throttle"), ("horn",), ("steer",))
KEYS = ActionSpec((), ("left", "right", "gas", "brake"))
STICK = ActionSpec(("steer",), (), ("steer",))


def step(action: Action) -> Step:
    return Step(0, Frame(np.zeros((8, 8, 3), np.uint8), 0), Choice(action, "human"))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch):
    """Sets the clock."""
    time = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: time[0])
    return lambda seconds: time.__setitem__(0, seconds)


def test_a_gate_for_which_nothing_is_waited_is_open() -> None:
    gate = Gate()
    assert gate.open
    assert gate.why(step(PEDALS.neutral())) is None


def test_a_countdown_tells_each_second_once_and_then_is_over(now) -> None:
    given: list[Signal] = []
    gate = Gate(3.0, give=given.append)
    told = []
    for seconds in (100.0, 100.4, 101.1, 101.9, 102.5, 103.0, 103.1):
        now(seconds)
        told.append(gate.why(step(PEDALS.neutral())))
    assert told == ["3 …", "3 …", "2 …", "2 …", "1 …", None, None]
    assert given == [Signal.COUNT] * 3


def test_the_first_throttle_begins_it_but_not_before_the_countdown_is_over(now) -> None:
    gate = Gate(1.0, autostart=True)
    now(10.0)
    assert gate.why(step(PEDALS.action(throttle=1.0))) == "1 …"
    now(11.5)
    assert gate.why(step(PEDALS.action(steer=1.0))) == "waiting for the first throttle"
    assert gate.why(step(PEDALS.action(throttle=0.5))) is None
    assert gate.why(step(PEDALS.neutral())) is None


def test_a_person_can_pass_it_by() -> None:
    gate = Gate(60.0, autostart=True)
    gate.pass_by()
    assert gate.why(step(PEDALS.neutral())) is None


@pytest.mark.parametrize(
    ("action", "drives"),
    [
        (PEDALS.action(throttle=0.2, steer=1.0, horn=True), False),
        (PEDALS.action(throttle=0.4), True),
        (PEDALS.action(throttle=-1.0), False),
        (N64_SPEC.action(pitch=1.0, B=True), False),
        (N64_SPEC.action(A=True), True),
        (KEYS.action(left=True), False),
        (KEYS.action(gas=True), True),
        (STICK.action(steer=0.1), False),
        (STICK.action(steer=-0.6), True),
    ],
)
def test_throttle_is_what_drives_the_kart_on_in_this_game(action: Action, drives: bool) -> None:
    assert drives_on(action) == drives
