"""Films of a driver's worst drives: what to look at first."""

from pathlib import Path

from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.tally import Drive
from kart_pipeline.games.registry import make_game
from kart_pipeline.learning.package import DriverPackage
from kart_pipeline.orchestration.judging import Course
from kart_pipeline.orchestration.resources import Progress
from player.drive import Extras, drive_seeds
from player.picture.video import Film
from player.policy import open_policy


def film_worst(
    card: Scorecard, package: DriverPackage, course: Course, count: int, folder: Path, progress: Progress
) -> list[Path]:
    """Let a driver drive the seeds of its lowest scores again, and film it.

    Args:
        card: its drives on that course.
        package: the driver.
        course: as it was driven.
        count: of films; 0 makes none.
        folder: gets the files, `worst-seed-N.mp4`.
        progress: is told how far the films are.

    Returns:
        The files, the worst drive first; none for a game in real time, where a drive cannot be repeated.

    Raises:
        KartError: PyAV is not installed, or a film cannot be written.
    """
    worst = sorted(card.drives, key=lambda drive: drive.score)[:count]
    if not worst:
        return []
    films: list[Path] = []
    with make_game(course.game) as game:
        if not game.simulated:
            return []
        policy = open_policy(card.driver, package)
        for number, drive in enumerate(worst):
            path = folder / f"worst-seed-{drive.seed}.mp4"
            progress("Films of the worst drives", number, len(worst), _caption(drive))
            with Film(path) as film:
                seeds = [drive.seed or 0]
                drive_seeds(game, policy, seeds, extras=Extras(film=film), max_steps=course.max_steps)
            films.append(path)
    progress("Films of the worst drives", len(worst), len(worst))
    return films


def _caption(drive: Drive) -> str:
    return f"seed {drive.seed}, {drive.score:.0f}"
