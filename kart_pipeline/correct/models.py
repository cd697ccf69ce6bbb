"""What the rounds ask the registry, the store and the training set about a game's models."""

from pathlib import Path
from typing import TYPE_CHECKING

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.correct.rounds import Round
from kart_pipeline.driving.seeds import CORRECTIONS_PER_MODEL, correction_seeds

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Models:
    """The registered models of one game."""

    def __init__(self, settings: Settings, game: str) -> None:
        self._settings = settings
        self._game = game

    def newest(self) -> int:
        """The newest version; 0 where there is none."""
        from kart_pipeline.orchestration import report

        try:
            return int(report.newest(self._client(), self._game).version)
        except KartError:  # it says that there is none
            return 0

    def champion(self) -> int:
        """The champion's version; 0 where there is none."""
        from kart_pipeline.orchestration import report

        entry = report.champion_of(self._client(), self._game)
        return int(entry.version) if entry else 0

    def worth(self, version: int) -> Round:
        """A round in which a version came to be: its score, and what it learned from."""
        from kart_pipeline.datasets.shared import open_training_set
        from kart_pipeline.learning.tracking import registered_name
        from kart_pipeline.orchestration import report

        client = self._client()
        found = report.load(client, client.get_model_version(registered_name(self._game), str(version)))
        card = found.drives if found else None
        low, high = (card.interval if card else None) or (None, None)
        experts = [other.mean for other in (found.others if found else ()) if other.driver == "expert"]
        examples = open_training_set(self._settings, self._game, frames=False)
        return Round(
            number=0,
            version=version,
            champion=self.champion(),
            seeds=len(card.drives) if card else 0,
            mean=card.mean if card else None,
            low=low,
            high=high,
            decile=card.decile if card else None,
            expert=experts[0] if experts else None,
            sessions=sum(entry.rows > 0 for entry in examples.sessions),
            frames=sum(entry.rows for entry in examples.sessions),
            corrected=sum(entry.corrections for entry in examples.sessions),
        )

    def attach(self, version: int, *files: Path) -> None:
        """Log files at the run of a version."""
        from kart_pipeline.learning.tracking import registered_name

        client = self._client()
        run_id = client.get_model_version(registered_name(self._game), str(version)).run_id
        for file in files:
            client.log_artifact(run_id, str(file))

    def _client(self) -> "MlflowClient":
        from kart_pipeline.learning.tracking import use_store

        return use_store(self._settings)


def next_correction(settings: Settings, game: str, version: int) -> int:
    """Number of the first track of a version on which it has not been corrected."""
    store = Store(settings.store_url)
    block = correction_seeds(version, 0, CORRECTIONS_PER_MODEL)
    driven = [item.source.get("seed") for item in store.manifests() if item.game == game]
    return 1 + max((seed - block.start for seed in driven if isinstance(seed, int) and seed in block), default=-1)
