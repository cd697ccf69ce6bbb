"""What a registered version of a driver is worth, kept as `scorecard.json` beside its MLflow run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.learning.tracking import registered_name

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

FILE = "scorecard.json"
CHAMPION = "champion"
METRICS = (  # properties of a scorecard that MLflow compares runs by
    "mean",
    "worst",
    "decile",
    "finished",
    "progress",
    "off_track",
    "smoothness",
    "lap_time",
    "collisions",
    "stuck",
)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Errors on the held-out rows of a training set.

    Attributes:
        training_set: its version.
        rows: how many.
        euclidean: the network's mean error, see `learning.evaluation`.
        constant: that of the best predictor which always says the same.
    """

    training_set: str
    rows: int
    euclidean: float
    constant: float

    @property
    def relative(self) -> float:
        """The network's error as a share of the best constant's: below 1 it has learned something."""
        return self.euclidean / self.constant if self.constant else float("inf")


@dataclass(frozen=True, slots=True)
class Report:
    """The worth of one version.

    Attributes:
        version: of the registered model.
        held_out: None where its contract is not that of the training set any more.
        max_steps: limit of the drives.
        drives: its own in the game; None where the game cannot be opened from here.
        others: the opponents' on the same seeds.
    """

    version: int
    held_out: HeldOut | None
    max_steps: int | None = None
    drives: Scorecard | None = None
    others: tuple[Scorecard, ...] = ()

    @property
    def seeds(self) -> tuple[int | None, ...]:
        """The seeds that were driven."""
        return tuple(drive.seed for drive in self.drives.drives) if self.drives else ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal report back."""
        return {
            "version": self.version,
            "held_out": asdict(self.held_out) if self.held_out else None,
            "max_steps": self.max_steps,
            "drives": self.drives.to_dict() if self.drives else None,
            "others": [card.to_dict() for card in self.others],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Report":
        """Raises KartError where `data` is no report."""
        try:
            return cls(
                data["version"],
                HeldOut(**data["held_out"]) if data["held_out"] else None,
                data["max_steps"],
                Scorecard.from_dict(data["drives"]) if data["drives"] else None,
                tuple(Scorecard.from_dict(card) for card in data["others"]),
            )
        except (KeyError, TypeError) as error:
            raise KartError(f"Not a scorecard of a model: {error!r}; materialise `scorecard` again.") from error


def newest(client: "MlflowClient", game: str) -> "ModelVersion":
    """The newest registered version of a game's driver.

    Raises:
        KartError: there is none.
    """
    found: Sequence[ModelVersion] = client.search_model_versions(f"name = '{registered_name(game)}'")
    if not found:
        raise KartError(f"There is no model of {game} yet; materialise `driver_model` first.")
    return max(found, key=lambda entry: int(entry.version))


def champion_of(client: "MlflowClient", game: str) -> "ModelVersion | None":
    """The version that bears the alias, if one does."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(registered_name(game), CHAMPION)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def save(client: "MlflowClient", entry: "ModelVersion", report: Report) -> None:
    """Keep a version's report, and its figures as metrics of its run."""
    client.log_dict(entry.run_id, report.to_dict(), FILE)
    if report.held_out:
        client.log_metric(entry.run_id, "scorecard/held_out_euclidean", report.held_out.euclidean)
    for stem, card in (("game", report.drives), *((f"game/{card.driver}", card) for card in report.others)):
        if card is None:
            continue
        for figure in METRICS:
            value = getattr(card, figure)
            if value is not None:
                client.log_metric(entry.run_id, f"{stem.replace(' ', '_')}/{figure}", value)


def load(client: "MlflowClient", entry: "ModelVersion") -> Report | None:
    """The report of a version; None where it was never scored."""
    import mlflow

    if not any(item.path == FILE for item in client.list_artifacts(entry.run_id)):
        return None
    return Report.from_dict(mlflow.artifacts.load_dict(f"runs:/{entry.run_id}/{FILE}"))
