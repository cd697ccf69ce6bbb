"""Balancing makes rare steering and rarely seen places count more, within bounds, and loses no row."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.balance import (
    BINS,
    MAX_WEIGHT,
    PLACES,
    Balance,
    Histogram,
    balance_weights,
    correction_weights,
    histogram,
    places,
)

steering = arrays(np.float32, st.integers(1, 400), elements=st.floats(-1, 1, width=32))
balances: st.SearchStrategy[Balance] = st.sampled_from(["none", "histogram", "places", "both"])


def by_steering(steer: np.ndarray) -> np.ndarray:
    return balance_weights("histogram", steer, np.full(len(steer), -1))


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Steering and places of some rows, some of which have no known place."""
    steer = draw(steering)
    place = draw(arrays(np.int64, len(steer), elements=st.integers(-1, 8)))
    place[0] = 0
    return steer, place


@given(rows(), balances)
def test_weights_have_a_mean_of_one_and_stay_within_bounds(
    steer_and_place: tuple[np.ndarray, np.ndarray], balance: Balance
) -> None:
    steer, place = steer_and_place
    weights = balance_weights(balance, steer, place)
    assert weights.dtype == np.float32
    assert weights.shape == steer.shape
    assert weights.mean(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert (weights > 0).all()
    assert weights.max() <= MAX_WEIGHT


@given(steering)
def test_a_row_of_a_rarer_bin_never_counts_less_and_its_bin_never_more(steer: np.ndarray) -> None:
    weights = by_steering(steer)
    figures = histogram(steer, weights)
    before, after = np.array(figures.before), np.array(figures.after)
    filled = np.flatnonzero(before)
    ordered = filled[np.argsort(before[filled], kind="stable")]
    assert (np.diff(after[ordered] / before[ordered]) <= 1e-5).all()
    assert (np.diff(after[ordered]) >= -1e-3).all()


@given(rows())
def test_both_follow_the_product_of_the_two_until_the_cap(steer_and_place: tuple[np.ndarray, np.ndarray]) -> None:
    steer, place = steer_and_place
    place = np.abs(place)
    bins = np.minimum((steer.astype(float) + 1) / 2 * BINS, BINS - 1).astype(int)
    rarity = 1 / (np.bincount(bins)[bins] * np.bincount(place)[place])
    weights = balance_weights("both", steer, place)
    ratio = weights / rarity
    level = ratio[weights < MAX_WEIGHT * 0.999]
    np.testing.assert_allclose(level, ratio.max(), rtol=1e-3)
    assert (weights[ratio < ratio.max() * 0.998] >= MAX_WEIGHT * 0.999).all(), "cut for no reason"


def test_places_that_need_no_cap_all_count_the_same_and_unknown_ones_like_an_average_row() -> None:
    place = np.repeat([0, 1, 7, -1], [100, 300, 200, 50])
    weights = balance_weights("places", None, place)
    for known in (0, 1, 7):
        assert weights[place == known].sum() == pytest.approx(200, rel=1e-4)
    np.testing.assert_allclose(weights[place == -1], 1, rtol=1e-5)


def test_a_place_is_a_fiftieth_of_the_race_on_one_track() -> None:
    progress = np.float32([0.0, 0.019, 0.021, 1.0, 1.3, -0.1, np.nan])
    first = places(np.zeros(7, np.int64), progress)
    assert first.tolist() == [0, 0, 1, PLACES - 1, PLACES - 1, 0, -1]
    second = places(np.ones(7, np.int64), progress)
    assert not set(first[:6]) & set(second[:6]), "two tracks share a place"
    assert second[-1] == -1


def test_bins_that_need_no_cap_all_count_the_same() -> None:
    steer = np.repeat(np.float32([-0.5, 0.0, 0.5]), [100, 300, 200])
    after = np.array(histogram(steer, by_steering(steer)).after)
    np.testing.assert_allclose(after[after > 0], [200, 200, 200], rtol=1e-5)


def test_a_single_odd_row_gets_the_cap_and_no_more() -> None:
    steer = np.append(np.zeros(999, np.float32), np.float32(1))
    weights = by_steering(steer)
    assert weights[-1] == MAX_WEIGHT
    assert weights[0] == pytest.approx((1000 - MAX_WEIGHT) / 999)


def test_steering_that_never_changes_is_not_weighted() -> None:
    assert (by_steering(np.full(50, 0.3, np.float32)) == 1).all()


def test_without_balance_every_row_counts_one() -> None:
    assert balance_weights("none", np.float32([0, 0, 0, 1]), np.arange(4)).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("balance", ["none", "histogram", "places", "both"])
def test_no_rows_have_no_weights(balance: Balance) -> None:
    weights = balance_weights(balance, np.empty(0, np.float32), np.empty(0, np.int64))
    assert correction_weights(weights, np.empty(0, bool), np.empty(0, bool), 3.0, 3.0).shape == (0,)


@given(steering)
def test_the_histogram_counts_every_row_once_and_sums_every_weight(steer: np.ndarray) -> None:
    weights = by_steering(steer)
    figures = histogram(steer, weights)
    assert len(figures.before) == len(figures.after) == BINS == len(figures.edges) - 1
    np.testing.assert_array_equal(figures.before, np.histogram(steer.astype(float), BINS, (-1, 1))[0])
    assert sum(figures.after) == pytest.approx(len(steer), rel=1e-4)
    assert 0 < figures.effective_rows <= len(steer) * (1 + 1e-5)


def test_straight_ahead_has_a_bin_of_its_own() -> None:
    figures = histogram(np.float32([-0.039, 0, 0.039]), np.ones(3, np.float32))
    assert figures.before[BINS // 2] == 3


def test_the_histogram_survives_json() -> None:
    figures = histogram(np.float32([0, 0.5]), np.ones(2, np.float32))
    assert Histogram.from_dict(json.loads(json.dumps(figures.to_dict()))) == figures


@given(steering, st.floats(0.1, 20), st.floats(0.1, 20))
def test_corrections_and_takeovers_count_so_many_times_as_much_and_the_mean_stays_one(
    steer: np.ndarray, factor: float, takeover_factor: float
) -> None:
    before = by_steering(steer)
    correction = np.arange(len(steer)) % 3 == 0
    takeover = np.arange(len(steer)) % 6 == 3
    after = correction_weights(before, correction, takeover, factor, takeover_factor)
    assert after.dtype == np.float32
    assert after.mean(dtype=np.float64) == pytest.approx(1, abs=1e-4)
    ratio = after / before
    np.testing.assert_allclose(ratio[correction & ~takeover], ratio[0], rtol=1e-4)
    np.testing.assert_allclose(ratio[takeover] * factor, ratio[0] * takeover_factor, rtol=1e-4)
    np.testing.assert_allclose(ratio[~correction] * factor, ratio[0], rtol=1e-4)


@pytest.mark.parametrize("factor", [0.0, -1.0, 101.0, np.nan, np.inf])
def test_a_correction_weight_out_of_range_is_refused(factor: float) -> None:
    with pytest.raises(KartError, match="above 0 and at most 100"):
        correction_weights(np.ones(2, np.float32), np.array([True, False]), np.zeros(2, bool), factor, 1.0)
    with pytest.raises(KartError, match="above 0 and at most 100"):
        correction_weights(np.ones(2, np.float32), np.array([True, False]), np.zeros(2, bool), 1.0, factor)


@pytest.mark.parametrize("value", [1.01, -2, np.nan, np.inf])
def test_what_is_no_steering_is_refused(value: float) -> None:
    with pytest.raises(KartError, match=r"outside \[-1, 1\]"):
        by_steering(np.float32([0, value]))


def test_an_unknown_balance_is_refused() -> None:
    with pytest.raises(KartError, match="none, histogram, places, both"):
        balance_weights("undersample", np.zeros(3, np.float32), np.zeros(3, np.int64))  # type: ignore[arg-type]


def test_what_there_is_nothing_to_balance_by_is_refused_with_what_to_do() -> None:
    with pytest.raises(KartError, match=r"no pair of mirrored buttons .* use balance 'places' or 'none'"):
        balance_weights("both", None, np.zeros(3, np.int64))
    with pytest.raises(KartError, match=r"progress along the track.* use balance 'histogram' or 'none'"):
        balance_weights("places", np.zeros(3, np.float32), np.full(3, -1))
