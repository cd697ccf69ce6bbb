"""The opt-in job `search_recipe`: better hyper-parameters for a game's training set, ready for the launchpad."""

from functools import partial
from typing import Any

import dagster as dg
import yaml
from filelock import FileLock, Timeout
from pydantic import Field

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.shared import open_training_set
from kart_pipeline.driving.scoring import score
from kart_pipeline.driving.seeds import PROMOTION
from kart_pipeline.games.registry import make_game
from kart_pipeline.learning import search, tracking
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.training import TrainingResult
from kart_pipeline.orchestration import checks, pictures, tables
from kart_pipeline.orchestration.judging import playable
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.resources import Mlflow, Progress
from player.hush import start_tensorflow
from player.policy import Policy

DATABASE = "search.db"  # in KART_HOME; Optuna's own tools can show it


class SearchConfig(dg.Config):
    """What to look for, and for how long."""

    trials: int = Field(20, ge=1, description="Trials in all; a search that was ended makes those that are left.")
    minutes: float = Field(3.0, gt=0, description="Most minutes that each trial trains.")
    seeds: int = Field(
        0,
        ge=0,
        description="0: the least held-out loss is looked for. Above: the best mean score on so many tracks, which are "
        "not those that choose a champion.",
    )
    max_steps: int | None = Field(None, description="Limit of those drives.")
    base: dict[str, Any] = Field(
        default_factory=dict,
        description="Hyper-parameters that are the same in all trials, by name. What the losses consist of (axis_head, "
        "axis_loss, button_loss_weight …) is never drawn, because such losses cannot be compared: set it here.",
    )


@dg.op(name="search", pool="training")
def try_hyper_parameters(
    context: dg.OpExecutionContext,
    config: SearchConfig,
    settings: dg.ResourceParam[Settings],
    mlflow: Mlflow,
    progress: dg.ResourceParam[Progress],
) -> None:
    """Try out hyper-parameters on a game's training set, and say which were best."""
    game = context.partition_key
    aim = search.Aim(
        objective=f"mean score on {config.seeds} tracks" if config.seeds else "held-out loss",
        maximise=config.seeds > 0,
        minutes=config.minutes,
        base=config.base,
    )

    def value(result: TrainingResult) -> float:
        if not config.seeds:
            return result.history[result.best_epoch - 1]["val_loss"]
        policy = Policy("trial", examples.contract, predictor(result.model, examples.contract))
        # a scorecard takes its seeds from the beginning of the block: what is tuned here must not be judged there
        seeds = PROMOTION[-config.seeds :]
        return score(partial(make_game, game), lambda _: policy, seeds, max_steps=config.max_steps).mean

    with checks.sentences():
        if config.seeds and not playable(game):
            raise KartError(f"{game} cannot be opened from here, so nothing can be scored in it; set seeds to 0.")
        examples = open_training_set(settings, game, told=progress)
        lock = FileLock(settings.home / f"{DATABASE}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise KartError(f"Another search is running in {settings.home}; wait until it has ended.") from None
        try:
            study = search.open_study(f"sqlite:///{(settings.home / DATABASE).as_posix()}", examples, aim)
            with mlflow.run(game, {"dagster.run_id": context.run.run_id, "search": study.study_name}) as run:
                start_tensorflow()
                search.try_out(study, examples, aim, config.trials, value, partial(progress, "Trials"))
                tracking.log_search(aim.hyper(study.best_params), study.best_value, search.picture(study, aim))
        finally:
            lock.release()
    best = {**config.base, "max_minutes": config.minutes, **study.best_params}
    pasted = yaml.safe_dump({"ops": {"driver_model": {"config": best}}})
    context.add_output_metadata(
        {
            "for the launchpad of train_driver": dg.MetadataValue.md(f"```yaml\n{pasted}```"),
            f"best {aim.objective}": study.best_value,
            "best trial": study.best_trial.number,
            "trials": config.trials,
            "history": pictures.figure(search.picture(study, aim, pictures.MOST_BYTES)),
            "MLflow run": tables.mlflow_link(settings.tracking_uri, run.info.experiment_id, run.info.run_id),
        }
    )


@dg.job(
    partitions_def=GAMES,
    description="Opt-in, needs the extra `search`: look for better hyper-parameters for a game's training set as it is "
    "now. Nothing is registered; the best are shown as configuration for `train_driver`. A search that was ended goes "
    "on.",
)
def search_recipe() -> None:
    """One op: Optuna remembers the trials in KART_HOME."""
    try_hyper_parameters()
