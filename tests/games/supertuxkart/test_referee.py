"""When a race is over, and what it was worth."""

import numpy as np
import pytest

from kart_pipeline.games.base import FINISHED
from kart_pipeline.games.supertuxkart.course import Course
from kart_pipeline.games.supertuxkart.line import DriveLine
from kart_pipeline.games.supertuxkart.referee import DIED, HANGS, STUCK, Referee
from kart_pipeline.games.supertuxkart.telemetry import Kart

LINE = DriveLine(
    np.array([[0, 0, 0], [0, 0, 100], [100, 0, 100], [100, 0, 0]], np.float64), np.array([5.0, 5.0, 5.0, 5.0])
)
SECOND = 1_000_000_000


class Race:
    """One lap of 410 m, judged once a second."""

    def __init__(self) -> None:
        self.course = Course(LINE, 1, LINE.point(-10))
        self.referee = Referee(self.course, 0, stuck_s=10, patience=2)
        self.seconds = 0

    def second(self, metres: float, *, alive: bool = True, silent_s: float = 0, race_s: float | None = None) -> None:
        self.seconds += 1
        now, place = self.seconds * SECOND, LINE.point(metres)
        self.course.look(place)
        clock = self.seconds if race_s is None else race_s
        self.referee.judge(Kart(round(now - silent_s * SECOND), place, np.zeros(3), clock), now, alive=alive)


@pytest.fixture
def race() -> Race:
    return Race()


def test_a_race_is_finished_behind_the_line_and_worth_more_the_quicker_it_was(race: Race) -> None:
    for metres in range(0, 400, 20):
        race.second(metres)
        assert race.referee.ended is None
    race.second(401)
    assert race.referee.ended == FINISHED
    assert race.referee.score == pytest.approx(1000 - 100 * 21 / (410 / 15))


def test_who_makes_no_way_for_ten_seconds_is_stuck(race: Race) -> None:
    for metres in (5, 10, *[8] * 10):
        race.second(metres)
    assert race.referee.ended is None
    race.second(9)
    assert race.referee.ended == STUCK


def test_a_game_that_died_or_says_nothing_is_told_apart(race: Race) -> None:
    race.second(5, silent_s=6)
    assert race.referee.ended == HANGS
    race.second(6, alive=False)
    assert race.referee.ended == DIED


def test_a_race_may_take_so_long_by_the_games_own_clock(race: Race) -> None:
    race.second(5, race_s=54)
    assert race.referee.ended is None
    race.second(6, race_s=55)
    assert race.referee.ended == "time limit"
