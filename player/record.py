"""Keeps the player's drives as sessions: what the policy saw and did, without labels, since nobody taught."""

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.session_writer import SessionWriter
from kart_pipeline.core.store import Store
from kart_pipeline.driving.recording import session_header, usual_codec
from kart_pipeline.driving.tally import Drive
from kart_pipeline.games.base import Game


class Recording:
    """An observer that writes one drive as a session; a context manager that closes it, whatever happens.

    The session begins with the first step, when the game knows its track. A drive without any step leaves none.

    Args:
        store: a local one.
        game: that is driven.
        seed: of its course.
        driver: who drives, for the manifest.

    Attributes:
        manifest: of the finished session; None before the end, and where there was no step.
    """

    def __init__(self, store: Store, game: Game, seed: int | None, driver: Mapping[str, Any]) -> None:
        self._store = store
        self._game = game
        self._seed = seed
        self._driver = driver
        self._writer: SessionWriter | None = None
        self._closing = ExitStack()
        self.manifest: Manifest | None = None

    def on_step(self, step: Step) -> None:
        """Append the step.

        Raises:
            KartError: the disk cannot be written.
        """
        try:
            if self._writer is None:
                self._writer = self._closing.enter_context(self._store.create(self._header()))
            self._writer.append(step)
        except OSError as error:
            raise KartError(
                f"The drive cannot be recorded in {self._store.url} ({error}); make room there. "
                "`python -m recorder repair --all` saves what was recorded."
            ) from error

    def _header(self) -> SessionHeader:
        codec = usual_codec(simulated=self._game.simulated)
        return session_header(self._game, self._seed, self._driver, codec)

    def finish(self, drive: Drive) -> None:
        """Say how the drive ended."""
        if self._writer is not None:
            notes = {} if self._game.simulated else {"cadence": drive.cadence.to_dict()}
            self._writer.finish(drive.ended, drive.score, notes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)
        if self._writer is not None:
            self.manifest = self._writer.manifest
