"""What assets and sensor are handed: the folders, MLflow's state, and somebody to tell how far the work is."""

import logging
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import dagster as dg
from pydantic import PrivateAttr

from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.learning import tracking

if TYPE_CHECKING:
    from mlflow import ActiveRun, MlflowClient

_LOG_EVERY_S = 10.0


class Home(dg.ConfigurableResource):  # type: ignore[type-arg] # it is its own value
    """`core.settings.Settings` in a form that Dagster can show; the default is what the environment says.

    Attributes:
        path: KART_HOME.
        store_url: the sessions.
        tracking_uri: MLflow's store.
    """

    path: str
    store_url: str
    tracking_uri: str

    @classmethod
    def of(cls, settings: Settings) -> "Home":
        """The resource for these settings."""
        return cls(path=str(settings.home), store_url=settings.store_url, tracking_uri=settings.tracking_uri)

    def settings(self) -> Settings:
        """The settings."""
        from pathlib import Path

        return Settings(Path(self.path), self.store_url, self.tracking_uri)

    def store(self) -> Store:
        """The sessions."""
        return Store(self.store_url)

    def contracts(self) -> Contracts:
        """The contracts as they are on disk now."""
        return Contracts.load(self.settings().home)


class Mlflow(dg.ConfigurableResource):  # type: ignore[type-arg]
    """MLflow keeps its state in the process: it is pointed at our store once per step, before the step begins."""

    home: dg.ResourceDependency[Home]
    _client: "MlflowClient" = PrivateAttr()

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Point this process's MLflow at the store."""
        self._client = tracking.use_store(self.home.settings())

    @property
    def client(self) -> "MlflowClient":
        """A client of the store."""
        return self._client

    def run(self, game: str, tags: dict[str, str]) -> "AbstractContextManager[ActiveRun]":
        """A run in the game's experiment."""
        return tracking.training_run(self.home.settings(), game, tags)


class Progress(Protocol):
    """Is told how far a long piece of work is."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` pieces of `what` are done."""


class LogProgress:
    """Progress as lines in the log of the run, at most one in ten seconds and one at the end."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger
        self._said = 0.0

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Say so, if it is time to."""
        now = time.monotonic()
        if done < total and now - self._said < _LOG_EVERY_S:
            return
        self._said = now
        logger = self._logger or dg.get_dagster_logger()
        logger.info("%s: %d of %d%s", what, done, total, f" ({note})" if note else "")
