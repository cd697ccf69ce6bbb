"""The asset `scorecard`: what the newest model of a game is worth."""

import dagster as dg
from pydantic import Field

from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import INDEX, load_training_set
from kart_pipeline.driving import scorecard as cards
from kart_pipeline.driving.seeds import PROMOTION
from kart_pipeline.orchestration import checks, judging, report, tables
from kart_pipeline.orchestration.assets.driver_model import driver_model
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.resources import Mlflow, Progress


class ScorecardConfig(dg.Config):
    """How a model is put to the test in its game."""

    seeds: int = Field(8, ge=1, le=1000, description="How many tracks each driver drives; nothing is trained on them.")
    workers: int = Field(1, ge=1, le=64, description="Processes for the drivers that need no network.")
    max_steps: int | None = Field(None, ge=1, description="Ends a drive early; None lets the game end it.")


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
    network untrained, all on the same seeds. The figures are added to the model's MLflow run.
    """
    game = context.partition_key
    with checks.sentences():
        entry = report.newest(mlflow.client, game)
        package = judging.package_of(settings, game, entry.version)
        examples = load_training_set(settings.datasets / "training_sets" / game / INDEX)
        evaluation = judging.held_out(package, examples)
        held_out = judging.summary(evaluation, examples) if evaluation else None
        drives: cards.Scorecard | None = None
        others: tuple[cards.Scorecard, ...] = ()
        limit = None
        if judging.playable(game):
            seeds, limit = list(PROMOTION[: config.seeds]), config.max_steps
            name = f"version {entry.version}"
            drives = judging.drive_policy(name, package, game, seeds, limit, progress)
            others = judging.drive_opponents(package, game, seeds, limit, config.workers, progress)
        found = report.Report(int(entry.version), held_out, limit, drives, others)
        report.save(mlflow.client, entry, found)
    run = mlflow.client.get_run(entry.run_id).info
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                "in the game": dg.MetadataValue.md(cards.markdown([drives, *others])) if drives else None,
                "on held-out sessions": dg.MetadataValue.md(evaluation.markdown()) if evaluation else None,
                "model": f"{entry.name} version {entry.version}",
                "mean score": drives.mean if drives else None,
                "held-out error": held_out.euclidean if held_out else None,
                "error as share of the best constant's": held_out.relative if held_out else None,
                "step limit": limit,
                "MLflow run": tables.mlflow_link(settings.tracking_uri, run.experiment_id, run.run_id),
            }
        )
    )
