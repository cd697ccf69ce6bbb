"""One drive into one session."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import Codec, Manifest
from kart_pipeline.core.session_writer import SessionWriter
from kart_pipeline.core.store import Store
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.loop import STOPPED, Observer, drive
from kart_pipeline.driving.recording import session_header
from kart_pipeline.games.base import PROGRESS, Game
from recorder.stores import session_megabytes
from recorder.writing import unwritable

INTERRUPTED = "interrupted"
KEEP_S = 1.0  # what is interrupted earlier is no drive
_REPORT_S = 0.1  # between two progress reports


@dataclass(frozen=True, slots=True)
class Plan:
    """How a series of episodes is recorded; the same for each, and picklable for worker processes.

    Attributes:
        game: name in the registry.
        driver: "expert", "keyboard" or "gamepad".
        noise: greatest knock on the expert's steering, 0 to 1; see `driving.drivers.knocks`.
        folder: of the local store.
        codec: of the frames.
        max_steps: of each episode; None leaves the end to the game.
        recovery: each episode begins beside the line, at a place that follows from its seed.
        options: of the game.
    """

    game: str
    driver: str
    folder: Path
    noise: float = 0.0
    codec: Codec = "png"
    max_steps: int | None = None
    recovery: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running episode is: `share` of the race, 0 to 1, where the game tells."""

    seed: int
    steps: int
    score: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A recorded session.

    Attributes:
        manifest: of the finished session.
        megabytes: size of its files, 10^6 bytes.
        trouble: what broke the drive off; what was recorded before is kept.
    """

    manifest: Manifest
    megabytes: float
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """An episode that was interrupted too early to be kept."""

    seed: int
    seconds: float


@dataclass(slots=True)
class Recording:
    """The observer that writes: its session begins with the first step, when the game knows its track.

    A context manager: leaving it closes the session, after an exception as "interrupted".

    Raises:
        KartError: the disk cannot be written.
    """

    store: Store
    game: Game
    plan: Plan
    seed: int
    driver: dict[str, Any]
    report: Callable[[Progress], None]
    writer: SessionWriter | None = None
    _reported: float = field(default=0.0, init=False)

    def on_step(self, step: Step) -> None:
        """Append the step, and report now and then."""
        try:
            if self.writer is None:
                plan = self.plan
                header = session_header(self.game, self.seed, self.driver, plan.codec, displaced=plan.recovery)
                self.writer = self.store.create(header)
            self.writer.append(step)
        except OSError as error:
            raise unwritable(self.plan.folder, error) from error
        now = time.monotonic()
        if now - self._reported >= _REPORT_S:
            self._reported = now
            share = step.frame.state.get(PROGRESS)
            self.report(Progress(self.seed, self.writer.steps, self.game.score, share))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.writer is None:
            return
        if error is not None:
            self.writer.finish(INTERRUPTED, self.game.score)
        try:
            self.writer.close()
        except (OSError, KartError) as failure:
            if error is None:
                raise unwritable(self.plan.folder, failure) from failure
            error.add_note(f"Its session could not be closed either: {failure}")


def record_episode(
    store: Store,
    game: Game,
    driver: Driver,
    plan: Plan,
    seed: int,
    *,
    about_driver: dict[str, Any],
    report: Callable[[Progress], None] = lambda _: None,
    observers: Sequence[Observer] = (),
    clock: Clock | None = None,
    should_stop: Callable[[], bool | str] = lambda: False,
    interrupted: Callable[[], bool] = lambda: False,
) -> Taken | Dropped:
    """Drive once and keep it as a session.

    Args:
        store: a local one.
        game: is reset with `seed`.
        driver: is reset.
        plan: codec and longest drive.
        seed: of the course.
        about_driver: for the manifest.
        report: is told the progress ten times a second.
        observers: see each step after it was recorded.
        clock: as for `drive`.
        should_stop: ends the drive before the next step, as for `drive`.
        interrupted: whether such an end was an interruption, rather than the driver's own wish.

    Raises:
        KartError: game, driver or disk failed in the drive's first second. Later, `Taken.trouble` tells.
    """
    trouble: KartError | None = None
    recording = Recording(store, game, plan, seed, about_driver, report)
    try:
        with recording:
            result = drive(
                game,
                driver,
                seed=seed,
                # apart from the noise's numbers, which begin with the bare seed
                displaced=np.random.default_rng((seed, 1)) if plan.recovery else None,
                observers=[recording, *observers],
                max_steps=plan.max_steps,
                clock=clock,
                should_stop=lambda: should_stop() or interrupted(),
            )
            if recording.writer is None:
                return Dropped(seed, 0.0)
            cadence = None if game.simulated and clock is None else result.cadence
            recording.writer.finish(
                INTERRUPTED if result.ended == STOPPED and interrupted() else result.ended,
                result.score,
                {"cadence": cadence.to_dict()} if cadence else {},
            )
    except KartError as error:
        if recording.writer is None or recording.writer.manifest is None:
            raise
        trouble = error
    manifest = recording.writer.close()  # closed already: this is what it came to
    if manifest.ended in (INTERRUPTED, STOPPED) and manifest.duration_s < KEEP_S:
        store.remove(manifest.id)
        if trouble:
            raise trouble
        return Dropped(seed, manifest.duration_s)
    return Taken(manifest, session_megabytes(recording.writer.folder), str(trouble) if trouble else None)
