"""Drives one seed after the other in this process, and keeps, films and times what happens."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.loop import STOPPED, Drive, Observer, drive
from kart_pipeline.games.base import PROGRESS, Game
from player.picture.video import Film
from player.record import Recording
from recorder.stores import Stores

Running = Callable[[int, int, float, float | None], None]  # seed, steps, score, share of the race
_REPORT_STEPS = 10


@dataclass(slots=True)
class Extras:
    """What is done beside the driving.

    Attributes:
        stores: each drive becomes a session there; None records nothing.
        about_driver: for the sessions' manifests.
        film: None films nothing.
        filmed: how many drives, the first ones, go into the film.
        clock: None paces a real-time game and lets a simulated one run freely.
    """

    stores: Stores | None = None
    about_driver: Mapping[str, Any] = field(default_factory=dict)
    film: Film | None = None
    filmed: int = 1
    clock: Clock | None = None


def drive_seeds(
    game: Game,
    driver: Driver,
    seeds: Sequence[int],
    *,
    extras: Extras | None = None,
    max_steps: int | None = None,
    running: Running = lambda *_: None,
    done: Callable[[Drive], None] = lambda _: None,
    recorded: Callable[[Manifest], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Drive every seed once; the controls are neutral after each drive, however it ended.

    Args:
        game: stays open.
        driver: drives.
        seeds: in this order.
        extras: recording, film and clock.
        max_steps: of each drive.
        running: is told now and then how far the running drive is.
        done: gets each drive that came to its end, at once, so that nothing is lost by what happens later.
        recorded: gets each session, also that of a drive that was broken off.
        should_stop: ends the running drive and all.

    Raises:
        KartError: game, driver, disk or video failed.
    """
    extras = extras or Extras()
    for number, seed in enumerate(seeds):
        with ExitStack() as stack:
            observers: list[Observer] = [_Progress(game, seed, running)]
            recording = scene = None
            if extras.stores is not None:
                recording = Recording(extras.stores.local, game, seed, extras.about_driver)
                stack.callback(_tell, recording, recorded)  # called when the recording has been closed
                observers.append(stack.enter_context(recording))
            if extras.film is not None and number < extras.filmed:
                scene = extras.film.scene(game, driver)
                observers.append(scene)
            result = drive(
                game,
                driver,
                observers=observers,
                seed=seed,
                max_steps=max_steps,
                clock=extras.clock,
                should_stop=should_stop,
            )
            if scene is not None:
                scene.end(result)
            if recording is not None:
                recording.finish(result)
        if extras.stores is not None and recording is not None and recording.manifest is not None:
            extras.stores.deliver(recording.manifest.id)
        if result.ended == STOPPED:
            return
        done(result)


def _tell(recording: Recording, recorded: Callable[[Manifest], None]) -> None:
    if recording.manifest is not None:
        recorded(recording.manifest)


class _Progress:
    """An observer that reports every few steps."""

    def __init__(self, game: Game, seed: int, running: Running) -> None:
        self._game = game
        self._seed = seed
        self._running = running

    def on_step(self, step: Step) -> None:
        if step.index % _REPORT_STEPS == 0:
            self._running(self._seed, step.index, self._game.score, step.frame.state.get(PROGRESS))
