"""A session stays on its side for good, and neither side is empty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.split import (
    describe,
    describe_frames,
    describe_tail,
    position,
    split_frames,
    split_groups,
    split_tail,
)

groups = st.sets(st.text(max_size=12), min_size=2, max_size=40)
fractions = st.floats(0.01, 0.99)


@given(groups, fractions)
def test_both_sides_have_a_group(names: set[str], val_fraction: float) -> None:
    sides = split_groups(names, val_fraction)
    assert sides.keys() == names
    assert set(sides.values()) == {"train", "val"}


@given(groups, st.sets(st.text(max_size=12), max_size=10), fractions)
def test_further_groups_move_none_but_the_one_that_had_filled_an_empty_side(
    names: set[str], added: set[str], val_fraction: float
) -> None:
    before, after = split_groups(names, val_fraction), split_groups(names | added, val_fraction)
    moved = {name for name in names if before[name] != after[name]}
    assert len(moved) <= 1
    for name in moved:  # it was out of its place only because its side would have been empty
        assert after[name] == ("val" if position(name) < val_fraction else "train")


@given(groups, fractions)
def test_order_and_repetition_do_not_matter(names: set[str], val_fraction: float) -> None:
    ordered = sorted(names)
    assert split_groups(ordered, val_fraction) == split_groups(ordered[::-1] * 2, val_fraction)


@given(groups, fractions, fractions)
def test_a_larger_share_holds_out_all_that_a_smaller_one_did(names: set[str], one: float, other: float) -> None:
    small, large = (split_groups(names, fraction) for fraction in sorted((one, other)))
    assert {name for name in names if small[name] == "val"} <= {name for name in names if large[name] == "val"}


@pytest.mark.parametrize("val_fraction", [0.1, 0.2, 0.5])
def test_of_many_groups_about_the_wanted_share_is_held_out(val_fraction: float) -> None:
    sides = split_groups([f"seed-{n}" for n in range(2000)], val_fraction)
    share = sum(side == "val" for side in sides.values()) / 2000
    assert share == pytest.approx(val_fraction, abs=0.03)


def test_a_groups_place_is_the_same_on_every_machine_and_in_every_release() -> None:
    # a split that moved would put held-out sessions into training; the digits are those of `printf seed-1 | sha256sum`
    assert position("seed-1") == 0x0EB026731D9EA3F8 / 2**64


@given(
    rows=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    val_fraction=fractions,
    embargo=st.integers(0, 10),
)
def test_the_end_of_a_single_group_is_held_out_and_no_stack_reaches_over(
    rows: list[int], val_fraction: float, embargo: int
) -> None:
    session = np.repeat(np.arange(len(rows)), rows)
    row = np.concatenate([np.arange(count) for count in rows])
    try:
        sides = split_tail(session, row, val_fraction, embargo)
    except KartError:
        cut = int(len(row) * (1 - val_fraction))
        assert cut == 0 or cut == len(row) or (session[:cut] == session[cut]).all()
        return
    held_out = np.flatnonzero(sides == "val")
    assert len(held_out) == len(row) - int(len(row) * (1 - val_fraction))
    assert held_out[0] + len(held_out) == len(row), "not the end"
    first = held_out[0]
    learned = np.flatnonzero(sides == "train")
    assert len(learned)
    same_session = learned[session[learned] == session[first]]
    assert (row[same_session] < row[first] - embargo).all()
    unused = np.flatnonzero(sides == "")
    assert len(unused) <= embargo
    assert (session[unused] == session[first]).all()


def test_the_last_tenth_of_a_lap_of_475_rows_is_that_of_keras_validation_split() -> None:
    sides = split_tail(np.zeros(475, int), np.arange(475), 0.1, embargo=0)
    assert sides.tolist() == ["train"] * 427 + ["val"] * 48


def test_the_embargo_is_counted_in_frames_also_where_rows_have_no_label() -> None:
    row = np.array([0, 10, 20, 21, 22, 23])
    sides = split_tail(np.zeros(6, int), row, 0.5, embargo=5)
    assert sides.tolist() == ["train", "train", "", "val", "val", "val"]


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_too_few_rows_for_two_sides_are_refused(rows: int) -> None:
    with pytest.raises(KartError, match=f"{rows} labelled rows"):
        split_tail(np.zeros(rows, int), np.arange(rows), 0.2, embargo=4)


@given(st.integers(2, 500), fractions)
def test_single_frames_are_drawn_from_everywhere_the_same_each_time(count: int, val_fraction: float) -> None:
    sides = split_frames(count, val_fraction)
    held_out = (sides == "val").sum()
    assert 1 <= held_out <= count - 1
    assert abs(held_out - count * val_fraction) <= 1
    np.testing.assert_array_equal(sides, split_frames(count, val_fraction))


def test_of_single_frames_hardly_one_is_held_out_together_with_both_neighbours() -> None:
    held_out = split_frames(10_000, 0.2) == "val"
    alone = held_out[1:-1] & ~(held_out[:-2] & held_out[2:])
    assert alone.sum() > 0.9 * held_out.sum()


def test_one_row_cannot_be_split_by_frame() -> None:
    with pytest.raises(KartError, match="single labelled row"):
        split_frames(1, 0.2)


@pytest.mark.parametrize("val_fraction", [0.0, 1.0, -0.1, 20.0, float("nan")])
def test_a_share_that_is_none_is_refused(val_fraction: float) -> None:
    with pytest.raises(KartError, match="above 0 and below 1"):
        split_groups(["a", "b"], val_fraction)
    with pytest.raises(KartError, match="above 0 and below 1"):
        split_tail(np.zeros(100, int), np.arange(100), val_fraction, 1)
    with pytest.raises(KartError, match="above 0 and below 1"):
        split_frames(100, val_fraction)


def test_the_split_is_told_in_words() -> None:
    assert describe({"a": "val", "b": "train", "c": "train"}, "group") == "by session: 1 of 3 groups are held out"
    assert describe({"a": "val", "b": "train"}, "track") == "by track: 1 of 2 tracks are held out"
    told = describe_tail(0.1, 4)
    assert "last 10%" in told
    assert "4 frames" in told
    assert "neither" not in describe_tail(0.1, 0)
    assert "20% of the rows" in describe_frames(0.2)
    assert "leaks" in describe_frames(0.2)
