"""Keys as a stick: they turn it by and by, and where it stood at any time can be told afterwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.key_layout import RETURN_PER_S, TURN_PER_S, KeyLayout
from recorder.devices.keystick import KeyStick, ramp

S = 1_000_000_000


def x(stick: KeyStick, seconds: float) -> float:
    return stick.at(round(seconds * S)).value("left_x")


@pytest.fixture
def stick() -> KeyStick:
    return KeyStick(KeyLayout(), 0)


def test_a_held_arrow_turns_the_stick_further_and_further(stick: KeyStick) -> None:
    stick.hold(0, {"right"})
    assert x(stick, 0.05) == pytest.approx(0.05 * TURN_PER_S)
    assert x(stick, 0.10) == pytest.approx(0.10 * TURN_PER_S)
    assert x(stick, 0.60) == 1.0
    stick.hold(1 * S, {})
    assert x(stick, 1.05) == pytest.approx(1 - 0.05 * RETURN_PER_S)
    assert x(stick, 1.50) == 0.0


def test_the_stick_of_a_time_does_not_depend_on_when_it_is_asked(stick: KeyStick) -> None:
    stick.hold(0, {"right"})
    before = x(stick, 0.1)
    stick.hold(S // 5, {"left"})
    assert x(stick, 5.0) == -1.0
    assert x(stick, 0.1) == before


def test_turning_round_goes_through_the_middle_at_both_speeds(stick: KeyStick) -> None:
    stick.hold(0, {"right"})
    stick.hold(1 * S, {"left"})
    middle = 1 + 1 / RETURN_PER_S
    assert x(stick, middle) == pytest.approx(0, abs=1e-6)
    assert x(stick, middle + 0.1) == pytest.approx(-0.1 * TURN_PER_S, abs=1e-6)


def test_up_and_down_are_stick_triggers_and_d_pad(stick: KeyStick) -> None:
    stick.hold(0, {"up"})
    state = stick.at(S)
    assert (state.value("left_y"), state.value("right_trigger"), state.value("left_trigger")) == (1, 1, 0)
    assert state.buttons == {"dpad_up"}
    stick.hold(2 * S, {"down"})
    state = stick.at(3 * S)
    assert (state.value("left_y"), state.value("right_trigger"), state.value("left_trigger")) == (-1, 0, 1)


def test_opposite_arrows_cancel(stick: KeyStick) -> None:
    stick.hold(0, {"left", "right"})
    assert x(stick, 0.3) == 0.0


def test_letters_are_buttons_and_other_keys_are_nobodys_business(stick: KeyStick) -> None:
    stick.hold(0, {"x", "n", "p", "q", "return"})
    assert stick.at(1).buttons == {"a", "rb", "start"}
    before = len(stick._held)
    stick.hold(5, {"x", "n", "w", "return"})
    assert len(stick._held) == before


def test_without_the_ramp_the_stick_jumps() -> None:
    stick = KeyStick(KeyLayout(ramp=False), 0)
    stick.hold(10, {"left"})
    assert stick.at(9).value("left_x") == 0
    assert stick.at(10).value("left_x") == -1


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"jump": "x"}, "'jump' is no part of a pad"),
        ({"a": "X"}, "'X' is no key"),
        ({"a": "hyper"}, "'hyper' is no key"),
        ({"a": ""}, "'' is no key"),
        ({"a": ["x"]}, r"\['x'\] is no key"),
    ],
)
def test_a_layout_with_what_does_not_exist_is_refused(keys: dict, sentence: str) -> None:
    with pytest.raises(KartError, match=sentence):
        KeyLayout(keys)


@given(st.floats(-1, 1), st.sampled_from([-1, 0, 1]), st.floats(0, 0.1))
def test_the_stick_moves_towards_its_target_and_never_past_it(value: float, target: int, seconds: float) -> None:
    moved = ramp(value, target, seconds)
    assert -1 <= moved <= 1
    assert min(value, target) <= moved <= max(value, target)
    assert abs(moved - value) <= RETURN_PER_S * seconds + 1e-9


@given(st.floats(-1, 1), st.sampled_from([-1, 0, 1]), st.floats(0, 1), st.floats(0, 1))
def test_two_looks_see_what_one_would(value: float, target: int, first: float, second: float) -> None:
    assert ramp(ramp(value, target, first), target, second) == pytest.approx(
        ramp(value, target, first + second), abs=1e-9
    )
