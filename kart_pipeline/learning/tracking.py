"""What MLflow is told of a training run: where it keeps things, where the run came from, how it went, what came of it.

MLflow's state belongs to the process. `use_store` points it at our store; everything below works on the active run.
"""

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning import package
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.origin import LIBRARIES, installed, origin_tags
from kart_pipeline.learning.package import Golden
from kart_pipeline.learning.result_figures import result_figures
from kart_pipeline.learning.training import Figures, TrainingResult

if TYPE_CHECKING:
    import keras
    from mlflow import ActiveRun, MlflowClient
    from mlflow.models import ModelSignature

MODEL = "model"  # what a run calls its logged model: runs:/<run id>/model


@dataclass(frozen=True, slots=True)
class LoggedDriver:
    """A driver in MLflow.

    Attributes:
        name: of the registered model.
        version: of it.
        uri: `runs:/<run id>/model`.
        model_id: `m-…`, of the logged model.
        run_id: of the run that logged it.
    """

    name: str
    version: int
    uri: str
    model_id: str
    run_id: str


def registered_name(game: str) -> str:
    """Experiment and registered model of a game."""
    return f"kart-{game}"


def use_store(settings: Settings) -> "MlflowClient":
    """Point this process's MLflow at the settings' store; the first use of a sqlite file creates it (5 s)."""
    import mlflow

    for name in ("mlflow", "alembic"):  # their greetings come between our progress lines
        logging.getLogger(name).setLevel(logging.WARNING)
    settings.home.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_registry_uri(settings.tracking_uri)
    return mlflow.MlflowClient()


@contextmanager
def training_run(settings: Settings, game: str, tags: Mapping[str, str] | None = None) -> Iterator["ActiveRun"]:
    """A run in the experiment of `game`: finished when the block is, failed on an error, killed on Ctrl-C.

    Args:
        settings: say where the store and, unless a server decides that, the artifacts are.
        game: names the experiment.
        tags: for people and searches, beside those of `origin.origin_tags`.
    """
    import mlflow

    client = use_store(settings)
    name = registered_name(game)
    known = client.get_experiment_by_name(name)
    if known is None:
        served = settings.tracking_uri.startswith(("http:", "https:", "databricks"))
        known_id = client.create_experiment(name, None if served else settings.artifacts.as_uri())
    else:
        known_id = known.experiment_id
    with _ended(mlflow.start_run(experiment_id=known_id, tags=origin_tags() | dict(tags or {}))) as run:
        yield run


@contextmanager
def trial_run(name: str, hyper: HyperParameters) -> "Iterator[ActiveRun]":
    """A run of these hyper-parameters inside of the active run; it ends as `training_run` does."""
    import mlflow

    parent = mlflow.active_run()
    if parent is None:
        raise KartError("A trial runs inside of `training_run`, so that its search is known.")
    with _ended(mlflow.start_run(experiment_id=parent.info.experiment_id, run_name=name, nested=True)) as run:
        mlflow.log_params(hyper.to_dict())
        yield run


@contextmanager
def _ended(run: "ActiveRun") -> "Iterator[ActiveRun]":
    """End the active run with the status that the block's end tells."""
    import mlflow

    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        mlflow.end_run(status)


def log_origin(training_set: TrainingSet, hyper: HyperParameters) -> None:
    """What the run starts from: hyper-parameters, contract, and the sessions with their digests as MLflow's dataset."""
    import mlflow
    import pandas as pd
    from mlflow.data.sources import LocalArtifactDatasetSource

    mlflow.log_params(hyper.to_dict() | {"contract": training_set.contract.hash, "split": training_set.split_kind})
    mlflow.log_dict(training_set.contract.to_dict(), "contract.json")
    sessions = [asdict(entry) for entry in training_set.sessions]
    about = {"version": training_set.version, "game": training_set.game, "options": training_set.options}
    mlflow.log_dict({**about, "split_kind": training_set.split_kind, "sessions": sessions}, "training_set.json")
    # MLflow warns of integers: a missing one cannot be told in their type
    table = pd.DataFrame(sessions).astype({"rows": float, "corrections": float})
    # of the training set only the index in short: MLflow would hash and profile the pixels
    dataset = mlflow.data.from_pandas(
        table,
        source=LocalArtifactDatasetSource(training_set.path.as_uri()),
        name=f"{training_set.game} training set",
        digest=training_set.version[:16],
    )
    mlflow.log_input(dataset, context="training")


def log_epoch(epoch: int, figures_of_epoch: Figures) -> None:
    """An entry of `TrainingResult.history`, as metrics at step `epoch`."""
    import mlflow

    mlflow.log_metrics(figures_of_epoch, step=epoch)


def log_result(result: TrainingResult, training_set: TrainingSet) -> dict[str, bytes]:
    """Errors and cost as metrics (at the best epoch's step), the evaluation as a table, the figures in full size.

    Returns:
        The figures, PNG by name: whoever shows them elsewhere need not draw them again.
    """
    import mlflow
    from PIL import Image

    speed = {"best_epoch": result.best_epoch, "samples_per_second": result.samples_per_second}
    mlflow.log_metrics(result.evaluation.metrics() | result.cost.metrics() | speed, step=result.best_epoch)
    mlflow.log_text(result.evaluation.markdown() + "\n", "evaluation.md")
    log_end(result.ended)
    figures = result_figures(result, training_set)
    for name, png in figures.items():
        mlflow.log_image(Image.open(io.BytesIO(png)), f"figures/{name}.png")
    return figures


def log_trial(result: TrainingResult, objective: str, value: float) -> None:
    """What a trial of a search came to: the value that is compared, and the errors beside the baselines."""
    import mlflow

    figures = result.evaluation.metrics() | result.cost.metrics() | {objective: value}
    mlflow.log_metrics(figures, step=result.best_epoch)
    log_end(result.ended)


def log_end(reason: str) -> None:
    """Why training ended, as a tag of the run."""
    import mlflow

    mlflow.set_tag("ended", reason)


def log_search(best: HyperParameters, value: float, history: bytes) -> None:
    """What a search found: the best hyper-parameters, their value, and the picture of all trials."""
    import mlflow
    from PIL import Image

    mlflow.log_dict(best.to_dict(), "best.json")
    mlflow.log_metric("best", value)
    mlflow.log_image(Image.open(io.BytesIO(history)), "figures/search.png")


def log_driver(model: "keras.Model", contract: Contract, golden: Golden, game: str, *, step: int = 0) -> LoggedDriver:
    """Log a trained network with all that a player needs into the active run, and register it as `kart-<game>`.

    Args:
        model: not compiled, as `TrainingResult.model`.
        contract: what it reads and gives.
        golden: from `package.make_golden`.
        game: what it drives.
        step: the run's metrics of this step (the best epoch) become the logged model's.
    """
    import mlflow
    from mlflow.models import Model

    run = mlflow.active_run()
    if run is None:
        raise KartError("A driver is logged inside of `training_run`, so that its origin is known.")
    with redirect_stderr(io.StringIO()):  # MLflow announces each version there, whatever its log level
        info = Model.log(
            artifact_path=None,
            name=MODEL,
            flavor=package,
            flavor_name="keras",
            registered_model_name=registered_name(game),
            step=step,
            model=model,
            contract=contract,
            golden=golden,
            game=game,
            signature=_signature(model, contract),
            pip_requirements=[f"{name}=={version}" for name, version in installed(LIBRARIES).items()],
        )
    run_id = run.info.run_id
    version = int(info.registered_model_version)
    # beside training_set.json, for the recorder, which tells what became of a session and knows no MLflow
    mlflow.log_dict({"name": registered_name(game), "version": version}, "registered.json")
    return LoggedDriver(registered_name(game), version, f"runs:/{run_id}/{MODEL}", info.model_id, run_id)


def _signature(model: "keras.Model", contract: Contract) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    units = {name: model.output[name].shape[-1] for name in contract.spec.names}
    heads = [TensorSpec(np.dtype(np.float32), (-1, units[name]), name) for name in contract.spec.names]
    return ModelSignature(Schema([TensorSpec(np.dtype(np.uint8), (-1, *contract.input_shape))]), Schema(heads))
