"""The one loop: recording, driving, scoring and correcting differ only in the parts that are put into it."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.tally import Drive, Tally
from kart_pipeline.games.base import Game

__all__ = ["STEP_LIMIT", "STOPPED", "Drive", "Observer", "drive"]

STOPPED = "stopped"
STEP_LIMIT = "step limit"


class Observer(Protocol):
    """Sees every step of a drive: a recorder, a video writer, a progress bar. Whoever opened it closes it."""

    def on_step(self, step: Step) -> None:
        """A choice was made on a frame and sent; the game still shows that frame. Must return well within a tick."""


def drive(
    game: Game,
    driver: Driver,
    *,
    observers: Sequence[Observer] = (),
    seed: int | None = None,
    displaced: np.random.Generator | None = None,
    max_steps: int | None = None,
    clock: Clock | None = None,
    should_stop: Callable[[], bool | str] | None = None,
) -> Drive:
    """Drive `game` with `driver` once, from reset to its end. Whatever happens, the controls are let go of.

    Args:
        game: is reset, and not closed.
        driver: is reset.
        observers: see each step, in this order.
        seed: for the game's reset.
        displaced: begin beside the line, at a place drawn with it; None begins at the start. See `Game.displace`.
        max_steps: end with "step limit" after so many steps.
        clock: None paces a real-time game by its rate and lets a simulated one run as fast as it can. A person at a
            simulated game wants `Clock(game.rate_hz)`.
        should_stop: asked before every step; True ends with "stopped", a text with that as the reason.

    Raises:
        KartError: the driver's actions are not those of the game, or it cannot begin beside the line.
    """
    clock = clock or Clock(game.rate_hz, paced=not game.simulated)
    tally = Tally(game.spec)
    index = 0

    def ending() -> str | None:
        if game.ended:
            return game.ended
        if max_steps is not None and tally.steps >= max_steps:
            return STEP_LIMIT
        stop = should_stop() if should_stop else False
        return STOPPED if stop is True else stop or None

    try:
        frame = game.reset(seed)
        if displaced is not None:
            frame = game.displace(displaced)
        driver.reset()
        tally.begin(frame)
        clock.start()
        while (ended := ending()) is None:
            choice = driver.act(frame)
            clock.lap("driver")
            if choice.action.spec != game.spec:
                raise KartError(
                    f"The driver {driver.name} gives {choice.action.spec.names}, {game.name} takes {game.spec.names}."
                )
            game.obey(choice)
            clock.lap("game")
            for observer in observers:
                observer.on_step(Step(index, frame, choice))
            clock.lap("observers")
            index += clock.wait()
            frame = game.next_frame()
            clock.lap("frame")
            tally.count(choice, frame)
    finally:
        game.neutral()
    return tally.drive(
        seed=seed,
        track=game.track,
        score=game.score,
        ended=ended,
        wall=clock.seconds,
        cadence=clock.cadence(),
    )
