import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kart_pipeline import learning
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning.evaluation import evaluate
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.training import Figures, Progress, TrainingResult, learning_rate, train
from kart_pipeline.learning.warm_start import begin_from

MakeSet = Callable[..., TrainingSet]


def weights_of(result: TrainingResult) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in result.model.get_weights()]


@dataclass(frozen=True)
class Trained:
    """A run of 20 epochs, and what it told on the way. The held-out rows do not fill their last batch."""

    training_set: TrainingSet
    result: TrainingResult
    epochs: list[tuple[int, Figures]]
    batches: list[Progress]


@pytest.fixture(scope="module")
def trained(make_training_set: MakeSet, contract: Contract, hyper: HyperParameters) -> Trained:
    training_set = make_training_set(contract, (160, 43))
    epochs: list[tuple[int, Figures]] = []
    batches: list[Progress] = []
    result = train(
        training_set,
        replace(hyper, epochs=20, mirror=0.5),
        on_epoch=lambda epoch, figures: epochs.append((epoch, figures)),
        on_batch=batches.append,
    )
    return Trained(training_set, result, epochs, batches)


@pytest.fixture(scope="module")
def lean(contract: Contract) -> Contract:
    """With two heads instead of five, for what does not depend on them: tracing takes most of a short run."""
    return replace(contract, spec=ActionSpec(("steer",), ("A",), ("steer",)))


def test_a_network_learns_to_follow_a_drawn_road_and_beats_every_baseline(trained: Trained) -> None:
    evaluation = trained.result.evaluation
    assert all(evaluation.beats(other) for other in ("straight", "median", "mean", "repeat last"))
    assert evaluation.errors["network"].heads["steer"]["mae"] < 0.15


def test_predictions_of_the_held_out_rows_are_handed_over(trained: Trained) -> None:
    predicted = trained.result.predicted
    assert predicted.shape == (43, 5)
    assert evaluate(trained.training_set, "val", predicted) == trained.result.evaluation
    assert predicted[:, 2:].min() >= 0
    assert predicted[:, 2:].max() <= 1


def test_the_history_names_the_loss_of_every_head(trained: Trained, contract: Contract) -> None:
    heads = {f"{prefix}{name}_loss" for prefix in ("", "val_") for name in contract.spec.names}
    assert all(set(figures) == {"loss", "val_loss"} | heads for figures in trained.result.history)
    assert trained.result.ended == "all epochs"
    assert trained.result.cost.parameters == trained.result.model.count_params()


def test_every_epoch_and_every_batch_is_told(trained: Trained) -> None:
    assert trained.epochs == list(enumerate(trained.result.history, 1))
    assert [(told.epoch, told.batch) for told in trained.batches] == [
        (epoch, batch) for epoch in range(1, 21) for batch in range(1, 11)
    ]
    assert {(told.epochs, told.batches) for told in trained.batches} == {(20, 10)}


def test_the_best_epoch_is_kept(trained: Trained) -> None:
    losses = [figures["val_loss"] for figures in trained.result.history]
    assert trained.result.best_epoch == int(np.argmin(losses)) + 1
    rmse = trained.result.evaluation.errors["network"].heads["steer"]["rmse"]
    assert rmse**2 == pytest.approx(trained.result.history[trained.result.best_epoch - 1]["val_steer_loss"], rel=1e-3)


def test_losses_of_heads_are_means_over_rows_and_add_up_to_what_is_minimised(trained: Trained) -> None:
    figures, hyper = trained.result.history[trained.result.best_epoch - 1], trained.result.hyper
    heads = trained.result.evaluation.errors["network"].heads
    assert figures["val_A_loss"] == pytest.approx(heads["A"]["bce"], rel=1e-3)
    axes = figures["val_steer_loss"] + figures["val_throttle_loss"]
    buttons = figures["val_A_loss"] + figures["val_L_loss"] + figures["val_R_loss"]
    assert figures["val_loss"] == pytest.approx(axes + hyper.button_loss_weight * buttons, rel=1e-3)


def test_two_runs_of_one_seed_give_equal_weights_and_another_seed_others(
    make_training_set: MakeSet, lean: Contract
) -> None:
    training_set = make_training_set(lean, (48, 16))
    hyper = HyperParameters(epochs=2, batch_size=16, dropout=0.2, seed=11)
    first, again = (weights_of(train(training_set, hyper)) for _ in range(2))
    other = weights_of(train(training_set, replace(hyper, seed=12)))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_loss_of_a_single_head_is_named_too(
    make_training_set: MakeSet, contract: Contract, hyper: HyperParameters
) -> None:
    single = replace(contract, spec=ActionSpec(("steer",), mirrored_axes=("steer",)))
    result = train(make_training_set(single), hyper)
    for figures in result.history:
        assert figures["val_steer_loss"] == pytest.approx(figures["val_loss"])
        # a head's is divided by the weights of its rows, what is minimised by their number
        assert figures["steer_loss"] == pytest.approx(figures["loss"], rel=0.1)


def test_a_network_of_bins_learns_to_follow_the_road_too(
    make_training_set: MakeSet, contract: Contract, hyper: HyperParameters
) -> None:
    training_set = make_training_set(contract, (160, 43))
    result = train(training_set, replace(hyper, epochs=12, axis_head="bins", bins=11))
    assert result.model.output["steer"].shape == (None, 11)
    assert result.evaluation.errors["network"].heads["steer"]["mae"] < 0.3  # a constant has 0.5
    assert np.abs(result.predicted[:, :2]).max() <= 1
    assert all(np.isfinite(value) for figures in result.history for value in figures.values())
    assert set(result.history[0]) == {"loss", "val_loss"} | {
        f"{side}{name}_loss" for side in ("", "val_") for name in contract.spec.names
    }


def test_a_run_that_gets_no_better_ends_and_goes_back_to_its_best(
    make_training_set: MakeSet, lean: Contract, hyper: HyperParameters
) -> None:
    # far too fast to settle, so that some epoch is worse than the one before
    result = train(make_training_set(lean), replace(hyper, epochs=60, learning_rate=0.02, patience=1))
    assert result.ended == "no better"
    assert len(result.history) == result.best_epoch + 1
    rmse = result.evaluation.errors["network"].heads["steer"]["rmse"]
    assert rmse**2 == pytest.approx(result.history[result.best_epoch - 1]["val_steer_loss"], rel=1e-3)


def test_the_learning_rate_falls_along_half_a_cosine_from_the_first_to_the_last() -> None:
    hyper = HyperParameters(learning_rate=0.01, final_learning_rate=0.2)
    rates = [learning_rate(hyper, done) for done in (0, 0.25, 0.5, 1, 1.5)]
    assert rates == pytest.approx([0.01, 0.01 - 0.008 * (1 - 0.5**0.5) / 2, 0.006, 0.002, 0.002])
    assert learning_rate(replace(hyper, final_learning_rate=1.0), 0.7) == 0.01


def test_a_time_budget_cuts_an_epoch_short_validates_and_ends(
    make_training_set: MakeSet, lean: Contract, hyper: HyperParameters
) -> None:
    seen: list[Progress] = []
    budget = replace(hyper, epochs=1000, patience=1000, steps_per_epoch=100_000, max_minutes=0.02)
    result = train(make_training_set(lean), budget, on_batch=seen.append)
    assert result.ended == "time budget"
    assert len(result.history) == 1
    assert 0 < len(seen) < 100_000
    assert result.seconds < 30
    assert (seen[-1].epoch, seen[-1].batch, seen[-1].batches) == (1, len(seen), 100_000)


def test_a_loss_that_is_lost_ends_in_a_sentence_and_no_model(
    make_training_set: MakeSet, lean: Contract, hyper: HyperParameters
) -> None:
    with pytest.raises(KartError, match=r"loss became (nan|inf) in epoch \d+, after \d+ batches; use a smaller"):
        train(make_training_set(lean), replace(hyper, epochs=500, learning_rate=1.0, patience=500))


def test_a_run_begins_with_the_weights_of_another_and_leaves_that_as_it_is(
    trained: Trained, hyper: HyperParameters
) -> None:
    first = trained.result
    before = weights_of(first)
    # at a rate of almost nothing the weights stay where they begin
    crawling = replace(hyper, epochs=1, learning_rate=1e-8, dropout=0.5, seed=9)
    again = train(trained.training_set, crawling, start=first.model)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(before, weights_of(again), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, weights_of(first), strict=True))
    assert again.evaluation.errors["network"].euclidean == pytest.approx(
        first.evaluation.errors["network"].euclidean, abs=1e-5
    )


@pytest.mark.parametrize(
    ("name", "changes", "bins", "sentence"),
    [
        ("residual", {}, None, "is a residual, not a pilotnet"),
        ("pilotnet", {"height": 64}, None, "reads 64x66x3, not 62x66x3"),
        ("pilotnet", {"stack": 2}, None, "reads 62x66x6, not 62x66x3"),
        ("pilotnet", {"spec": ActionSpec(("steer",))}, None, "gives steer, not A, L, R, steer, throttle"),
        ("pilotnet", {}, 9, r"gives A, L, R, steer \(9 bins\), throttle \(9 bins\), not A, L, R, steer, throttle"),
    ],
)
def test_weights_that_mean_something_else_are_refused_with_what_differs(
    contract: Contract, name: str, changes: dict[str, Any], bins: int | None, sentence: str
) -> None:
    start = build_network(name, replace(contract, **changes), bins=bins)
    network = build_network("pilotnet", contract)
    with pytest.raises(KartError, match=f"The model to begin with {sentence}; train without it"):
        begin_from(start, network)


def test_insets_of_other_sizes_within_one_outer_size_are_refused(contract: Contract) -> None:
    start, network = (
        build_network("residual", replace(contract, height=62 - rows, inset=Inset(Region(0, 0, 1, 1), 22, rows)))
        for rows in (8, 20)
    )
    assert start.input_shape == network.input_shape
    with pytest.raises(KartError, match="has layers of other sizes"):
        begin_from(start, network)


def test_an_interruption_reaches_the_caller_and_writes_nothing(
    make_training_set: MakeSet, lean: Contract, hyper: HyperParameters
) -> None:
    training_set = make_training_set(lean)
    home = training_set.path.parents[3]
    before = sorted(home.rglob("*"))

    def interrupt(progress: Progress) -> None:
        if progress.batch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(training_set, hyper, on_batch=interrupt)
    assert sorted(home.rglob("*")) == before


def test_rows_without_weight_teach_nothing(
    make_training_set: MakeSet, lean: Contract, hyper: HyperParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_set = make_training_set(lean)
    original = TrainingSet.rows

    def weightless(self: TrainingSet, split: str) -> object:
        rows = original(self, split)  # type: ignore[arg-type]
        return replace(rows, weight=rows.weight * 0) if split == "train" else rows

    monkeypatch.setattr(TrainingSet, "rows", weightless)
    result = train(training_set, hyper)
    assert result.history[0]["loss"] == 0
    assert result.history[0]["val_loss"] == result.history[1]["val_loss"] > 0


def test_importing_the_learning_package_brings_no_framework() -> None:
    package = Path(learning.__file__).parent
    modules = ", ".join(sorted(path.stem for path in package.glob("[a-z]*.py")))
    code = f"import sys; from kart_pipeline.learning import {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tensorflow", "keras", "mlflow", "matplotlib", "pandas"} & set(loaded)


@pytest.fixture(scope="module")
def plainly(make_training_set: MakeSet, lean: Contract, hyper: HyperParameters) -> Trained:
    """A short run as by default."""
    training_set = make_training_set(lean, (48, 16))
    return Trained(training_set, train(training_set, replace(hyper, epochs=4)), [], [])


def test_in_mixed_precision_a_network_learns_the_same_and_drives_in_float32(plainly: Trained) -> None:
    result = train(plainly.training_set, replace(plainly.result.hyper, precision="mixed_bfloat16"))
    assert {weight.dtype for weight in weights_of(result)} == {np.dtype(np.float32)}
    assert {layer.compute_dtype for layer in result.model.layers[2:]} == {"float32"}
    # bfloat16 has 8 bits of fraction: each operation is off by up to 0.4 %
    np.testing.assert_allclose(result.predicted, plainly.result.predicted, atol=0.05)
    assert not all(map(np.array_equal, weights_of(result), weights_of(plainly.result)))


def test_compiled_with_xla_a_network_learns_the_same(plainly: Trained) -> None:
    from tensorflow.python.framework import config

    config.disable_op_determinism()  # which an earlier test switched on; there is no public way back
    try:
        result = train(plainly.training_set, replace(plainly.result.hyper, xla=True, deterministic=False))
    finally:
        config.enable_op_determinism()
    np.testing.assert_allclose(result.predicted, plainly.result.predicted, atol=1e-3)


def test_xla_where_the_process_is_bound_to_be_deterministic_is_refused(plainly: Trained) -> None:
    with pytest.raises(KartError, match="earlier training of this process"):
        train(plainly.training_set, replace(plainly.result.hyper, xla=True, deterministic=False))
