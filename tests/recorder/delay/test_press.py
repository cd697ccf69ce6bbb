"""A press by a person has the time at which the button went down; the program's own that at which it pressed."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.pad import UNPLUGGED, PadState
from recorder.delay import press
from recorder.delay.press import PRESSED, Person, Program
from recorder.devices.sdl import SdlPad
from recorder.devices.timeline import Timeline

MS = 1_000_000


class Lever:
    """A device that the test holds in its hands."""

    name = "lever"
    about: Mapping[str, Any] = {"device": "lever", "backend": "test"}
    connected = True

    def __init__(self) -> None:
        self.states: Timeline[PadState] = Timeline(PadState())

    def at(self, t_ns: int) -> PadState:
        return self.states.at(t_ns)

    def close(self) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time, to be set."""
    now = [1_000_000 * MS]
    monkeypatch.setattr(press, "now_ns", lambda: now[0])
    return now


@given(late=st.integers(0, 40 * MS), looks=st.lists(st.integers(MS, 30 * MS), min_size=1, max_size=20))
def test_a_press_is_found_to_the_microsecond_though_it_is_asked_for_late(late: int, looks: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        now = [1_000_000 * MS]
        patch.setattr(press, "now_ns", lambda: now[0])
        lever = Lever()
        person = Person(lever)
        person.ready()
        for look in looks:
            now[0] += look
            assert person.pressed() is None
        now[0] += 41 * MS
        down = now[0] - late
        lever.states.push(down, PadState(buttons=frozenset({"b"})))
        found = person.pressed()
        assert found is not None
        assert abs(found - down) <= 1000
        assert not person.released


def test_a_button_that_is_held_already_is_no_press_and_another_one_is(clock: list[int]) -> None:
    lever = Lever()
    lever.states.push(clock[0], PadState(buttons=frozenset({"a"})))
    clock[0] += 100 * MS
    person = Person(lever)
    person.ready()
    clock[0] += 100 * MS
    assert person.pressed() is None
    lever.states.push(clock[0] + MS, PadState(buttons=frozenset({"a", "b"})))
    clock[0] += 2 * MS
    assert person.pressed() is not None


def test_nobody_who_presses_is_said_in_a_sentence(clock: list[int]) -> None:
    person = Person(Lever())
    person.ready()
    clock[0] += 59_000 * MS
    assert person.pressed() is None
    clock[0] += 2_000 * MS
    with pytest.raises(KartError, match=r"No button was pressed for 60 s on the lever.*--press KEY"):
        person.pressed()


def test_a_pad_that_is_unplugged_is_said(clock: list[int]) -> None:
    lever = Lever()
    person = Person(lever)
    person.ready()
    lever.states.push(clock[0] + MS, UNPLUGGED)
    clock[0] += 2 * MS
    with pytest.raises(KartError, match="The lever was unplugged"):
        person.pressed()


def test_a_real_pads_button_is_a_press(virtual, soon, home) -> None:
    pad = SdlPad(home=home)
    try:
        person = Person(pad)
        person.ready()
        before = now_ns()
        virtual.button(0, True)
        found: list[int] = []
        soon(lambda: (pressed := person.pressed()) is not None and not found.append(pressed))
        assert before <= found[0] <= now_ns()
        virtual.button(0, False)
        soon(lambda: person.released)
        assert person.how.startswith("a person on the")
    finally:
        pad.close()


class Recorded:
    """A controller that remembers what it was told."""

    name = "recorded"
    about: Mapping[str, Any] = {}

    def __init__(self) -> None:
        self.told: list[PadState] = []

    def apply(self, state: PadState) -> None:
        self.told.append(state)

    def neutral(self) -> None:
        self.told.append(PadState())

    def close(self) -> None:
        pass


def test_the_program_presses_once_when_it_is_time_and_lets_go(clock: list[int]) -> None:
    controller = Recorded()
    program = Program(controller, "x", wait_s=lambda: 0.2)
    program.ready()
    assert program.pressed() is None
    assert controller.told == []
    clock[0] += 201 * MS
    assert program.pressed() == clock[0]
    assert not program.released
    program.release()
    assert controller.told == [PRESSED, PadState()]
    assert program.released
