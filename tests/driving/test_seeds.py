import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.seeds import (
    CORRECTION,
    CORRECTIONS_PER_MODEL,
    PLAYER,
    PROMOTION,
    RECORDING,
    RESERVED,
    correction_seeds,
    parse_seeds,
)


def test_promotion_and_player_have_blocks_of_their_own_within_what_is_reserved():
    assert RESERVED.start <= PROMOTION.start < PROMOTION.stop <= PLAYER.start < PLAYER.stop <= RESERVED.stop


def test_recording_and_corrections_share_no_track_with_each_other_or_with_scoring():
    assert RECORDING.stop <= CORRECTION.start < CORRECTION.stop <= RESERVED.start


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(0, 499))
def test_each_model_is_corrected_on_tracks_of_its_own(version, other, first):
    count = CORRECTIONS_PER_MODEL - first
    ours, theirs = correction_seeds(version, first, count), correction_seeds(other, 0, CORRECTIONS_PER_MODEL)
    assert len(ours) == count
    assert CORRECTION.start <= ours.start < ours.stop <= CORRECTION.stop
    assert (version == other) == bool(set(ours) & set(theirs))


def test_further_corrections_of_a_model_go_on_where_the_first_ended():
    assert [*correction_seeds(2, 0, 3), *correction_seeds(2, 3, 2)] == list(range(500_500, 500_505))


@pytest.mark.parametrize("wrong", [(0, 0, 1), (1, -1, 1), (1, 0, 0), (1, 499, 2)])
def test_more_corrections_than_a_model_has_tracks_are_refused(wrong):
    with pytest.raises(KartError, match="Train another model"):
        correction_seeds(*wrong)


def test_a_count_takes_the_first_seeds_of_the_block():
    assert parse_seeds("3") == [2_000_000, 2_000_001, 2_000_002]
    assert parse_seeds("2", PROMOTION) == [1_000_000, 1_000_001]


@pytest.mark.parametrize(("text", "seeds"), [("7,", [7]), ("7,8", [7, 8]), (" 1000000 , 3 ", [1_000_000, 3])])
def test_a_list_takes_these_very_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", ",", "five", "-1", "1.5", "1,,2", "1,x", "0", "1000001", "4,4", f"{2**31},", "²"])
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(KartError):
        parse_seeds(text)


def test_one_seed_taken_for_a_count_is_answered_with_the_way_to_write_it():
    with pytest.raises(KartError, match="comma"):
        parse_seeds("2000003")
