"""Press, look, repeat: how long it takes until a press shows, and whether that can be believed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.source import Source
from kart_pipeline.desktop.windows import Hidden
from kart_pipeline.driving.clock import Clock
from recorder.delay.change import Answer, Looks, Window
from recorder.delay.press import Presser

LOOKS_HZ = 120.0  # twice as often as most games draw; more would take the game's time
QUIET_S = 1.2  # of looks from which is learnt how the picture changes of its own accord
SEARCH_S = 1.0  # after a press, within which it must show; as long before it is looked at for comparison
_SETTLE_S = 0.5  # after letting go, which shows as well
_HOLD_S = 0.15  # games read their input once a frame; shorter presses are overlooked
_WIDEST_GAP_MS = 100.0  # between two looks; a change that falls into a longer one has no time
FEWEST = 5  # presses that showed
# The median of a dozen is sure to about a quarter of the spread, and half a step at 30 Hz is 17 ms.
WIDEST_MS = 60.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The delay from a press to the first changed pixel.

    Attributes:
        delay_ms: median.
        spread_ms: from the first to the third quartile.
        presses: that showed.
        asked: that there were.
        look_ms: between two looks, median; each delay is known to half of that.
    """

    delay_ms: float
    spread_ms: float
    presses: int
    asked: int
    look_ms: float


class Gauge:
    """Looks at the screen around one press after the other.

    Args:
        source: of the pictures; stays the caller's to close.
        presser: presses, or tells when a person did.
        stop: asked between looks; True ends with KeyboardInterrupt.
        tell: is told what the person is to do now.
    """

    def __init__(
        self,
        source: Source,
        presser: Presser,
        *,
        stop: Callable[[], bool] = lambda: False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._presser = presser
        self._stop = stop
        self._tell = tell
        self._looks = Looks(QUIET_S + 3 * SEARCH_S)
        self._clock = Clock(LOOKS_HZ)

    def press(self) -> Window | None:
        """Wait for hands that rest, then for a press, and look on; None where the machine was too busy to look.

        Raises:
            KartError: there is nothing to be seen, or nobody presses.
        """
        self._settle()
        self._tell("watching how the picture changes of its own accord")
        began = now_ns()
        while now_ns() - began < (QUIET_S + SEARCH_S) * 1e9:
            self._look()
        self._tell(self._presser.prompt)
        self._presser.ready()
        while (pressed := self._presser.pressed()) is None:
            self._look()
        search = round(SEARCH_S * 1e9)
        while now_ns() < pressed + search:
            self._look()
            if not self._presser.released and now_ns() - pressed > _HOLD_S * 1e9:
                self._presser.release()
        window = Window(
            pressed,
            self._looks.between(pressed - search - round(QUIET_S * 1e9), pressed - search),
            self._looks.between(pressed - search, pressed),
            self._looks.between(pressed, pressed + search),
        )
        return window if window.quiet and window.before and window.after else None

    def _settle(self) -> None:
        """Until nothing is held, and for a moment more."""
        since = now_ns()
        while now_ns() - since < _SETTLE_S * 1e9:
            self._look()
            if not self._presser.released:
                since = now_ns()
        self._looks.forget()

    def _look(self) -> None:
        if self._stop():
            raise KeyboardInterrupt
        seen = self._source.grab()
        if isinstance(seen, Hidden):
            raise KartError(f"Nothing can be measured: {seen.reason}.")
        self._looks.add(seen.rgb, seen.t_ns)
        self._clock.wait()


def measured(presses: Sequence[Window | None]) -> Measured:
    """What all presses come to.

    Args:
        presses: None for one around which nothing was seen.

    Raises:
        KartError: too few of them showed, or at times too far apart; the sentence says what to do.
    """
    asked = len(presses)
    windows = [window for window in presses if window is not None]
    if len(windows) < max(FEWEST, asked / 2):
        raise KartError(_busy(asked - len(windows), asked))
    answer = Answer.of(windows)
    if not answer.cells.any():
        raise KartError(_nothing(answer, asked))
    changes = [(window, window.first_change(answer.cells)) for window in windows]
    shown = [(window, change) for window, change in changes if change is not None]
    sure = [(window, change) for window, change in shown if change[1] - change[0] <= _WIDEST_GAP_MS * 1e6]
    if len(sure) < max(FEWEST, asked / 2):
        raise KartError(_busy(asked - len(sure), asked) if len(sure) < len(shown) else _nothing(answer, asked))
    delays = [(sum(change) / 2 - window.pressed_ns) / 1e6 for window, change in sure]
    first, middle, third = (float(value) for value in np.percentile(delays, (25, 50, 75)))
    if third - first > WIDEST_MS:
        raise KartError(
            f"The presses took too different times to show, half of them {first:.0f} to {third:.0f} ms: the delay is "
            "not known well enough to be kept. Close what else keeps the machine busy, let the game stand still (a "
            "menu, the start), and try again with more --times."
        )
    gaps = [(after.t_ns - before.t_ns) / 1e6 for window in windows for before, after in pairwise(window.after)]
    look_ms = float(np.median(gaps)) if gaps else 0.0
    return Measured(round(middle, 1), round(third - first, 1), len(delays), asked, round(look_ms, 1))


def _nothing(answer: Answer, asked: int) -> str:
    if answer.restless > 0.5:
        return (
            f"No place of the picture answered to {asked} presses, or it moves too much by itself to be told (before "
            f"{answer.restless:.0%} of the presses something moved that had not before). Choose a moment at which "
            "little moves, the kart before the start or a menu, and press what the game answers at once."
        )
    return (
        f"Nothing changed on the screen after {asked} presses. Give the game's window the focus, and press what the "
        "game answers at once, as the accelerator or an arrow in a menu."
    )


def _busy(missed: int, asked: int) -> str:
    return (
        f"This machine was too busy to look at the screen around {missed} of {asked} presses. Close what else runs, or "
        "look at a smaller part of the screen."
    )
