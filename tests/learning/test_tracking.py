import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.package import Golden, load_network, make_golden, read_package, verify_golden
from kart_pipeline.learning.tracking import (
    LoggedDriver,
    log_driver,
    log_epoch,
    log_origin,
    log_result,
    training_run,
    use_store,
)
from kart_pipeline.learning.training import TrainingResult, train


def download(uri: str, target: Path) -> Path:
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(target)))


def test_every_form_of_uri_brings_network_contract_and_golden_frames(
    settings: Settings, network: Any, contract: Contract, golden: Golden, tmp_path: Path
) -> None:
    with training_run(settings, "drawn"):
        driver = log_driver(network, contract, golden, "drawn")
    client = use_store(settings)
    client.set_registered_model_alias(driver.name, "champion", str(driver.version))
    forms = (
        driver.uri,
        f"runs:/{driver.run_id}/model",
        f"models:/{driver.model_id}",
        f"models:/{driver.name}/{driver.version}",
        f"models:/{driver.name}@champion",
    )
    for number, uri in enumerate(forms):
        package = read_package(download(uri, tmp_path / str(number)))
        assert package.contract == contract
        assert np.array_equal(package.golden.raw, golden.raw)
    assert verify_golden(package, predictor(load_network(package), contract)) == 0


def test_mlflow_itself_can_load_the_driver_without_any_pickle(
    settings: Settings, network: Any, contract: Contract, golden: Golden
) -> None:
    with training_run(settings, "drawn"):
        driver = log_driver(network, contract, golden, "drawn")
    model = mlflow.keras.load_model(f"models:/{driver.model_id}")
    assert set(model.output) == set(contract.spec.names)
    info = mlflow.models.get_model_info(f"models:/{driver.model_id}")
    assert info.signature.inputs.inputs[0].shape == (-1, *contract.input_shape)
    assert [head.name for head in info.signature.outputs] == list(contract.spec.names)


def test_artifacts_lie_in_the_home_and_versions_count_up(
    settings: Settings, network: Any, contract: Contract, golden: Golden
) -> None:
    with training_run(settings, "drawn"):
        first = log_driver(network, contract, golden, "drawn")
        second = log_driver(network, contract, golden, "drawn")
    assert (first.name, first.version, second.version) == ("kart-drawn", 1, 2)
    assert len(list(settings.artifacts.rglob("golden.npz"))) == 2
    assert sorted(path.name for path in settings.home.iterdir()) == ["mlartifacts", "mlflow.db"]


def test_a_run_says_how_it_ended(settings: Settings) -> None:
    runs = []
    for error in (None, KeyboardInterrupt, KartError("no")):
        try:
            with training_run(settings, "drawn", {"note": "x"}) as run:
                runs.append(run.info.run_id)
                if error is not None:
                    raise error
        except (KeyboardInterrupt, KartError):
            continue
    client = use_store(settings)
    assert [client.get_run(run).info.status for run in runs] == ["FINISHED", "KILLED", "FAILED"]
    assert mlflow.active_run() is None
    tags = client.get_run(runs[0]).data.tags
    assert tags["note"] == "x"
    assert "version.tensorflow" in tags


def test_a_driver_without_a_run_is_refused(
    settings: Settings, network: Any, contract: Contract, golden: Golden
) -> None:
    use_store(settings)
    with pytest.raises(KartError, match="inside of `training_run`"):
        log_driver(network, contract, golden, "drawn")


def test_a_failed_upload_registers_nothing(
    settings: Settings, network: Any, contract: Contract, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", no_space)
    with pytest.raises(OSError, match="no space"), training_run(settings, "drawn"):
        log_driver(network, contract, golden, "drawn")
    assert use_store(settings).search_registered_models() == []


@dataclass(frozen=True)
class Recorded:
    """A whole training run in MLflow."""

    settings: Settings
    run_id: str
    training_set: TrainingSet
    result: TrainingResult
    driver: LoggedDriver


@pytest.fixture(scope="module")
def recorded(
    make_settings: Callable[[], Settings],
    make_training_set: Callable[..., TrainingSet],
    contract: Contract,
    hyper: HyperParameters,
) -> Recorded:
    settings, training_set = make_settings(), make_training_set(contract)
    frames = [np.zeros((62, 66, 3), np.uint8)]
    with training_run(settings, "drawn") as run:
        log_origin(training_set, hyper)
        result = train(training_set, hyper, on_epoch=log_epoch)
        log_result(result, training_set)
        golden = make_golden(contract, frames, predictor(result.model, contract))
        driver = log_driver(result.model, contract, golden, "drawn", step=result.best_epoch)
    return Recorded(settings, run.info.run_id, training_set, result, driver)


def test_a_run_keeps_its_parameters_and_the_losses_of_every_epoch(recorded: Recorded) -> None:
    client = use_store(recorded.settings)
    params = client.get_run(recorded.run_id).data.params
    assert params["batch_size"] == "16"
    assert params["contract"] == recorded.training_set.contract.hash
    losses = client.get_metric_history(recorded.run_id, "val_steer_loss")
    assert [(entry.step, entry.value) for entry in losses] == [
        (epoch, figures["val_steer_loss"]) for epoch, figures in enumerate(recorded.result.history, 1)
    ]


def test_a_run_keeps_the_errors_beside_the_baselines_and_the_figures(recorded: Recorded) -> None:
    client = use_store(recorded.settings)
    metrics = client.get_run(recorded.run_id).data.metrics
    assert recorded.result.evaluation.metrics().items() <= metrics.items()
    assert recorded.result.cost.metrics().items() <= metrics.items()
    assert {path.path for path in client.list_artifacts(recorded.run_id, "figures")} == {
        f"figures/{name}.png"
        for name in (
            "button_confusion",
            "error_by_direction",
            "loss",
            "predicted_against_true",
            "steering",
            "training_inputs",
            "where_it_looks",
        )
    }


def test_a_run_keeps_which_sessions_it_learned_from(recorded: Recorded, tmp_path: Path) -> None:
    run = use_store(recorded.settings).get_run(recorded.run_id)
    assert run.inputs.dataset_inputs[0].dataset.digest == recorded.training_set.version[:16]
    about = json.loads(download(f"runs:/{recorded.run_id}/training_set.json", tmp_path).read_text())
    assert {entry["id"]: entry["digest"] for entry in about["sessions"]} == {
        entry.id: entry.digest for entry in recorded.training_set.sessions
    }


def test_nothing_is_warned_of_where_a_run_starts(recorded: Recorded, hyper: HyperParameters) -> None:
    with warnings.catch_warnings(), training_run(recorded.settings, "drawn"):
        warnings.simplefilter("error", UserWarning)
        log_origin(recorded.training_set, hyper)


def test_the_logged_model_carries_the_metrics_of_its_best_epoch(recorded: Recorded) -> None:
    logged = use_store(recorded.settings).get_logged_model(recorded.driver.model_id)
    metrics = {entry.key: entry.value for entry in logged.metrics}
    result = recorded.result
    assert metrics["val_loss"] == result.history[result.best_epoch - 1]["val_loss"]
    assert metrics["val/network/euclidean"] == result.evaluation.errors["network"].euclidean
