"""A registered driver's examination in its game: its drives, its opponents', and the pictures and films of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import dagster as dg

from kart_pipeline.driving import figures
from kart_pipeline.driving.tables import by_drive, markdown
from kart_pipeline.driving.trace import Trace
from kart_pipeline.learning.package import DriverPackage
from kart_pipeline.orchestration import judging, pictures, report, tables, videos
from kart_pipeline.orchestration.report import EXPERT, Report
from kart_pipeline.orchestration.resources import Progress

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

Traces = Mapping[str, tuple[Trace, ...]]  # by driver


def examine(
    client: "MlflowClient",
    package: DriverPackage,
    course: judging.Course,
    found: Report,
    progress: Progress,
    *,
    reuse_opponents: bool = True,
) -> tuple[Report, Traces]:
    """The report with the drives of the model and its opponents, and the traces of the model and the expert.

    Args:
        client: of the store.
        package: the driver.
        course: to drive.
        found: what is known of the version so far.
        progress: is told each drive.
        reuse_opponents: take the opponents' drives from an earlier version where they would be the same again.

    Raises:
        KartError: the driver is refused, or a drive failed.
    """
    ours = judging.drive_policy(f"version {found.version}", package, course, progress)
    found = replace(found, max_steps=course.max_steps, drives=ours.card, kind=judging.kind(package))
    kept = report.same_opponents(client, course.game, found) if reuse_opponents else None
    if kept is not None:
        others, of_expert = kept[1].others, report.load_traces(kept[0]).get(EXPERT, ())
    else:
        driven = judging.drive_opponents(package, course, progress)
        others = tuple(opponent.card for opponent in driven)
        of_expert = next((opponent.traces for opponent in driven if opponent.card.driver == EXPERT), ())
    return replace(found, others=others), {ours.card.driver: ours.traces, EXPERT: of_expert}


def attach(
    client: "MlflowClient",
    entry: "ModelVersion",
    package: DriverPackage,
    course: judging.Course,
    found: Report,
    traces: Traces,
    films: int,
    progress: Progress,
) -> list[str]:
    """Keep table, pictures and films of the worst drives at the model's run; returns the films' paths there.

    Raises:
        KartError: a film cannot be written.
    """
    if found.drives is None:
        return []
    with TemporaryDirectory() as name:
        folder = Path(name)
        table = markdown([found.drives, *found.others])
        (folder / "scorecard.md").write_text(f"{table}\n", encoding="utf-8")
        (folder / "figures").mkdir()
        for figure, png in figures.figures([found.drives, *found.others], traces).items():
            (folder / "figures" / f"{figure}.png").write_bytes(png)
        made = videos.film_worst(found.drives, package, course, films, folder / "videos", progress)
        client.log_artifacts(entry.run_id, str(folder))
        return [film.relative_to(folder).as_posix() for film in made]


def shown(found: Report, traces: Traces) -> dict[str, Any]:
    """The drives as metadata of an asset: the table, its most telling figures, and the pictures."""
    if found.drives is None:
        return {}
    cards = [found.drives, *found.others]
    small = figures.figures(cards, traces, pictures.MOST_BYTES)
    return {
        "in the game": dg.MetadataValue.md(markdown(cards)),
        **{name.replace("_", " "): pictures.figure(png) for name, png in small.items()},
        "drive by drive": tables.table(*by_drive(found.drives)),
        "mean score": found.drives.mean,
        "worst decile": found.drives.decile,
        "mean difference to the expert": figures.drift(traces[found.drives.driver]),
    }
