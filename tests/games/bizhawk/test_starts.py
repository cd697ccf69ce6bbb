"""Drives begin at save states, each seed in its own way, so that many drives from one state are not the same drive."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.starts import HARDEST, LONGEST_PUSH_S, LONGEST_WAIT_S, Start, Starts, state_files


@pytest.fixture
def states(tmp_path):
    files = [tmp_path / "luigi.State", tmp_path / "farm.State"]
    for file in files:
        file.write_bytes(b"state")
    return files


def test_seeds_in_a_row_take_the_states_in_turn(states):
    starts = Starts(states)
    assert [starts.start(seed).state for seed in range(1_000_000, 1_000_004)] == states * 2


def test_a_seed_begins_in_the_same_way_and_others_in_others(states):
    starts = Starts(states[:1])
    assert starts.start(5) == Starts(states[:1]).start(5)
    assert len({starts.start(seed) for seed in range(20)}) == 20


def test_undisturbed_all_drives_of_a_state_are_one(states):
    assert Starts(states[:1], disturbed=False).start(7) == Start(states[0])


def test_without_states_a_drive_begins_where_the_game_is():
    assert Starts().start(3).state is None


@given(st.integers(0, 2**31 - 1))
def test_a_beginning_is_short_and_mild(seed):
    start = Starts().start(seed)
    assert 0 <= start.wait_s <= LONGEST_WAIT_S
    assert 0 <= start.push_s <= LONGEST_PUSH_S
    assert abs(start.steer) <= HARDEST


def test_a_state_that_is_not_there_is_named_with_how_to_make_one(states, tmp_path):
    with pytest.raises(KartError, match=r"no save state .*rainbow.State. Make one in BizHawk"):
        Starts([*states, tmp_path / "rainbow.State"])


def test_a_person_names_states_with_commas_between():
    assert state_files(" a.State, b c.State ,") == [Path("a.State"), Path("b c.State")]
    assert state_files("") == []
    with pytest.raises(KartError, match="name one twice"):
        state_files("a.State,a.State")
