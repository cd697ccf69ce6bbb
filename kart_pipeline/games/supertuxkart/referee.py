"""What a race is worth so far, and whether it is over."""

from kart_pipeline.games.base import FINISHED
from kart_pipeline.games.supertuxkart.course import Course
from kart_pipeline.games.supertuxkart.telemetry import Kart

TOP_SPEED = 15.0  # m/s, of the lowest difficulty
DIED = "the game died"
HANGS = "the game hangs"
STUCK = "stuck"
STUCK_S = 10.0  # without progress
PATIENCE = 2.5  # how many times as long as at top speed all the way a race may take

_SILENCE_S = 5.0  # without a word from the game


class Referee:
    """Judges one race; let it `judge` each frame.

    Args:
        course: of the race, which follows the kart.
        t_ns: when the race began, by `core.frame.now_ns`.
        stuck_s: seconds without progress after which the race is given up.
        patience: how many times as long as at top speed all the way it may take.

    Attributes:
        score: 1000 for the whole race, less 100 for the time that it takes at top speed all the way.
        ended: why the race is over; None while it is not.
    """

    def __init__(self, course: Course, t_ns: int, stuck_s: float, patience: float) -> None:
        self._course = course
        self._stuck_ns = stuck_s * 1e9
        self._par_s = course.metres / TOP_SPEED
        self._limit_s = patience * self._par_s
        self._farthest, self._progress_ns = course.total, t_ns
        self.score = 0.0
        self.ended: str | None = None

    def judge(self, kart: Kart, t_ns: int, *, alive: bool) -> None:
        """Look at the race as it stands.

        Args:
            kart: what the game told last, which the course has looked at.
            t_ns: when the frame was made.
            alive: whether the game runs.
        """
        course = self._course
        self.score = 1000 * course.progress - 100 * kart.race_s / self._par_s
        if course.total > self._farthest:
            self._farthest, self._progress_ns = course.total, t_ns
        if course.finished:
            self.ended = FINISHED
        elif not alive:
            self.ended = DIED
        elif t_ns - kart.t_ns > _SILENCE_S * 1e9:
            self.ended = HANGS
        elif t_ns - self._progress_ns > self._stuck_ns:
            self.ended = STUCK
        elif kart.race_s > self._limit_s:
            self.ended = "time limit"
