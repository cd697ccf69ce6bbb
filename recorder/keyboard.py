"""Arrow keys as an analog stick: held keys turn the wheel bit by bit, as a hand would."""

import math
import time
from collections.abc import Callable

from kart_pipeline.core.action import Action, ActionSpec
from recorder.pads import roles
from recorder.window import Window

# A key that jumped to full lock and back would teach bang-bang steering, which no network at a few Hz can imitate.
TURN_PER_S = 3.0  # full lock after a third of a second
RETURN_PER_S = 6.0  # back to the middle in half of that
_LONGEST_S = 0.1  # a pause of the loop must not turn the wheel all the way
_BUTTON_KEYS = "xcvbnm"  # for the game's buttons, in the order of its spec


class KeyboardPad:
    """Left and right steer, up and down drive or pitch, the lower row of letters are the buttons.

    Args:
        spec: of the game.
        window: hears the keys; it stays the caller's to close.
        now: a clock in seconds.
    """

    def __init__(self, spec: ActionSpec, window: Window, now: Callable[[], float] = time.monotonic) -> None:
        import pygame

        self._spec = spec
        self._window = window
        self._now = now
        self._then = now()
        steer, drive = roles(spec)
        self._axes = {steer: (pygame.K_LEFT, pygame.K_RIGHT)}
        if drive:
            self._axes[drive] = (pygame.K_DOWN, pygame.K_UP)
        self._values = dict.fromkeys(self._axes, 0.0)
        self._buttons = {name: pygame.key.key_code(key) for name, key in zip(spec.buttons, _BUTTON_KEYS, strict=False)}
        keys = {name: "/".join(map(pygame.key.name, pair)) for name, pair in self._axes.items()}
        keys |= {name: pygame.key.name(key) for name, key in self._buttons.items()}
        self.about = {"device": "keyboard", "mapping": keys, "turn_per_s": TURN_PER_S, "return_per_s": RETURN_PER_S}

    @property
    def done(self) -> bool:
        """Escape was pressed or the window closed."""
        return self._window.done

    def read(self) -> Action:
        """The wheel as the keys have turned it by now."""
        self._window.pump()
        now = self._now()
        passed, self._then = min(now - self._then, _LONGEST_S), now
        held = self._window.held
        for name, (less, more) in self._axes.items():
            self._values[name] = ramp(self._values[name], (more in held) - (less in held), passed)
        pressed = {name: key in held for name, key in self._buttons.items()}
        return self._spec.action(**self._values, **pressed)

    def close(self) -> None:
        """Nothing of its own to release."""


def ramp(value: float, target: float, seconds: float) -> float:
    """`value` on its way to `target` after so many seconds; faster towards the middle than away from it."""
    back = target == 0 or value * target < 0
    step = (RETURN_PER_S if back else TURN_PER_S) * seconds
    return float(target) if abs(target - value) <= step else value + math.copysign(step, target - value)
