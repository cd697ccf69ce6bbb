"""Lets go of the controls while a policy could do harm: it sees nothing, or what it sees is no race."""

from collections.abc import Callable

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Choice, Frame
from kart_pipeline.driving.drivers import Driver

WATCHDOG = "watchdog"  # who chose: nobody, the controls are let go of

FROZEN = "the picture stands still"
BLACK = "the picture is black"

STILL_S = 2.0  # a game that hangs for less goes on by itself, and its clock would move within one
START_S = 10.0  # before anything has moved at all: a grid may stand as still as a menu
_BLACK_S = 0.5  # a fade between two scenes is shorter
_DARK = 16  # of 255; video levels have their black there


class Watchdog:
    """A driver whose controls are let go of while there is a reason to; it drives on by itself when that is over.

    Args:
        driver: drives where it is safe. Its reset follows every reason, since what it saw last is long past.
        obstacle: says why the game cannot be told anything now; None while it can.
        still_s: for how long the very same picture may be shown, once one has moved; seconds of the frames' clock.
        start_s: the same, before.
        tell: is told each new reason, and None when it is over.

    Attributes:
        reason: why the controls are let go of; None while the driver has them.
        times: how often it let go, by reason.

    Raises:
        KartError: seconds that are not above 0.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        obstacle: Callable[[], str | None] = lambda: None,
        still_s: float = STILL_S,
        start_s: float = START_S,
        tell: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        if not (still_s > 0 and start_s > 0):  # NaN fails this too
            raise KartError(f"The seconds that a picture may stand still are above 0, not {still_s} and {start_s}.")
        self.name = driver.name
        self._driver = driver
        self._obstacle = obstacle
        self._still_ns, self._start_ns = still_s * 1e9, start_s * 1e9
        self._tell = tell
        self.times: dict[str, int] = {}
        self.reason: str | None = None
        self._forget()

    def reset(self) -> None:
        """A new drive begins; what was counted stays."""
        self._driver.reset()
        self.reason = None
        self._forget()

    def _forget(self) -> None:
        self._last: RGB | None = None
        self._changed_ns: int | None = None  # when the picture did last
        self._bright_ns: int | None = None  # when it was not black last
        self._moved = False

    def act(self, frame: Frame) -> Choice:
        """What the driver wants, or nothing."""
        seen = self._look(frame)
        reason = self._obstacle() or seen
        if reason != self.reason:
            if reason is None:
                self._driver.reset()
            else:
                self.times[reason] = self.times.get(reason, 0) + 1
            self.reason = reason
            self._tell(reason)
        choice = self._driver.act(frame)
        return choice if reason is None else Choice(choice.action.spec.neutral(), WATCHDOG)

    def _look(self, frame: Frame) -> str | None:
        now = frame.t_ns
        if self._last is None or self._changed_ns is None or self._bright_ns is None:
            self._changed_ns = self._bright_ns = now
        elif self._last is not frame.rgb and not np.array_equal(self._last, frame.rgb):
            self._changed_ns, self._moved = now, True
        self._last = frame.rgb
        if frame.rgb.max() > _DARK:
            self._bright_ns = now
        if now - self._bright_ns >= _BLACK_S * 1e9:
            return BLACK
        limit = self._still_ns if self._moved else self._start_ns
        return FROZEN if now - self._changed_ns >= limit else None
