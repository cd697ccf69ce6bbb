"""Where everything that is not code lives, read once from the environment into one frozen object."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders and addresses.

    Attributes:
        home: KART_HOME, default `.kart` in the working directory; made absolute.
        store_url: KART_STORE, a folder or any fsspec URL of finished sessions; default `home/sessions`.
        tracking_uri: MLFLOW_TRACKING_URI; default a sqlite file in `home`.
        remote_url: KART_REMOTE, an fsspec URL to which `recorder push` brings sessions and from which `recorder pull`
            fetches them; empty where it is not set.
    """

    home: Path
    store_url: str
    tracking_uri: str
    remote_url: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment.

        Raises:
            KartError: KART_HOME names something that is not a folder.
        """
        environ = os.environ if environ is None else environ
        home = Path(environ.get("KART_HOME") or ".kart").expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise KartError(f"KART_HOME is {home}, which is not a folder; name a folder or unset it.")
        return cls(
            home=home,
            store_url=environ.get("KART_STORE") or str(home / "sessions"),
            tracking_uri=environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(home / 'mlflow.db').as_posix()}",
            remote_url=environ.get("KART_REMOTE") or "",
        )

    @property
    def recordings(self) -> Path:
        """Where the recorder writes: always a local folder, because a power cut must leave a readable stream."""
        return self.home / "sessions"

    @property
    def datasets(self) -> Path:
        """Frames and training sets, made from sessions and rebuilt at will."""
        return self.home / "datasets"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifact root."""
        return self.home / "mlartifacts"

    @property
    def dagster_home(self) -> Path:
        """Dagster's runs, events and partitions."""
        return self.home / "dagster"
