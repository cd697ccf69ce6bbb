"""One race in an emulated game, followed by what its memory tells: the course, the score, when it is over and why."""

from collections.abc import Mapping

from kart_pipeline.games.base import FINISHED, PROGRESS
from kart_pipeline.games.bizhawk.memory import Memory

STUCK = "stuck"
NO_RACE = "no race"
STUCK_S = 10.0  # without progress: longer than the lights at the start take


class Race:
    """Follows a race from where it is when it is first looked at; `look` at it after every step.

    A game that tells no progress has no end here, and no score.

    Args:
        memory: says what the numbers mean; None follows nothing.
        patience_s: how long a race may take, in seconds of game time; None leaves it open.
        stuck_s: how long it may go on without progress; None bears that.

    Attributes:
        track: the course, as a valid id; "" where the game does not tell.
        score: 1000 for the whole race, less 1 for every second of it; whoever goes no farther keeps losing.
        ended: None while it goes on, else "finished", "stuck" after 10 s without progress, "time limit", or "no race"
            once the game tells another course.
    """

    def __init__(self, memory: Memory | None, patience_s: float | None = None, stuck_s: float | None = STUCK_S) -> None:
        self._memory = memory
        self._patience_s = patience_s
        self._stuck_s = stuck_s
        self.track = ""
        self.score = 0.0
        self.ended: str | None = None
        self._begun = False

    def look(self, state: Mapping[str, float], seconds: float) -> None:
        """The game tells `state`, so many seconds of game time after the beginning."""
        if self._memory is None or self.ended is not None:
            return
        course = self._memory.course(state)
        if not self._begun:
            self.track, self._begun = course, True
            self._farthest, self._since = state.get(PROGRESS, 0.0), seconds
        if PROGRESS not in state:
            return
        self.score = 1000 * state[PROGRESS] - seconds
        if state[PROGRESS] > self._farthest:
            self._farthest, self._since = state[PROGRESS], seconds
        if self._memory.finished(state):
            self.ended = FINISHED
        elif course != self.track:
            self.ended = NO_RACE
        elif self._stuck_s is not None and seconds - self._since >= self._stuck_s:
            self.ended = STUCK
        elif self._patience_s is not None and seconds >= self._patience_s:
            self.ended = "time limit"
