"""What is remembered of the rounds."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.correct import rounds
from kart_pipeline.correct.rounds import Begun, Journal, Round

number = st.floats(-1e4, 1e4)
seconds = st.dictionaries(st.sampled_from(["Record", "Train"]), st.floats(0, 1e5))
finished = st.builds(
    Round,
    number=st.integers(0, 99),
    version=st.integers(1, 99),
    champion=st.integers(0, 99),
    mean=st.none() | number,
    drift=st.none() | number,
    seconds=seconds,
    minutes=st.floats(0, 1e5),
)
begun = st.builds(Begun, number=st.integers(0, 99), drift=st.none() | number, seconds=seconds)
journals = st.builds(Journal, st.lists(finished, max_size=3).map(tuple), st.integers(-1, 9), st.none() | begun)


@given(journals, journals)
def test_two_games_are_remembered_side_by_side(tmp_path_factory: pytest.TempPathFactory, one: Journal, other: Journal):
    home = tmp_path_factory.mktemp("home")
    rounds.save(home, "kart", one)
    rounds.save(home, "boat", other)
    assert (rounds.load(home, "kart"), rounds.load(home, "boat")) == (one, other)


def test_a_game_that_was_never_corrected_has_an_empty_journal_that_wants_nothing(tmp_path: Path):
    assert rounds.load(tmp_path, "kart") == Journal()
    assert Journal().complete


def test_a_round_under_way_is_not_complete_and_neither_is_one_that_is_wanted():
    assert not Journal(last=0).complete
    assert not Journal((Round(number=0, version=1, champion=1),), 0, Begun(number=1)).complete
    assert Journal((Round(number=0, version=1, champion=1),), 0).complete


def finished_rounds(count: int) -> tuple[Round, ...]:
    return tuple(Round(number=number, version=number + 1, champion=1) for number in range(count))


def test_rounds_are_asked_for_beyond_those_that_are_finished():
    assert Journal().asked(3).last == 3
    assert Journal(finished_rounds(4), 3).asked(2).last == 5


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_a_run_that_broke_off_goes_on_with_the_same_number_and_heeds_another(earlier, wanted, done, other):
    asked = Journal(finished_rounds(earlier), earlier - 1).asked(wanted)
    done = min(done, asked.last - earlier)  # rounds finished before it broke off, in the one that follows
    assume(done >= 0)
    broken = Journal(finished_rounds(earlier + done), asked.last, Begun(number=earlier + done), asked.before)
    assert broken.asked(wanted) == broken
    assert broken.asked(other).last - asked.last == other - wanted


@pytest.mark.parametrize("text", ["{", "[]", '{"kart": {"rounds": [{"number": 0}], "last": 0, "begun": null}}'])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, text: str):
    (tmp_path / rounds.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(KartError, match=r"rounds\.json is damaged .*; delete it to begin anew"):
        rounds.load(tmp_path, "kart")
