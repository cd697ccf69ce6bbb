import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.seeds import PLAYER, PROMOTION, RESERVED, parse_seeds


def test_promotion_and_player_have_blocks_of_their_own_within_what_is_reserved():
    assert RESERVED.start <= PROMOTION.start < PROMOTION.stop <= PLAYER.start < PLAYER.stop <= RESERVED.stop


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
