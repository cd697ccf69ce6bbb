"""What is waited for before a recording begins: a countdown, the first throttle."""

import math
import time
from collections.abc import Callable

from kart_pipeline.core.action import Action, roles
from kart_pipeline.core.frame import Step
from recorder.live.signals import Signal

THROTTLE = "the first throttle"
_MOVED = 0.3  # of an axis: more than a pad rests beside its middle, less than any start
_GAS = ("a", "gas", "accelerate", "throttle")  # buttons that drive on, in small letters


class Gate:
    """Says what is still waited for, at each step; once it is open it stays so.

    Args:
        countdown_s: begins with the first step that is asked about.
        autostart: then wait for the throttle too.
        give: is told a signal for each second of the countdown.
    """

    def __init__(
        self, countdown_s: float = 0.0, *, autostart: bool = False, give: Callable[[Signal], None] = lambda _: None
    ) -> None:
        self._countdown_s = countdown_s
        self._autostart = autostart
        self._give = give
        self._begun: float | None = None
        self._told = math.ceil(countdown_s) + 1
        self.open = not countdown_s and not autostart

    def why(self, step: Step) -> str | None:
        """What is waited for; None once recording is to begin, with this very step."""
        if self.open:
            return None
        now = time.monotonic()
        self._begun = now if self._begun is None else self._begun
        left = math.ceil(self._begun + self._countdown_s - now)
        if left > 0:
            if left < self._told:
                self._told = left
                self._give(Signal.COUNT)
            return f"{left} …"
        if self._autostart and not drives_on(step.choice.action):
            return f"waiting for {THROTTLE}"
        self.open = True
        return None

    def pass_by(self) -> None:
        """Begin now."""
        self.open = True


def drives_on(action: Action) -> bool:
    """Whether the throttle is open or its button pressed; where a game has neither, whether anything is done at all."""
    spec = action.spec
    _, drive = roles(spec)
    buttons = [name for name in spec.buttons if name.lower() in _GAS]
    if drive is not None and drive != "pitch":
        return float(action[drive]) > _MOVED
    if buttons:
        return any(action[name] for name in buttons)
    return any(action.buttons) or any(abs(value) > _MOVED for value in action.axes)
