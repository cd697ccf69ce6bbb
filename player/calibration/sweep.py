"""Holding the stick at one deflection after the other, and looking at what the picture does."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import Controller
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.source import Source
from kart_pipeline.desktop.windows import Hidden
from player.calibration.fit import Level
from player.calibration.motion import Pictures, grey, moving, turning

DEFLECTIONS = (0.04, 0.08, 0.12, 0.16, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_LOOK_S = 1 / 40
_SETTLE = 0.4  # share of the time for which the game may take to follow
_FEWEST = 3  # pictures of a deflection


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What was seen while the stick was held: grey pictures and their times; `value` is 0 for at rest."""

    value: float
    pictures: list[Pictures]
    times_ns: list[int]


class Sweep:
    """Looks while it holds.

    Args:
        source: of the pictures.
        controller: that is held; it is neutral afterwards, whatever happens.
        state: how it stands for a deflection in [-1, 1].
        seconds: for which each is held.
        stop: whether to break off.
        tell: is told before each hold how much of the whole is done.
    """

    def __init__(
        self,
        source: Source,
        controller: Controller,
        state: Callable[[float], PadState],
        seconds: float,
        stop: Callable[[], bool],
        tell: Callable[[float], None],
    ) -> None:
        self._source, self._controller, self._state = source, controller, state
        self._seconds, self._stop, self._tell = seconds, stop, tell

    def run(self, deflections: Sequence[float] = DEFLECTIONS) -> tuple[list[Level], float]:
        """The levels, and the noise: how fast the picture is at rest, in widths a second.

        To one side and then to the other, so that a kart comes back to where it was.

        Raises:
            KartError: the game is hidden or has lost the focus.
            KeyboardInterrupt: it was broken off.
        """
        sides = [sign * value for value in deflections for sign in (1, -1)]
        course = [0.0, *sides[: len(sides) // 2], 0.0, *sides[len(sides) // 2 :], 0.0]
        held: list[Held] = []
        try:
            for number, value in enumerate(course):
                self._tell(number / len(course))
                held.append(self._hold(value))
                self._hold(0.0, self._seconds / 3)
        finally:
            self._controller.neutral()
        if min(len(each.pictures) for each in held) < _FEWEST:
            raise KartError("The screen cannot be read often enough here to see a turn; hold for longer (--seconds).")
        mask = moving(np.concatenate([np.stack(each.pictures) for each in held]))
        rates = [(each.value, turning(each.pictures, each.times_ns, mask)) for each in held]
        by_value = dict(rates)
        noise = max(abs(rate) for value, rate in rates if not value)
        return [Level(value, by_value[value], by_value[-value]) for value in deflections], noise

    def _hold(self, value: float, seconds: float | None = None) -> Held:
        pictures: list[Pictures] = []
        times_ns: list[int] = []
        begin = time.monotonic()
        length = seconds or self._seconds
        while (passed := time.monotonic() - begin) < length:
            if self._stop():
                raise KeyboardInterrupt
            seen = self._source.grab()
            if isinstance(seen, Hidden):
                raise KartError(f"The game cannot be seen any more: {seen.reason}. Keep it in front and start again.")
            if self._controller.name == "keyboard" and not self._source.focused():
                raise KartError(
                    "The game does not have the focus: keys would reach another window. Click into it first."
                )
            self._controller.apply(self._state(value))
            if passed >= _SETTLE * length:
                pictures.append(grey(seen.rgb))
                times_ns.append(seen.t_ns)
            time.sleep(max(0.0, _LOOK_S - (time.monotonic() - begin - passed)))
        return Held(value, pictures, times_ns)
