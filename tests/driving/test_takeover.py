"""Who has the controls, and what of it is a lesson."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.loop import drive
from kart_pipeline.driving.takeover import ASSISTED, HUMAN, Hands, Shadow, Takeover

SPEC = ActionSpec(axes=("throttle", "steer"), buttons=("A",), mirrored_axes=("steer",))
STEP_NS = 100_000_000
CALM = 5  # steps
MODEL = SPEC.action(throttle=0.75, steer=-0.5, A=True)


class Model:
    name = "model"

    def __init__(self, actor: str = "policy") -> None:
        self.frames = 0
        self.actor = actor

    def reset(self) -> None:
        self.frames = 0

    def act(self, _frame: Frame) -> Choice:
        self.frames += 1
        return Choice(MODEL, self.actor)


def rest(back: bool = False) -> Hands:
    return Hands(SPEC.neutral(), False, False, back)


def push(steer: float = 0.25, throttle: float = 0.5, back: bool = False) -> Hands:
    return Hands(SPEC.action(steer=steer, throttle=throttle), True, bool(steer), back)


def frames() -> Iterator[Frame]:
    step = 0
    while True:
        yield Frame(np.zeros((1, 1, 3), np.uint8), step * STEP_NS)
        step += 1


def driven(hands: list[Hands], **settings: bool) -> list[Choice]:
    script = iter(hands)
    driver = Takeover(Model(), lambda: next(script), calm_s=CALM * STEP_NS / 1e9, **settings)
    return [driver.act(frame) for frame, _ in zip(frames(), hands, strict=False)]


def actors(choices: list[Choice]) -> str:
    return "".join({"policy": "p", HUMAN: "h", ASSISTED: "a"}[choice.actor] for choice in choices)


any_hands = st.builds(
    lambda moved, steers, back, steer: Hands(
        SPEC.action(steer=steer) if moved else SPEC.neutral(), moved, moved and steers, back
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.floats(-1, 1),
)


def test_the_policy_drives_while_hands_rest():
    choices = driven([rest()] * 4)
    assert actors(choices) == "pppp"
    assert all(choice.action == MODEL and choice.label is None and not choice.by_hand for choice in choices)


def test_hands_that_move_have_the_controls_in_that_very_step():
    taken = driven([rest(), push()])[1]
    assert (taken.actor, taken.intervention) == (HUMAN, True)
    assert taken.action == taken.label == push().action
    assert taken.by_hand == set(SPEC.names)


def test_the_policy_drives_again_after_the_calm():
    assert actors(driven([push(), *[rest()] * 7])) == "h" * CALM + "ppp"


def test_moving_within_the_calm_keeps_the_controls():
    assert actors(driven([push(), *[rest()] * 4, push(), *[rest()] * 5])) == "h" * 10 + "p"


def test_hands_that_rest_hold_the_controls_but_teach_nothing():
    choices = driven([push(), rest(), rest()])
    assert [choice.label is None for choice in choices] == [False, True, True]
    assert choices[1].action == SPEC.neutral()
    assert choices[1].intervention


def test_a_button_gives_the_controls_back_at_once():
    assert actors(driven([push(), rest(back=True), rest()])) == "hpp"


def test_what_is_still_held_when_the_button_is_pressed_takes_nothing_over_until_it_was_let_go():
    assert actors(driven([push(), push(back=True), push(), push(), rest(), push()])) == "hppp" + "ph"


@given(st.lists(any_hands, max_size=60))
def test_whatever_hands_do_it_is_clear_who_acted_and_only_the_person_teaches(hands):
    choices = driven(hands)
    for choice, held in zip(choices, hands, strict=True):
        by_person = choice.actor == HUMAN
        assert choice.actor in (HUMAN, "policy")
        assert choice.intervention == by_person == bool(choice.by_hand)
        assert choice.action == (held.action if by_person else MODEL)
        assert choice.label is None or (by_person and held.moved and choice.label == held.action)


@given(st.lists(any_hands, max_size=60))
def test_who_moves_and_did_not_give_back_always_has_the_controls(hands):
    deaf = False
    for choice, held in zip(driven(hands), hands, strict=True):
        deaf = held.moved and (deaf or held.back)
        if held.moved and not deaf:
            assert choice.actor == HUMAN


@given(st.lists(any_hands, min_size=1, max_size=40))
def test_the_controls_never_stay_with_hands_that_rest(hands):
    assert driven([*hands, *[rest()] * (CALM + 1)])[-1].actor == "policy"


def test_the_policy_sees_every_frame_and_its_advice_is_told_whoever_acts():
    model, script = Model(), iter([push(), push(), rest()])
    driver = Takeover(model, lambda: next(script))
    assert driver.advice is None
    for frame, _ in zip(frames(), range(3), strict=False):
        driver.act(frame)
        assert driver.advice == MODEL
    assert model.frames == 3
    assert driver.taken
    driver.reset()
    assert (driver.taken, driver.advice, model.frames) == (False, None, 0)


def test_with_assistance_the_policy_steers_and_the_person_does_the_rest():
    (choice,) = driven([push(steer=0.0, throttle=-0.5)], assist=True)
    assert choice.action == SPEC.action(steer=MODEL["steer"], throttle=-0.5)
    assert (choice.actor, choice.label, choice.intervention) == (ASSISTED, None, False)
    assert choice.by_hand == {"throttle", "A"}


def test_with_assistance_only_steering_takes_over():
    choices = driven([push(steer=0.0), push(steer=0.5), *[push(steer=0.0)] * 5], assist=True)
    assert actors(choices) == "ah" + "h" * 4 + "a"
    assert choices[1].label == choices[1].action == push(steer=0.5).action


def test_assistance_lets_a_safe_choice_stand():
    driver = Takeover(Model("watchdog"), lambda: push(steer=0.0), assist=True)
    assert driver.act(next(frames())).actor == "watchdog"


def test_a_shadow_is_the_person_alone_and_is_scored():
    script = iter([push(steer=0.5, throttle=0.75), push(steer=-0.5, throttle=0.75)])
    driver = Shadow(Model(), lambda: next(script))
    choices = [driver.act(frame) for frame, _ in zip(frames(), range(2), strict=False)]
    assert [choice.action["steer"] for choice in choices] == [0.5, -0.5]
    assert all(choice.actor == HUMAN and choice.label == choice.action for choice in choices)
    assert not any(choice.intervention for choice in choices)
    assert driver.agreement.summary() == {"throttle": 0.0, "steer": 0.5, "A": 1.0}
    driver.reset()
    assert driver.agreement.summary() == {}


def test_a_drive_counts_takeovers_and_what_the_policy_did_alone(line):
    held = iter([rest(), rest(), push(), push(), *[rest()] * 2, push()] + [rest()] * 90)
    result = drive(line, Takeover(Model(), lambda: next(held), calm_s=0.15), max_steps=10)
    assert result.interventions == 2
    assert result.autonomy == pytest.approx(5 / 10)


@pytest.mark.parametrize("calm", [0.0, -1.0, float("nan")])
def test_a_calm_that_is_no_time_is_refused(calm):
    with pytest.raises(KartError, match="calm"):
        Takeover(Model(), rest, calm_s=calm)
