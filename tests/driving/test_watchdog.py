"""When the controls are let go of, and that it goes on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.watchdog import BLACK, FROZEN, WATCHDOG, Watchdog

SPEC = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))
HZ = 10
STILL, DARK, MOVING = "still", "dark", "moving"


class Model:
    name = "model"

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def act(self, _frame: Frame) -> Choice:
        return Choice(SPEC.action(throttle=1.0), "policy")


class Film:
    """Frames at 10 Hz."""

    def __init__(self) -> None:
        self._step = 0
        self._level = 100

    def next(self, kind: str) -> Frame:
        self._step += 1
        self._level = 100 + self._step % 100 if kind == MOVING else self._level
        rgb = np.full((4, 6, 3), 0 if kind == DARK else self._level, np.uint8)
        return Frame(rgb, self._step * 10**9 // HZ)


def watched(kinds: list[str], **settings) -> tuple[str, Watchdog]:
    """One letter a step: p where the policy drives, w where nobody does."""
    film, driver = Film(), Watchdog(Model(), **settings)
    driver.reset()
    choices = [driver.act(film.next(kind)) for kind in kinds]
    for choice in choices:
        assert choice.actor == "policy" or choice.action == SPEC.neutral()
    return "".join("w" if choice.actor == WATCHDOG else "p" for choice in choices), driver


def test_a_picture_that_moves_is_driven_by():
    assert watched([MOVING] * 100)[0] == "p" * 100


def test_a_picture_that_stands_still_is_let_go_of_until_it_moves():
    told: list[str | None] = []
    who, driver = watched([MOVING] * 5 + [STILL] * 30 + [MOVING] * 5, still_s=2, tell=told.append)
    assert who == "p" * 5 + "p" * 19 + "w" * 11 + "p" * 5
    assert told == [FROZEN, None]
    assert driver.times == {FROZEN: 1}
    assert driver.reason is None


def test_a_grid_may_stand_longer_than_a_race():
    assert watched([STILL] * 60, still_s=2, start_s=5)[0] == "p" * 50 + "w" * 10


def test_a_fade_is_borne_and_a_black_picture_is_not():
    who, driver = watched([MOVING] * 3 + [DARK] * 3 + [MOVING] * 3 + [DARK] * 9, still_s=60)
    assert who == "p" * 9 + "p" * 4 + "w" * 5
    assert driver.reason == BLACK


def test_what_stands_in_the_way_of_the_controls_counts_first():
    way: list[str | None] = [None, None, "the window is minimised", "the window is minimised", None]
    asked = iter(way)
    who, driver = watched([MOVING] * 5, obstacle=lambda: next(asked))
    assert who == "ppwwp"
    assert driver.times == {"the window is minimised": 1}


def test_the_policy_begins_anew_when_it_is_over():
    model = Model()
    reasons = iter([None, "away", "away", None, None])
    driver, film = Watchdog(model, obstacle=lambda: next(reasons)), Film()
    for _ in range(5):
        driver.act(film.next(MOVING))
    assert model.resets == 1


@given(st.lists(st.sampled_from([STILL, DARK, MOVING]), min_size=1, max_size=80))
def test_it_never_lets_go_without_a_reason_and_never_drives_with_one(kinds):
    film, driver = Film(), Watchdog(Model())
    driver.reset()
    for kind in kinds:
        choice = driver.act(film.next(kind))
        assert (choice.actor == WATCHDOG) == (driver.reason is not None)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_seconds_that_are_none_are_refused(seconds):
    with pytest.raises(KartError, match="stand still"):
        Watchdog(Model(), still_s=seconds)
