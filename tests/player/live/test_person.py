"""When hands count as taking over, and what of theirs the game gets."""

import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.mapping import default_mapping
from kart_pipeline.desktop.pad import UNPLUGGED, PadState
from player.live.person import Person

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A",), mirrored_axes=("steer",))
KEYS = ActionSpec((), ("left", "right", "gas"), (), (("left", "right"),))


class Lever:
    name = "lever"

    def __init__(self) -> None:
        self.state = PadState()

    @property
    def about(self):
        return {"device": "lever"}

    @property
    def connected(self) -> bool:
        return self.state.connected

    def at(self, _t_ns: int) -> PadState:
        return self.state

    def close(self) -> None:
        pass


@pytest.fixture
def lever() -> Lever:
    return Lever()


def person(lever, spec=SPEC, **settings) -> Person:
    return Person(lever, default_mapping(spec), **settings)


def test_a_worn_stick_at_rest_takes_nothing_over(lever):
    lever.state = PadState({"left_x": 0.1, "right_trigger": 0.05, "right_y": -0.12})
    hands = person(lever).hands()
    assert (hands.moved, hands.steers, hands.back) == (False, False, False)


@pytest.mark.parametrize(
    ("state", "steers"),
    [
        (PadState({"left_x": -0.2}), True),
        (PadState({"right_trigger": 0.5}), False),
        (PadState({"right_y": 0.9}), False),  # which the game does not use
        (PadState({}, frozenset({"y"})), False),
        (PadState({"left_x": 0.0}, frozenset({"dpad_left"})), True),  # an arrow key, in the moment that it is pressed
    ],
)
def test_any_control_beyond_its_dead_zone_is_a_movement(lever, state, steers):
    lever.state = state
    hands = person(lever).hands()
    assert (hands.moved, hands.steers) == (True, steers)


def test_where_buttons_steer_they_do(lever):
    lever.state = PadState({}, frozenset({"dpad_right"}))
    hands = person(lever, KEYS).hands()
    assert hands.steers
    assert hands.action == KEYS.action(right=True)


def test_the_dead_zone_can_be_chosen(lever):
    lever.state = PadState({"left_x": 0.2})
    assert not person(lever, dead_zone=0.25).hands().moved


def test_the_button_that_gives_back_is_no_movement_and_does_not_reach_the_game(lever):
    lever.state = PadState({}, frozenset({"back", "a"}))
    assert person(lever).hands().back
    assert person(lever).passed_on().buttons == {"a"}
    lever.state = PadState({}, frozenset({"back"}))
    assert not person(lever).hands().moved


def test_the_whole_pad_is_passed_on(lever):
    lever.state = PadState({"left_x": 0.03, "right_x": 0.4}, frozenset({"start"}))
    assert person(lever).passed_on() == lever.state


def test_keys_are_passed_on_as_keys_and_not_as_a_stick_that_turns_by_and_by(lever):
    lever.state = PadState({"left_x": -0.3}, frozenset({"dpad_left", "a"}))
    typist = person(lever)
    typist.keys_to_keys = True
    assert typist.passed_on() == PadState({}, frozenset({"dpad_left", "a"}))


def test_hands_that_do_something_else_rest(lever):
    lever.state = PadState({"left_x": -1.0}, frozenset({"a"}))
    away = person(lever, away=lambda: "another window has the focus")
    assert not away.hands().moved
    assert away.passed_on() == PadState()


def test_an_unplugged_pad_rests_where_it_may_come_back_and_else_ends_the_drive(lever):
    lever.state = UNPLUGGED
    assert not person(lever).hands().moved
    with pytest.raises(KartError, match="lever was unplugged"):
        person(lever, comes_back=False).hands()


@pytest.mark.parametrize("settings", [{"dead_zone": 1.0}, {"dead_zone": -0.1}, {"back": "escape"}])
def test_senseless_settings_are_refused(lever, settings):
    with pytest.raises(KartError):
        person(lever, **settings)
