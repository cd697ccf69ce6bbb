"""Where everything that is not code lives, read once from the environment into one frozen object."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError

ENGINES = ("in_process", "multiprocess", "celery", "k8s")
TAKEOVER_S = 120  # a machine that hangs for so long has most likely gone
_LEAST_TAKEOVER_S = 5  # workers say four times as often that they live


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders and addresses.

    Attributes:
        home: KART_HOME, default `.kart` in the working directory; made absolute.
        store_url: KART_STORE, a folder or any fsspec URL of finished sessions; default `home/sessions`.
        tracking_uri: MLFLOW_TRACKING_URI; default a sqlite file in `home`.
        remote_url: KART_REMOTE, an fsspec URL to which `recorder push` brings sessions and from which `recorder pull`
            fetches them; empty where it is not set.
        datasets_url: KART_DATASETS, an fsspec URL over which machines share frames and training sets; empty where they
            stay in `home`.
        engine: KART_ENGINE, what executes the steps of Dagster's runs, one of `ENGINES`; default `in_process`.
        broker: KART_BROKER, URL of the Redis that hands steps to Celery's workers; empty where it is not set.
        takeover_s: KART_TAKEOVER_S, seconds after which another worker takes over the step of one that says nothing.
    """

    home: Path
    store_url: str
    tracking_uri: str
    remote_url: str = ""
    datasets_url: str = ""
    engine: str = "in_process"
    broker: str = ""
    takeover_s: int = TAKEOVER_S

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment.

        Raises:
            KartError: KART_HOME names something that is not a folder; there is no such engine, its broker is not named,
                or the seconds of the takeover are no whole number of at least 5.
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
            datasets_url=environ.get("KART_DATASETS") or "",
            engine=_engine(environ),
            broker=environ.get("KART_BROKER") or "",
            takeover_s=_takeover_s(environ.get("KART_TAKEOVER_S") or str(TAKEOVER_S)),
        )

    @property
    def recordings(self) -> Path:
        """Where the recorder writes: always a local folder, because a power cut must leave a readable stream."""
        return self.home / "sessions"

    @property
    def datasets(self) -> Path:
        """Frames and training sets, made from sessions and rebuilt at will; on this machine, for frames are mapped."""
        return self.home / "datasets"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifact root."""
        return self.home / "mlartifacts"

    @property
    def dagster_home(self) -> Path:
        """Dagster's runs, events and partitions."""
        return self.home / "dagster"


def _engine(environ: Mapping[str, str]) -> str:
    engine = environ.get("KART_ENGINE") or ENGINES[0]
    if engine not in ENGINES:
        raise KartError(f"KART_ENGINE is {engine!r}; it can be {', '.join(ENGINES)}.")
    if engine == "celery" and not environ.get("KART_BROKER"):
        raise KartError("KART_ENGINE is celery, but KART_BROKER names no Redis; set it as redis://host:6379/0.")
    return engine


def _takeover_s(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= _LEAST_TAKEOVER_S):
        raise KartError(f"KART_TAKEOVER_S is {text!r}; it is a whole number of seconds, at least {_LEAST_TAKEOVER_S}.")
    return int(text)
