"""The asset `scorecard`: what the newest model of a game is worth."""

from functools import partial

import dagster as dg
from pydantic import Field

from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.shared import open_training_set
from kart_pipeline.driving.seeds import PROMOTION
from kart_pipeline.orchestration import checks, examination, judging, report, tables
from kart_pipeline.orchestration.assets.driver_model import driver_model
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.resources import Mlflow, Progress


class ScorecardConfig(dg.Config):
    """How a model is put to the test in its game."""

    seeds: int = Field(20, ge=1, le=1000, description="How many tracks each driver drives; nothing is trained on them.")
    workers: int = Field(
        judging.WORKERS,
        ge=1,
        le=64,
        description=f"Processes that drive; networks are driven in several from {judging.PAYS_FROM} seeds on.",
    )
    max_steps: int | None = Field(None, ge=1, description="Ends a drive early; None lets the game end it.")
    videos: int = Field(1, ge=0, le=20, description="How many of the worst drives are filmed.")
    reuse_opponents: bool = Field(
        True,
        description="Take the drives of expert, straight ahead and untrained network from an earlier version's "
        "scorecard where they would be the same again.",
    )


@dg.asset(partitions_def=GAMES, deps=[driver_model], kinds={"mlflow"}, pool="training")
def scorecard(
    context: dg.AssetExecutionContext,
    config: ScorecardConfig,
    settings: dg.ResourceParam[Settings],
    mlflow: Mlflow,
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult:
    """What the newest model is worth: its errors on held-out sessions, and its drives in the game where there is one.

    It drives tracks that nobody recorded, beside the game's expert, a driver who goes straight ahead, and the same
    network untrained, all on the same seeds. The figures are added to the model's MLflow run, with maps of where it
    fails, its steering beside the expert's, and films of its worst drives.
    """
    game = context.partition_key
    with checks.sentences():
        entry = report.newest(mlflow.client, game)
        package = judging.package_of(settings, game, entry.version)
        examples = open_training_set(settings, game, told=progress)
        evaluation = judging.held_out(package, examples)
        held_out = judging.summary(evaluation, examples) if evaluation else None
        found = report.Report(int(entry.version), held_out)
        traces: examination.Traces = {}
        films: list[str] = []
        if judging.playable(game):
            course = judging.Course(game, tuple(PROMOTION[: config.seeds]), config.max_steps, config.workers)
            found, traces = examination.examine(
                mlflow.client, package, course, found, progress, reuse_opponents=config.reuse_opponents
            )
            report.save(mlflow.client, entry, found, traces)
            films = examination.attach(mlflow.client, entry, package, course, found, traces, config.videos, progress)
        else:
            report.save(mlflow.client, entry, found)
    run = mlflow.client.get_run(entry.run_id).info
    link = partial(tables.mlflow_link, settings.tracking_uri, run.experiment_id, run.run_id)
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                **examination.shown(found, traces),
                "films of the worst drives": link(*films) if films else None,
                "on held-out sessions": dg.MetadataValue.md(evaluation.markdown()) if evaluation else None,
                "model": f"{entry.name} version {entry.version}",
                "held-out error": held_out.euclidean if held_out else None,
                "error as share of the best constant's": held_out.relative if held_out else None,
                "step limit": found.max_steps,
                "MLflow run": link(),
            }
        )
    )
