"""What several drives of one driver were worth, with intervals, and whether another driver is better."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.tally import Drive
from kart_pipeline.games.base import FINISHED

RESAMPLES = 10_000
INTERVENTION_S = 6.0  # what PilotNet's makers count a person's taking over and giving back as


def bootstrap(values: npt.NDArray[np.float64], block: int = 1) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean of `values` `(N,)`, N >= 2 (Efron & Tibshirani, 1993, chapter 13).

    The same numbers give the same interval. With fewer than about 10 values it is narrower than it should be.

    Args:
        values: in the order in which they were observed, where that matters.
        block: neighbours that are drawn together, at most N; above 1 it is the moving-block bootstrap (Künsch, 1989,
            Annals of Statistics 17), for values that resemble their neighbours, as the rows of one drive do.
    """
    count = len(values)
    starts = np.random.default_rng(0).integers(count - block + 1, size=(RESAMPLES, -(-count // block)))
    drawn = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, :count]
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Drives of one driver in one game.

    Raises:
        KartError: no drive at all.
    """

    game: str
    driver: str
    drives: tuple[Drive, ...]

    def __post_init__(self) -> None:
        if not self.drives:
            raise KartError(f"A scorecard of {self.driver} needs at least one drive.")

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """The drives' scores, float64 `(N,)`."""
        return np.array([drive.score for drive in self.drives], np.float64)

    @property
    def mean(self) -> float:
        """Mean score."""
        return float(self.scores.mean())

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % bootstrap interval of the mean score; None for a single drive."""
        return bootstrap(self.scores) if len(self.drives) > 1 else None

    @property
    def worst(self) -> float:
        """Lowest score."""
        return float(self.scores.min())

    @property
    def decile(self) -> float:
        """The score that nine drives in ten reach: the 10th percentile, between two drives by linear interpolation."""
        return float(np.percentile(self.scores, 10))

    @property
    def best(self) -> float:
        """Highest score."""
        return float(self.scores.max())

    @property
    def finished(self) -> float:
        """Share of drives that reached the goal."""
        return float(np.mean([drive.ended == FINISHED for drive in self.drives]))

    @property
    def progress(self) -> float | None:
        """Mean share of the race done; None where no drive tells."""
        return _mean(drive.progress for drive in self.drives)

    @property
    def off_track(self) -> float | None:
        """Mean share of steps off the road; None where no drive tells."""
        return _mean(drive.off_track for drive in self.drives)

    @property
    def smoothness(self) -> float | None:
        """Mean absolute change of steering per step; None where there is no steering axis."""
        return _mean(drive.smoothness for drive in self.drives)

    @property
    def lap_time(self) -> float | None:
        """Mean game seconds of the laps that were completed; None where there was none."""
        return _mean(seconds for drive in self.drives for seconds in drive.lap_times or ())

    @property
    def laps(self) -> float | None:
        """Mean number of laps that were completed; None where the game counts none."""
        return _mean(None if drive.lap_times is None else len(drive.lap_times) for drive in self.drives)

    @property
    def collisions(self) -> float | None:
        """Mean number of collisions a drive; None where no drive tells."""
        return _mean(drive.collisions for drive in self.drives)

    @property
    def stuck(self) -> float | None:
        """How often a drive got stuck, on average; None where no drive tells."""
        return _mean(drive.stuck for drive in self.drives)

    @property
    def recoveries(self) -> int:
        """How often the kart was backed out of where it was stuck, in all drives."""
        return sum(drive.recoveries for drive in self.drives)

    @property
    def autonomy(self) -> float | None:
        """Mean share of steps that the policy alone decided; None where none did."""
        return _mean(drive.autonomy for drive in self.drives)

    @property
    def finish_time(self) -> float | None:
        """Mean game seconds of the drives that reached the goal; None where none did."""
        return _mean(drive.finish_s for drive in self.drives)

    @property
    def hands_off(self) -> float | None:
        """The autonomy that PilotNet's makers give, over all drives: each intervention costs 6 s of the time driven.

        1 - 6 s * interventions / elapsed time, at least 0 (Bojarski et al., 2016, arXiv:1604.07316, section 7.1); in
        game time. None where no time has passed.
        """
        elapsed = sum(drive.game_seconds for drive in self.drives)
        return max(0.0, 1 - INTERVENTION_S * self.interventions / elapsed) if elapsed > 0 else None

    @property
    def game_seconds(self) -> float:
        """Mean length of a drive in game time."""
        return float(np.mean([drive.game_seconds for drive in self.drives]))

    @property
    def interventions(self) -> int:
        """How often a teacher took the controls, in all drives."""
        return sum(drive.interventions for drive in self.drives)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: the summary for people and programs, and the drives that it follows from."""
        low, high = self.interval or (None, None)
        return {
            "game": self.game,
            "driver": self.driver,
            "mean": self.mean,
            "low": low,
            "high": high,
            "worst": self.worst,
            "decile": self.decile,
            "best": self.best,
            "finished": self.finished,
            "progress": self.progress,
            "off_track": self.off_track,
            "smoothness": self.smoothness,
            "laps": self.laps,
            "lap_time": self.lap_time,
            "collisions": self.collisions,
            "stuck": self.stuck,
            "game_seconds": self.game_seconds,
            "interventions": self.interventions,
            "recoveries": self.recoveries,
            "autonomy": self.autonomy,
            "hands_off": self.hands_off,
            "finish_time": self.finish_time,
            "drives": [drive.to_dict() for drive in self.drives],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Scorecard":
        """An equal scorecard back from `to_dict`; the summary is computed anew.

        Raises:
            KartError: `data` is no scorecard.
        """
        try:
            return cls(data["game"], data["driver"], tuple(Drive.from_dict(drive) for drive in data["drives"]))
        except (KeyError, TypeError) as error:
            raise KartError(f"Not a scorecard: {error!r} in {data!r}.") from error


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean of candidate less reference over the seeds that both drove, with its 95 % bootstrap interval."""

    seeds: int
    difference: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """The candidate's lead is not explained by the choice of tracks: the whole interval lies above 0."""
        return self.low > 0


def compare(candidate: Scorecard, reference: Scorecard) -> Comparison:
    """Compare two drivers track by track, which takes the tracks' own difficulty out of the difference.

    Raises:
        KartError: different games, or fewer than two seeds in common.
    """
    if candidate.game != reference.game:
        raise KartError(f"Scores in {candidate.game} and in {reference.game} cannot be compared.")
    ours, theirs = _by_seed(candidate), _by_seed(reference)
    common = sorted(ours.keys() & theirs.keys())
    if len(common) < 2:
        raise KartError(
            f"{candidate.driver} and {reference.driver} have {len(common)} seeds in common; "
            "drive both on the same two or more."
        )
    differences = np.array([ours[seed] - theirs[seed] for seed in common])
    return Comparison(len(common), float(differences.mean()), *bootstrap(differences))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _by_seed(card: Scorecard) -> dict[int, float]:
    scores: dict[int, list[float]] = {}
    for drive in card.drives:
        if drive.seed is not None:
            scores.setdefault(drive.seed, []).append(drive.score)
    return {seed: float(np.mean(several)) for seed, several in scores.items()}
