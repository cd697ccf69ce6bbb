"""What assets are handed beside `Settings`: MLflow's state, and somebody to tell how far the work is."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import dagster as dg
from pydantic import PrivateAttr

from kart_pipeline.core.settings import Settings
from kart_pipeline.learning import tracking

if TYPE_CHECKING:
    from mlflow import ActiveRun, MlflowClient

_LOG_EVERY_S = 10.0


class Mlflow(dg.ConfigurableResource):  # type: ignore[type-arg]
    """MLflow keeps its state in the process: it is pointed at our store once per step, before the step begins."""

    settings: dg.ResourceDependency[Settings]
    _client: "MlflowClient" = PrivateAttr()

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Point this process's MLflow at the store."""
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        self._client = tracking.use_store(self.settings)

    @property
    def client(self) -> "MlflowClient":
        """A client of the store."""
        return self._client

    @contextmanager
    def run(self, game: str, tags: dict[str, str]) -> "Iterator[ActiveRun]":
        """A run in the game's experiment."""
        with tracking.training_run(self.settings, game, tags) as run:
            try:
                yield run
            except dg.DagsterExecutionInterruptedError:
                raise KeyboardInterrupt from None  # what everybody else takes for Ctrl-C


class Progress(Protocol):
    """Is told how far a long piece of work is."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` pieces of `what` are done."""


class LogProgress:
    """Progress as lines in the log of the run, at most one in ten seconds and one at the end."""

    def __init__(self, logger: logging.Logger | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._now = now
        self._said = now()

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """Say so, if it is time to."""
        now = self._now()
        if done < total and now - self._said < _LOG_EVERY_S:
            return
        self._said = now
        logger = self._logger or dg.get_dagster_logger()
        logger.info("%s: %d of %d%s", what, done, total, f" ({note})" if note else "")
