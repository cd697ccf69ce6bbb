"""What a registered version of a driver is worth, kept as `scorecard.json` beside its MLflow run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.trace import Trace, read_traces, write_traces
from kart_pipeline.learning.tracking import registered_name

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

FILE = "scorecard.json"
TRACES = "traces.parquet"
CHAMPION = "champion"
EXPERT, STRAIGHT, UNTRAINED = "expert", "straight-ahead", "untrained"  # opponents, as their scorecards name them
LOOKED_THROUGH = 10  # earlier versions, newest first, whose opponents might do for a new one
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
        kind: what the opponents' drives depend on beside seeds and limit; of equal kind they drive equally.
    """

    version: int
    held_out: HeldOut | None
    max_steps: int | None = None
    drives: Scorecard | None = None
    others: tuple[Scorecard, ...] = ()
    kind: str = ""

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
            "kind": self.kind,
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
                data.get("kind", ""),
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


def save(
    client: "MlflowClient", entry: "ModelVersion", report: Report, traces: Mapping[str, Sequence[Trace]] | None = None
) -> None:
    """Keep a version's report, its figures as metrics of its run, and the traces of its drives by driver."""
    if traces:
        with TemporaryDirectory() as folder:
            write_traces(Path(folder, TRACES), traces)
            client.log_artifact(entry.run_id, str(Path(folder, TRACES)))
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

    if not _has(client, entry, FILE):
        return None
    return Report.from_dict(mlflow.artifacts.load_dict(f"runs:/{entry.run_id}/{FILE}"))


def load_traces(entry: "ModelVersion") -> dict[str, tuple[Trace, ...]]:
    """The traces that were kept with a version's report, by driver.

    Raises:
        KartError: there are none, or they are damaged.
    """
    import mlflow

    with TemporaryDirectory() as folder:
        try:
            path = mlflow.artifacts.download_artifacts(f"runs:/{entry.run_id}/{TRACES}", dst_path=folder)
        except (mlflow.MlflowException, OSError) as error:
            raise KartError(f"Version {entry.version} of {entry.name} has no traces: {error}.") from error
        return read_traces(Path(path))


def same_opponents(client: "MlflowClient", game: str, wanted: Report) -> "tuple[ModelVersion, Report] | None":
    """The newest other version whose opponents drove the seeds of `wanted`, as they would again; None without one."""
    entries = client.search_model_versions(f"name = '{registered_name(game)}'")
    conditions = (wanted.kind, wanted.seeds, wanted.max_steps)
    for entry in sorted(entries, key=lambda entry: -int(entry.version))[:LOOKED_THROUGH]:
        if int(entry.version) == wanted.version:
            continue
        try:
            found = load(client, entry)
        except KartError:  # kept by an older release: nothing to take from it
            continue
        if found is None or not found.others or not _has(client, entry, TRACES):
            continue
        if (found.kind, found.seeds, found.max_steps) == conditions:
            return entry, found
    return None


def _has(client: "MlflowClient", entry: "ModelVersion", file: str) -> bool:
    return any(item.path == file for item in client.list_artifacts(entry.run_id))
