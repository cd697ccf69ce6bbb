"""Numbers of a game's memory become what every game tells: progress, lap, speed, off the road, hit, the course."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.games.bizhawk.memory import Memory
from kart_pipeline.games.bizhawk.tables import load_tables

# Luigi Raceway in time trials, a lap and a half in, all tyres on asphalt
RACING = {
    "laps_driven": 1.5,
    "speed": 5.0,
    "race_s": 70.25,
    "x": -12.5,
    "y": 300.0,
    "height": 4.0,
    "mode": 1,
    "course": 8,
    "lap": 1,
    "off_track.0": 1,
    "off_track.1": 1,
    "off_track.2": 1,
    "off_track.3": 1,
    "collision": 0,
}


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    return Memory(load_tables(tmp_path_factory.mktemp("home"))["mario_kart_64"])


@pytest.fixture(scope="module")
def snes(tmp_path_factory):
    return Memory(load_tables(tmp_path_factory.mktemp("home"))["super_mario_kart"])


def test_it_asks_for_each_number_by_place_and_kind(memory):
    reads = {read.key: read for read in memory.reads()}
    assert reads.keys() == RACING.keys()
    assert (reads["speed"].address, reads["speed"].type, reads["speed"].order) == (0x0F6BBC, "f32", "big")
    assert reads["off_track.2"].address == 0x0F6B64


def test_a_race_is_told_in_the_names_that_all_games_share(memory):
    told = memory.state(RACING)
    assert told["progress"] == pytest.approx(0.5)
    assert told["lap"] == 1
    assert told["speed"] == pytest.approx(60)  # km/h
    assert told["off_track"] == 0
    assert told["collision"] == 0
    assert told["race_s"] == 70.25
    assert memory.course(told) == "luigi-raceway"
    assert not memory.finished(told)


def test_off_the_road_is_who_has_all_tyres_there(memory):
    grass = {f"off_track.{tyre}": 8 for tyre in range(4)}
    assert memory.state(RACING | grass)["off_track"] == 1
    assert memory.state(RACING | grass | {"off_track.3": 1})["off_track"] == 0
    in_the_air = {f"off_track.{tyre}": 0 for tyre in range(4)}
    assert memory.state(RACING | in_the_air)["off_track"] == 0


@pytest.mark.parametrize(("effects", "hit"), [(0, 0), (0x200, 0), (0x02000000, 1), (0x04000000, 1), (0x44000200, 1)])
def test_hit_is_who_hits_something_or_is_hit(memory, effects, hit):
    assert memory.state(RACING | {"collision": effects})["collision"] == hit


def test_behind_the_line_at_the_start_nothing_is_done_yet(memory):
    told = memory.state(RACING | {"laps_driven": -0.02, "lap": -1})
    assert (told["progress"], told["lap"]) == (0, 0)


def test_three_laps_are_the_race(memory):
    assert memory.finished(memory.state(RACING | {"laps_driven": 3.001, "lap": 3}))
    assert memory.finished(memory.state(RACING | {"laps_driven": 2.999, "lap": 3}))
    assert not memory.finished(memory.state(RACING | {"laps_driven": 2.999, "lap": 2}))


def test_a_race_and_the_menu_before_it_look_like_the_game(memory):
    assert memory.doubts(RACING) == ""
    assert memory.doubts(dict.fromkeys(RACING, 0)) == ""


@pytest.mark.parametrize(
    ("key", "number"), [("laps_driven", 7e8), ("mode", 9), ("course", 200), ("race_s", math.nan), ("x", math.inf)]
)
def test_numbers_that_no_race_has_are_doubted_by_name(memory, key, number):
    assert f"does not look like Mario Kart 64 (USA): {key} is" in memory.doubts(RACING | {key: number})


def test_a_number_that_is_none_leaves_its_value_out(memory):
    told = memory.state(RACING | {"laps_driven": math.nan, "course": math.nan})
    assert "progress" not in told
    assert "speed" in told
    assert memory.course(told) == ""
    assert not memory.finished(told | {"lap": 0})


def test_a_course_without_a_name_has_its_number(snes):
    assert snes.course({"course": 7.0}) == "course-7"


def test_super_mario_kart_counts_laps_and_checkpoints(snes):
    numbers = dict.fromkeys((read.key for read in snes.reads()), 0)
    numbers |= {"lap": 130, "checkpoint": 10, "checkpoints": 40, "off_track": 0x54, "collision": 0x54, "speed": 800}
    told = snes.state(numbers)
    assert told["progress"] == pytest.approx((2 + 10 / 40) / 5)
    assert (told["lap"], told["off_track"], told["collision"], told["speed"]) == (2, 1, 0, 800)
    assert snes.state(numbers | {"collision": 0x80, "off_track": 0x80})["collision"] == 1
    assert "progress" not in snes.state(numbers | {"checkpoints": 0})  # before a race is loaded
    assert snes.finished(snes.state(numbers | {"lap": 133, "checkpoint": 0}))


@given(st.dictionaries(st.sampled_from(sorted(RACING)), st.floats(width=32)))
def test_whatever_the_memory_holds_progress_is_a_share_and_all_is_finite(memory, strange):
    told = memory.state(RACING | strange)
    assert all(map(math.isfinite, told.values()))
    assert 0 <= told.get("progress", 0.0) <= 1
    memory.course(told)
    memory.doubts(RACING | strange)
