import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning import baselines
from kart_pipeline.learning.evaluation import errors_of, euclidean, evaluate

SPEC = ActionSpec(("steer", "pitch"), ("A", "B", "RB"), ("steer",))
LAP = Path(__file__).parents[1] / "data" / "mariokart64-luigi-raceway" / "labels.csv"


@pytest.fixture(scope="module")
def lap() -> np.ndarray:
    labels = np.loadtxt(LAP, delimiter=",", dtype=np.float32)
    assert labels.shape == (475, 5)
    return labels


def test_the_real_lap_has_the_known_statistics(lap: np.ndarray) -> None:
    steer = lap[:, 0]
    assert steer.mean() == pytest.approx(-0.154, abs=5e-4)
    assert (np.abs(steer) < 0.05).mean() == pytest.approx(0.44, abs=5e-3)
    assert lap[:, 2].mean() == pytest.approx(0.956, abs=5e-4)


def test_constants_score_on_the_real_lap_what_is_known_of_them(lap: np.ndarray) -> None:
    cut = math.floor(len(lap) * 0.9)
    first, last = lap[:cut], lap[cut:]
    straight, median = baselines.straight(first, SPEC), baselines.median(first, SPEC)
    assert straight.tolist() == [0, 0, 1, 0, 0]
    assert euclidean(straight, first) == pytest.approx(0.365, abs=5e-4)
    assert euclidean(straight, last) == pytest.approx(0.4715, abs=5e-4)
    assert euclidean(median, first) == pytest.approx(0.357, abs=5e-4)
    assert euclidean(median, last) == pytest.approx(0.466, abs=5e-4)


def test_the_median_wins_in_absolute_and_the_mean_in_squared_error(lap: np.ndarray) -> None:
    median = errors_of(baselines.median(lap, SPEC), lap, SPEC).heads["steer"]
    mean = errors_of(baselines.mean(lap), lap, SPEC).heads["steer"]
    assert median["mae"] < mean["mae"]
    assert median["rmse"] > mean["rmse"]


def test_euclidean_is_the_mean_length_of_the_error_over_all_channels() -> None:
    predicted = np.array([[0, 0, 0], [1, 1, 1]], np.float32)
    true = np.array([[3, 4, 0], [1, 1, 1]], np.float32)
    assert euclidean(predicted, true) == 2.5


def test_axes_have_distances_and_buttons_shares_and_cross_entropy() -> None:
    spec = ActionSpec(("steer",), ("A",))
    predicted = np.array([[0.5, 0.9], [0.0, 0.6], [-0.5, 0.4], [1.0, 0.1]], np.float32)
    true = np.array([[0.5, 1], [0.4, 0], [-0.5, 0], [0.6, 0]], np.float32)
    heads = errors_of(predicted, true, spec).heads
    assert heads["steer"] == pytest.approx({"mae": 0.2, "rmse": math.sqrt(0.08)})
    assert heads["A"]["accuracy"] == 0.75
    assert heads["A"]["bce"] == pytest.approx(-np.log([0.9, 0.4, 0.6, 0.9]).mean(), rel=1e-5)


def test_a_button_predicted_wrong_with_certainty_still_gives_a_finite_figure() -> None:
    heads = errors_of(np.array([1.0]), np.array([[0.0]], np.float32), ActionSpec((), ("A",))).heads
    assert math.isfinite(heads["A"]["bce"])


def test_repeating_the_last_action_never_reaches_into_another_session(
    make_training_set: Callable[..., TrainingSet], contract: Contract
) -> None:
    training_set = make_training_set(contract, (7, 5, 6), val_fraction=0.4)
    rows = training_set.rows("train")
    before = baselines.repeat_last(training_set, rows)
    assert len(np.unique(rows.session_index)) > 1
    for place, (session, row) in enumerate(zip(rows.session_index, rows.row, strict=True)):
        expected = training_set.executed(session)[row - 1] if row else np.zeros(len(contract.spec))
        assert np.array_equal(before[place], expected)


def test_an_evaluation_sets_the_network_beside_every_baseline(
    make_training_set: Callable[..., TrainingSet], contract: Contract
) -> None:
    training_set = make_training_set(contract)
    labels = training_set.rows("val").labels
    perfect = evaluate(training_set, "val", labels)
    assert list(perfect.errors) == ["network", "straight", "median", "mean", "repeat last"]
    assert all(perfect.beats(other) for other in perfect.errors if other != "network")
    assert not evaluate(training_set, "val", labels + 5).beats("straight")
    metrics = perfect.metrics()
    assert metrics["val/network/steer_mae"] == 0
    assert metrics["val/repeat_last/steer_mae"] > 0
    assert metrics["val/straight/A_accuracy"] == pytest.approx(0.75)


def test_baselines_are_fitted_on_training_rows_alone(
    make_training_set: Callable[..., TrainingSet], contract: Contract
) -> None:
    training_set = make_training_set(contract)
    labels = training_set.rows("val").labels
    mean = training_set.rows("train").labels.mean(axis=0)
    assert evaluate(training_set, "val", labels).errors["mean"].euclidean == pytest.approx(euclidean(mean, labels))


def test_the_table_has_a_row_for_each_predictor_and_marks_the_best(
    make_training_set: Callable[..., TrainingSet], contract: Contract
) -> None:
    training_set = make_training_set(contract)
    lines = evaluate(training_set, "val", training_set.rows("val").labels).markdown().splitlines()
    assert lines[0].startswith("| predictor | euclidean | steer mae | steer rmse |")
    assert lines[2].startswith("| network | **0.000** | **0.000** |")
    assert len(lines) == 2 + 5


def test_predictions_of_another_length_are_refused(
    make_training_set: Callable[..., TrainingSet], contract: Contract
) -> None:
    training_set = make_training_set(contract)
    with pytest.raises(KartError, match="predictions for"):
        evaluate(training_set, "val", training_set.rows("val").labels[1:])
