"""The asset `driver_model`: a network trained on a game's training set, and registered."""

from itertools import islice
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.shared import open_training_set
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning import tracking
from kart_pipeline.learning.drawing import shrunk
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.package import Golden, load_network, make_golden
from kart_pipeline.learning.tracking import registered_name
from kart_pipeline.learning.training import Progress as Batch
from kart_pipeline.learning.training import TrainingResult, train
from kart_pipeline.orchestration import checks, judging, pictures, report, tables
from kart_pipeline.orchestration.assets.training_set import training_set
from kart_pipeline.orchestration.launchpad import config_class, values
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.resources import Mlflow, Progress
from player.hush import start_tensorflow

if TYPE_CHECKING:
    import keras
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    Recipe = dg.Config
else:
    Recipe = config_class(HyperParameters, "Recipe", "What a training run can be told.")


class TrainingConfig(Recipe):
    """What a training run can be told, and where it starts."""

    warm_start: bool = Field(
        False, description="Begin with the champion's weights, which must have the same network and contract."
    )


RUN_TAG = "dagster.run_id"  # of an MLflow run: the Dagster run that made it
_SHOWN = ("loss", "predicted_against_true", "where_it_looks", "error_by_direction", "button_confusion")
_TITLES = {"loss": "loss by epoch"}
GOLDEN_FRAMES = 4  # beyond those that fill the first stack; a raw frame of 640x480 takes up to 0.9 MB


@dg.asset(
    partitions_def=GAMES,
    deps=[training_set],
    kinds={"tensorflow", "mlflow"},
    pool="training",
)
def driver_model(
    context: dg.AssetExecutionContext,
    config: TrainingConfig,
    settings: dg.ResourceParam[Settings],
    mlflow: Mlflow,
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult:
    """A network that learned from the training set to do what the teacher did, registered in MLflow as `kart-<game>`.

    Trained when somebody asks for it; the hyper-parameters are set in the launchpad. The model carries its contract
    and golden frames, without which no player drives it. Its errors stand beside those of predictors that never look
    at a picture: what does not beat them has learned nothing.
    """

    def tell(batch: Batch) -> None:
        done = (batch.epoch - 1) * batch.batches + batch.batch
        note = f"epoch {batch.epoch} of at most {batch.epochs}, loss {batch.loss:.4f}"
        progress("Training", done, batch.epochs * batch.batches, note)

    game = context.partition_key
    with checks.sentences():
        hyper = HyperParameters(**values(config, HyperParameters))
        examples = open_training_set(settings, game, told=progress)
        tags = {RUN_TAG: context.run.run_id}
        holder = _champion(mlflow, game) if config.warm_start else None
        if holder is not None:
            tags["started_from"] = f"version {holder.version}"
        end_killed(context.instance, mlflow.client, game)
        with mlflow.run(game, tags) as run:
            start_tensorflow()
            tracking.log_origin(examples, hyper)
            start = _start(settings, game, holder, examples.contract) if holder else None
            result = train(examples, hyper, start=start, on_epoch=tracking.log_epoch, on_batch=tell)
            figures = tracking.log_result(result, examples)
            golden = _golden(result, examples, Store(settings.store_url))
            driver = tracking.log_driver(result.model, examples.contract, golden, game, step=result.best_epoch)
    context.log.info("Registered %s version %s.", driver.name, driver.version)
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                **{
                    _TITLES.get(name, name.replace("_", " ")): pictures.figure(
                        shrunk(figures[name], pictures.MOST_BYTES)
                    )
                    for name in _SHOWN
                    if name in figures
                },
                "errors on held-out rows": dg.MetadataValue.md(result.evaluation.markdown()),
                "registered": f"{driver.name} version {driver.version}",
                "model": driver.uri,
                "MLflow run": tables.mlflow_link(settings.tracking_uri, run.info.experiment_id, run.info.run_id),
                "held-out error": result.evaluation.errors["network"].euclidean,
                "best epoch": result.best_epoch,
                "epochs": len(result.history),
                "ended": result.ended,
                "trained in (s)": result.seconds,
                "rows per second": round(result.samples_per_second),
                "parameters": result.cost.parameters,
                "operations per frame (millions)": result.cost.flops / 1e6,
                "time per frame, median (ms)": result.cost.latency_p50_ms,
                "time per frame, 99 % (ms)": result.cost.latency_p99_ms,
                "hyper-parameters": dg.MetadataValue.json(hyper.to_dict()),
                "training set": examples.version,
            }
        ),
        data_version=dg.DataVersion(driver.model_id),
    )


def end_killed(instance: dg.DagsterInstance, client: "MlflowClient", game: str) -> None:
    """End the MLflow runs whose process was killed: else they would be under way for ever."""
    experiment = client.get_experiment_by_name(registered_name(game))
    if experiment is None:
        return
    for run in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
        made_by = run.data.tags.get(RUN_TAG)
        known = instance.get_run_by_id(made_by) if made_by else None
        if known is not None and known.is_finished:
            client.set_terminated(run.info.run_id, "KILLED")


def _champion(mlflow: Mlflow, game: str) -> "ModelVersion":
    holder = report.champion_of(mlflow.client, game)
    if holder is None:
        raise KartError(f"There is no champion of {game} to begin with; train the first model without `warm_start`.")
    return holder


def _start(settings: Settings, game: str, holder: "ModelVersion", contract: Contract) -> "keras.Model":
    package = judging.package_of(settings, game, holder.version)
    if package.contract != contract:
        raise KartError(
            f"Version {holder.version}, the champion, sees the game through contract {package.contract.hash}, the "
            f"training set through {contract.hash}; train without `warm_start`."
        )
    return load_network(package)


def _golden(result: TrainingResult, examples: TrainingSet, store: Store) -> Golden:
    """Successive frames from the middle of a held-out session."""
    contract = examples.contract
    held_out = next(entry for entry in examples.sessions if entry.split in ("val", "both"))
    session = store.open(held_out.id)
    count = (contract.stack - 1) * contract.stride + GOLDEN_FRAMES
    start = max(0, (session.manifest.steps - count) // 2)
    raw = [step.frame.rgb for step in islice(session.steps(), start, start + count)]
    return make_golden(contract, raw, predictor(result.model, contract))
