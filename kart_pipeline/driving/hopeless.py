"""Noticing that a drive has become hopeless: what follows would fill a session and teach nothing."""

import math

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.games.base import OFF_TRACK, PROGRESS

ASTRAY = "off the track for too long"
STUCK = "stuck"


class Hopeless:
    """An observer that says when to give up; hand it to `drive` as an observer and as `should_stop`.

    A game that tells neither of its progress nor of leaving the road is never given up. One watches one drive.

    Args:
        off_track_s: seconds of game time without a break off the road that are too long; None bears all.
        stuck_s: likewise, without any progress.

    Raises:
        KartError: seconds that are not above 0.
    """

    def __init__(self, off_track_s: float | None, stuck_s: float | None) -> None:
        for name, seconds in (("off the track", off_track_s), ("without progress", stuck_s)):
            if seconds is not None and not seconds > 0:  # NaN fails this too
                raise KartError(f"The seconds {name} that end a drive are above 0, not {seconds}.")
        self._off_track_ns = math.inf if off_track_s is None else off_track_s * 1e9
        self._stuck_ns = math.inf if stuck_s is None else stuck_s * 1e9
        self._best = -math.inf
        self._on_road: int | None = None  # when that was last so, ns
        self._moved: int | None = None
        self._reason = ""

    def on_step(self, step: Step) -> None:
        """Look at the frame of the step."""
        state, now = step.frame.state, step.frame.t_ns
        if self._on_road is None or self._moved is None:
            self._on_road = self._moved = now
        if not state.get(OFF_TRACK):
            self._on_road = now
        progress = state.get(PROGRESS, math.inf)
        if progress > self._best or PROGRESS not in state:
            self._best, self._moved = progress, now
        if now - self._on_road >= self._off_track_ns:
            self._reason = ASTRAY
        elif now - self._moved >= self._stuck_ns:
            self._reason = STUCK

    def __call__(self) -> str:
        """Why to give up; empty while there is hope."""
        return self._reason
