import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.learning.heads import centres, decode, decode_bins, head_units, losses, two_hot
from kart_pipeline.learning.hyper import HyperParameters

SPEC = ActionSpec(("steer", "gas"), ("A",), ("steer",))
BINS = st.integers(7, 61)
VALUES = st.floats(-1, 1, width=32)


def logits(shares: np.ndarray) -> np.ndarray:
    """Logits of a distribution; what is impossible in it is as good as impossible."""
    return np.log(np.maximum(shares, 1e-30)).astype(np.float32)


def peak(bins: int, place: int) -> np.ndarray:
    """A distribution that is highest at one bin and falls to a quarter at each next one."""
    shares = 0.25 ** np.abs(np.arange(bins) - place)
    return shares / shares.sum()


@given(st.lists(VALUES, min_size=1, max_size=8), BINS)
@settings(deadline=None, max_examples=60)
def test_a_value_comes_back_from_its_distribution(values: list[float], bins: int) -> None:
    values_column = np.array(values, np.float32)[:, None]
    shares = np.asarray(two_hot(values_column, bins))
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (np.count_nonzero(shares, axis=1) <= 2).all()
    assert np.asarray(decode_bins(logits(shares))) == pytest.approx(values_column, abs=2e-5)


@given(st.data(), BINS, st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=60)
def test_of_two_peaks_one_is_chosen_and_never_what_lies_between(data: st.DataObject, bins: int, share: float) -> None:
    reach = max(1, bins // 10)
    left = data.draw(st.integers(0, bins - 2 * reach - 5))
    right = data.draw(st.integers(left + 2 * reach + 4, bins - 1))
    shares = share * peak(bins, left) + (1 - share) * peak(bins, right)
    value = float(np.asarray(decode_bins(logits(shares)[None]))[0, 0])
    nearest = min(abs(value - float(centres(bins)[place])) for place in (left, right))
    assert nearest <= 1.01 * 2 / (bins - 1)


def test_an_obstacle_that_can_be_passed_on_both_sides_is_passed() -> None:
    shares = 0.52 * peak(21, 3) + 0.48 * peak(21, 17)
    assert float(np.asarray(decode_bins(logits(shares)[None]))[0, 0]) == pytest.approx(-0.7, abs=0.05)
    assert (shares * np.linspace(-1, 1, 21)).sum() == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("spread", [0.3, 0.6, 1.0, 2.0, 3.0])
def test_a_distribution_that_moves_is_followed_without_jumps_however_unsure_it_is(spread: float) -> None:
    means = np.linspace(-0.5, 0.5, 2001)
    bins = np.linspace(-1, 1, 21)
    values = np.asarray(decode_bins(-((bins - means[:, None]) ** 2) / (2 * (0.1 * spread) ** 2)))[:, 0]
    assert values == pytest.approx(means, abs=0.022)  # a fifth of a bin
    assert np.abs(np.diff(values)).max() < 0.003


@pytest.mark.parametrize("flat", [np.zeros((1, 21)), np.full((1, 7), -80.0)])
def test_a_head_that_knows_nothing_still_answers_with_a_number(flat: np.ndarray) -> None:
    assert abs(float(np.asarray(decode_bins(flat))[0, 0])) <= 1


def test_a_value_outside_of_the_range_counts_as_its_end() -> None:
    assert np.asarray(two_hot(np.array([[-3.0], [1.5]]), 7)).argmax(axis=1).tolist() == [0, 6]


def test_arrays_and_graphs_are_decoded_alike_and_heads_told_apart_by_their_units() -> None:
    rng = np.random.default_rng(4)
    heads = {
        "steer": rng.normal(size=(5, 9)).astype(np.float32) * 3,
        "gas": rng.normal(size=(5, 1)).astype(np.float32) * 3,
        "A": rng.normal(size=(5, 1)).astype(np.float32),
    }
    answers = np.asarray(decode(heads, SPEC))
    graph = tf.function(lambda given: decode(given, SPEC), autograph=False)
    assert answers.dtype == np.float32
    assert np.array_equal(answers, graph({name: tf.constant(head) for name, head in heads.items()}).numpy())
    assert answers[:, :1] == pytest.approx(np.asarray(decode_bins(heads["steer"])))
    assert np.array_equal(answers[:, 1:2], heads["gas"])
    assert answers[:, 2:] == pytest.approx(1 / (1 + np.exp(-heads["A"])), abs=1e-6)


def test_a_spec_of_buttons_alone_is_decoded() -> None:
    assert np.asarray(decode({"A": np.zeros((2, 1), np.float32)}, ActionSpec((), ("A",)))).tolist() == [[0.5], [0.5]]


def test_axes_have_as_many_units_as_bins_and_buttons_always_one() -> None:
    assert head_units(SPEC, 21) == {"steer": 21, "gas": 21, "A": 1}
    assert head_units(SPEC, None) == {"steer": 1, "gas": 1, "A": 1}


def test_the_loss_of_bins_is_the_cross_entropy_against_the_two_bins_beside_the_label() -> None:
    loss = losses(SPEC, HyperParameters(axis_head="bins", bins=9))["steer"]()
    given_logits = np.random.default_rng(0).normal(size=(1, 9)).astype(np.float32)
    log_shares = given_logits[0] - np.log(np.exp(given_logits[0]).sum())
    # 0.1 lies 0.4 of the way from the centre at 0 to that at 0.25
    expected = -(0.6 * log_shares[4] + 0.4 * log_shares[5])
    assert float(loss(np.array([[0.1]], np.float32), given_logits)) == pytest.approx(expected, rel=1e-5)
