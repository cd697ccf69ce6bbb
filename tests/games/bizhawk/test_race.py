"""A race is over when the last lap is, when nothing goes on any more, or when the game shows something else."""

import pytest

from kart_pipeline.games.bizhawk.memory import Memory
from kart_pipeline.games.bizhawk.race import Race
from kart_pipeline.games.bizhawk.tables import load_tables

LUIGI, FARM = {"course": 8.0}, {"course": 9.0}


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    return Memory(load_tables(tmp_path_factory.mktemp("home"))["mario_kart_64"])


@pytest.fixture
def race(memory):
    return Race(memory, patience_s=300.0)


def follow(race, *seen):
    """What the game tells at times: `(seconds, progress)`; returns how it ended."""
    for seconds, progress in seen:
        race.look({**LUIGI, "progress": progress, "lap": 0.0}, seconds)
    return race.ended


def test_the_course_is_named_from_the_first_look(race):
    follow(race, (0.0, 0.0))
    assert race.track == "luigi-raceway"


def test_the_whole_race_is_worth_a_thousand_less_a_point_a_second(race):
    assert follow(race, (0, 0.0), (5, 0.02), (130, 1.0)) == "finished"
    assert race.score == 870


def test_ten_seconds_without_progress_are_the_end(race):
    assert follow(race, (0, 0.0), (9, 0.1), (18, 0.05), (18.9, 0.1)) is None
    assert follow(race, (19, 0.1)) == "stuck"


def test_the_start_with_its_lights_is_no_standstill(race):
    assert follow(race, (0, 0.0), (6, 0.0), (7, 0.001)) is None


def test_patience_ends(race):
    steady = [(second, second / 1000) for second in range(301)]
    assert follow(race, *steady) == "time limit"


def test_another_course_is_another_race(race):
    follow(race, (0, 0.5))
    race.look({**FARM, "progress": 0.0}, 1.0)
    assert race.ended == "no race"


def test_what_ended_stays_ended(race):
    follow(race, (0, 0.0), (130, 1.0))
    assert follow(race, (131, 0.0), (160, 0.0)) == "finished"
    assert race.score == 870


def test_a_game_that_tells_nothing_has_neither_end_nor_score(memory):
    for race in (Race(None), Race(memory)):
        for second in range(0, 100, 5):
            race.look({}, second)
        assert (race.track, race.score, race.ended) == ("", 0.0, None)
