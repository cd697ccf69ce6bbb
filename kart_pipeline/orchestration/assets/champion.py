"""The asset `champion`: the best model of a game so far, by an alias in MLflow."""

from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.shared import open_training_set
from kart_pipeline.driving import figures
from kart_pipeline.driving.tables import markdown
from kart_pipeline.driving.trace import Trace
from kart_pipeline.orchestration import checks, judging, pictures, promotion, report, tables
from kart_pipeline.orchestration.assets.scorecard import scorecard
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.resources import Mlflow, Progress

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dg.asset(partitions_def=GAMES, deps=[scorecard], kinds={"mlflow"}, pool="training")
def champion(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    mlflow: Mlflow,
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult:
    """The model that drives when nobody names one: `models:/kart-<game>@champion`.

    The newest model takes the alias only if it is shown to be better than the present champion: by the interval of its
    lead on the same seeds, or where the game cannot be opened from here, by its error on held-out sessions. A champion
    that has not driven these seeds drives them now.
    """
    game = context.partition_key
    with checks.sentences():
        entry = report.newest(mlflow.client, game)
        candidate = report.load(mlflow.client, entry)
        if candidate is None:
            raise KartError(f"Version {entry.version} of {entry.name} was not scored; materialise `scorecard` first.")
        holder = report.champion_of(mlflow.client, game)
        present = _present(mlflow, settings, game, holder, candidate, progress) if holder else None
        decision = promotion.decide(candidate, present)
        if decision.promote:
            mlflow.client.set_registered_model_alias(entry.name, report.CHAMPION, entry.version)
    best = entry if decision.promote else holder
    context.log.info(decision.reason)
    reports = [candidate] if present is None or present.version == candidate.version else [candidate, present]
    cards = [replace(item.drives, driver=f"version {item.version}") for item in reports if item.drives]
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                "decision": decision.reason,
                "champion": f"version {best.version}" if best else "none yet",
                "changed": decision.promote,
                "in the game": dg.MetadataValue.md(markdown(cards)) if cards else None,
                "scores by seed": pictures.figure(figures.scores_by_seed(cards, pictures.MOST_BYTES))
                if len(cards) > 1
                else None,
                "on held-out sessions": _errors(reports),
                "model": f"models:/{entry.name}@{report.CHAMPION}",
            }
        )
    )


def _present(
    mlflow: Mlflow,
    settings: Settings,
    game: str,
    holder: "ModelVersion",
    candidate: report.Report,
    progress: Progress,
) -> report.Report:
    """The present champion's report, on the candidate's seeds and, where its contract allows, on its held-out rows."""
    known = report.load(mlflow.client, holder) or report.Report(int(holder.version), None)
    found = known
    package = None
    traces: dict[str, tuple[Trace, ...]] = {}
    if candidate.drives is not None and not promotion.comparable(candidate, known):
        seeds = tuple(seed for seed in candidate.seeds if seed is not None)
        course = judging.Course(game, seeds, candidate.max_steps)
        package = judging.package_of(settings, game, holder.version)
        driven = judging.drive_policy(f"version {holder.version}", package, course, progress)
        traces[driven.card.driver] = driven.traces
        found = replace(found, drives=driven.card, max_steps=candidate.max_steps, others=candidate.others, kind="")
    if candidate.held_out and (not found.held_out or found.held_out.training_set != candidate.held_out.training_set):
        examples = open_training_set(settings, game, told=progress)
        package = package or judging.package_of(settings, game, holder.version)
        evaluation = judging.held_out(package, examples)
        if evaluation is not None:
            found = replace(found, held_out=judging.summary(evaluation, examples))
    if found != known:
        report.save(mlflow.client, holder, found, traces)
    return found


def _errors(reports: list[report.Report]) -> dg.MarkdownMetadataValue | None:
    rows = [
        (f"version {item.version}", f"{item.held_out.euclidean:.4f}", f"{item.held_out.relative:.3f}")
        for item in reports
        if item.held_out
    ]
    return tables.table(("", "error", "as share of the best constant's"), rows) if rows else None
