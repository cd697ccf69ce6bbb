"""Balancing makes rare steering count more, within bounds, and loses no row."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.balance import BINS, MAX_WEIGHT, Histogram, balance_weights, histogram

steering = arrays(np.float32, st.integers(1, 400), elements=st.floats(-1, 1, width=32))


@given(steering)
def test_weights_have_a_mean_of_one_and_stay_within_bounds(steer: np.ndarray) -> None:
    weights = balance_weights(steer, "histogram")
    assert weights.dtype == np.float32
    assert weights.shape == steer.shape
    assert weights.mean(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert (weights > 0).all()
    assert weights.max() <= MAX_WEIGHT


@given(steering)
def test_a_row_of_a_rarer_bin_never_counts_less_and_its_bin_never_more(steer: np.ndarray) -> None:
    weights = balance_weights(steer, "histogram")
    figures = histogram(steer, weights)
    before, after = np.array(figures.before), np.array(figures.after)
    filled = np.flatnonzero(before)
    ordered = filled[np.argsort(before[filled], kind="stable")]
    assert (np.diff(after[ordered] / before[ordered]) <= 1e-5).all()
    assert (np.diff(after[ordered]) >= -1e-3).all()


def test_bins_that_need_no_cap_all_count_the_same() -> None:
    steer = np.repeat(np.float32([-0.5, 0.0, 0.5]), [100, 300, 200])
    after = np.array(histogram(steer, balance_weights(steer, "histogram")).after)
    np.testing.assert_allclose(after[after > 0], [200, 200, 200], rtol=1e-5)


def test_a_single_odd_row_gets_the_cap_and_no_more() -> None:
    steer = np.append(np.zeros(999, np.float32), np.float32(1))
    weights = balance_weights(steer, "histogram")
    assert weights[-1] == MAX_WEIGHT
    assert weights[0] == pytest.approx((1000 - MAX_WEIGHT) / 999)


def test_steering_that_never_changes_is_not_weighted() -> None:
    assert (balance_weights(np.full(50, 0.3, np.float32), "histogram") == 1).all()


def test_without_balance_every_row_counts_one() -> None:
    assert balance_weights(np.float32([0, 0, 0, 1]), "none").tolist() == [1, 1, 1, 1]
    assert balance_weights(np.empty(0, np.float32), "histogram").shape == (0,)


@given(steering)
def test_the_histogram_counts_every_row_once_and_sums_every_weight(steer: np.ndarray) -> None:
    weights = balance_weights(steer, "histogram")
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


@pytest.mark.parametrize("value", [1.01, -2, np.nan, np.inf])
def test_what_is_no_steering_is_refused(value: float) -> None:
    with pytest.raises(KartError, match=r"outside \[-1, 1\]"):
        balance_weights(np.float32([0, value]), "histogram")


def test_an_unknown_balance_is_refused() -> None:
    with pytest.raises(KartError, match="none, histogram"):
        balance_weights(np.zeros(3, np.float32), "undersample")  # type: ignore[arg-type]
