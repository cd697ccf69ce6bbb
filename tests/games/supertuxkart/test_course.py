"""How far a race has come, by where the kart is seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.games.supertuxkart.course import Course
from kart_pipeline.games.supertuxkart.line import DriveLine, Values

LINE = DriveLine(
    np.array([[0, 0, 0], [0, 0, 100], [100, 0, 100], [100, 0, 0]], np.float64), np.array([5.0, 5.0, 5.0, 5.0])
)


def at(metres: float) -> Values:
    return LINE.point(metres)


def driven(laps: int, *metres: float) -> Course:
    course = Course(LINE, laps, at(-10))
    for here in metres:
        course.look(at(here))
    return course


def test_a_race_begins_before_the_line_and_the_first_crossing_is_no_lap() -> None:
    course = driven(1)
    assert (course.progress, course.lap, course.total) == (0.0, 0, pytest.approx(-10))
    course.look(at(5))
    assert course.lap == 0
    assert course.progress == pytest.approx(15 / 410)


def test_each_way_round_and_over_the_line_is_a_lap() -> None:
    round_and_round = np.arange(-10, 1205, 15.0)
    course = driven(3, *round_and_round)
    assert course.lap == 2
    assert not course.finished
    course.look(at(1201))
    assert (course.lap, course.finished, course.progress) == (3, True, 1.0)


def test_rolling_back_over_the_line_and_forward_again_gives_nothing() -> None:
    course = driven(2, 100, 200, 300, 390, 405)
    assert course.lap == 1
    course.look(at(395))
    assert course.lap == 0
    course.look(at(405))
    assert course.lap == 1


def test_driving_the_wrong_way_round_is_no_progress() -> None:
    course = driven(1, *np.arange(-10, -800, -15.0))
    assert (course.lap, course.progress) == (0, 0.0)
    assert course.total < -700


@given(st.lists(st.floats(-30, 59), min_size=1, max_size=60))  # no kart gets 60 m further between two looks
def test_the_metres_are_the_sum_of_all_ways_whatever_they_are(ways: list[float]) -> None:
    course = Course(LINE, 3, at(50))
    for here in 50 + np.cumsum(ways):
        course.look(at(float(here)))
    assert course.total == pytest.approx(50 + sum(ways), abs=1e-6)
    assert 0 <= course.progress <= 1


def test_off_the_track_is_beyond_half_its_width() -> None:
    course = driven(1, 50)
    course.look(at(50) + np.array([4.9, 0, 0]))
    assert not course.off_track
    course.look(at(50) + np.array([5.1, 0, 0]))
    assert course.off_track
