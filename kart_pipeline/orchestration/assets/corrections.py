"""The asset `corrections`: drives of a game's champion, with what its expert would have done."""

import dagster as dg
import numpy as np
from pydantic import Field

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.hopeless import ASTRAY, STUCK
from kart_pipeline.learning.tracking import registered_name
from kart_pipeline.orchestration import checks, correcting, report, tables
from kart_pipeline.orchestration.assets.champion import champion
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.resources import Mlflow, Progress


class CorrectionsConfig(dg.Config):
    """How a driver is corrected."""

    drives: int = Field(6, ge=1, description="How many tracks it drives, each of which becomes a session.")
    first: int = Field(
        0,
        ge=0,
        description="Number of the first drive. Each model has tracks of its own, 0 to 499: drives that are there are "
        "not driven again, so set this to get further ones of the same model.",
    )
    max_steps: int | None = Field(None, ge=1, description="Ends a drive early; None lets the game end it.")
    seconds_off_track: float | None = Field(
        2.0, gt=0, description="A drive that leaves the road for so long is hopeless and ends; None bears all."
    )
    seconds_stuck: float | None = Field(5.0, gt=0, description="Likewise without any progress.")
    noise: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Knocks the driver's hands now and then, the wheel by up to this share of its travel: for a driver "
        "that errs too seldom to be corrected.",
    )
    version: int | None = Field(None, ge=1, description="The model that drives; None is the champion.")


@dg.asset(partitions_def=GAMES, deps=[champion], kinds={"parquet"}, pool="training")
def corrections(
    context: dg.AssetExecutionContext,
    config: CorrectionsConfig,
    settings: dg.ResourceParam[Settings],
    mlflow: Mlflow,
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult:
    """Drives of the champion on tracks of its own, with what the game's expert would have done at each step.

    Each drive is a session like any other: the sensor finds it, its frames are built, and the next training learns
    what to do where the model went itself. What the model did is kept as what was executed, never as a label.
    A drive that has become hopeless ends early, and one that is there already is not driven again.
    """
    game = context.partition_key
    with checks.sentences():
        version = config.version or _champion(mlflow, game)
        terms = correcting.Terms(
            drives=config.drives,
            first=config.first,
            max_steps=config.max_steps,
            off_track_s=config.seconds_off_track,
            stuck_s=config.seconds_stuck,
            noise=config.noise,
        )
        made = correcting.correct(settings, game, version, terms, progress)
    drift = float(np.average([drive.drift for drive in made], weights=[drive.steps for drive in made]))
    scores = [drive.score for drive in made if drive.score is not None]
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                "drives": _table(made),
                "driver": f"{registered_name(game)} version {version}",
                "mean score": float(np.mean(scores)) if scores else None,
                "mean difference to the expert": drift,
                "noise, part of that difference": config.noise or None,
                "dagster/row_count": sum(drive.steps for drive in made),
                "given up": sum(drive.ended in (ASTRAY, STUCK) for drive in made),
            }
        )
    )


def _champion(mlflow: Mlflow, game: str) -> int:
    entry = report.champion_of(mlflow.client, game)
    if entry is None:
        raise KartError(f"There is no champion of {game} to correct; materialise `champion` first.")
    return int(entry.version)


def _table(made: list[correcting.Correction]) -> dg.MarkdownMetadataValue:
    return tables.table(
        ("seed", "session", "score", "steps", "difference to the expert", "ended"),
        [
            (
                str(drive.seed),
                drive.session,
                "-" if drive.score is None else f"{drive.score:.1f}",
                str(drive.steps),
                f"{drive.drift:.3f}",
                drive.ended,
            )
            for drive in made
        ],
    )
