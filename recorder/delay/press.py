"""Who presses: a person, whose pad says when, or the program by itself."""

import random
from collections.abc import Callable
from typing import Protocol

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.controllers.base import Controller
from kart_pipeline.desktop.pad import PadState
from recorder.devices.device import Device

PATIENCE_S = 60.0  # for which a person is waited for
_BACK_NS = 50_000_000  # a listener may tell of an event this long after it happened
_WAIT_S = 0.5  # at most, of its own accord, so that presses do not fall in step with the game's frames
PRESSED_BUTTON = "a"
PRESSED = PadState(buttons=frozenset({PRESSED_BUTTON}))


class Presser(Protocol):
    """Presses now and then; asked between two looks, so it must not wait.

    Attributes:
        how: who presses what, for a person to read.
        prompt: what the person is told while it is time to press.
    """

    how: str
    prompt: str

    def ready(self) -> None:
        """From now on a press counts."""

    def pressed(self) -> int | None:
        """The time of `core.frame.now_ns` at which it was pressed since `ready`; None so far.

        Raises:
            KartError: nobody pressed, or the device is gone.
        """

    def release(self) -> None:
        """Let go, where it is the program that holds it."""

    @property
    def released(self) -> bool:
        """Nothing is held."""


class Person:
    """A person who presses any button of what they hold.

    Args:
        device: stays the caller's to close.
    """

    prompt = "press a button, any that the game answers at once"

    def __init__(self, device: Device) -> None:
        self._device = device
        self.how = f"a person on the {device.name} ({device.about['backend']})"
        self._since = now_ns()
        self._asked = self._since

    def ready(self) -> None:
        """Presses from now on count."""
        self._asked = self._since = now_ns()

    def pressed(self) -> int | None:
        """When a button went down that was not down a moment ago."""
        now = now_ns()
        before, state = self._device.at(self._since), self._device.at(now)
        if not state.connected:
            raise KartError(f"The {self._device.name} was unplugged.")
        fresh = state.buttons - before.buttons
        if not fresh:
            if now - self._asked > PATIENCE_S * 1e9:
                raise KartError(
                    f"No button was pressed for {PATIENCE_S:.0f} s on the {self._device.name}; try "
                    "`python -m recorder devices --test`, or let the program press with --press KEY."
                )
            self._since = max(self._since, now - _BACK_NS)
            return None
        return self._moment(next(iter(fresh)), self._since, now)

    def _moment(self, button: str, up: int, down: int) -> int:
        """When the button went down, which it was not at `up` and was at `down`."""
        while down - up > 1000:
            middle = (up + down) // 2
            if button in self._device.at(middle).buttons:
                down = middle
            else:
                up = middle
        return down

    def release(self) -> None:
        """The person lets go by themselves."""

    @property
    def released(self) -> bool:
        """No button is down."""
        return not self._device.at(now_ns()).buttons


class Program:
    """A key or button that the program presses.

    Args:
        controller: of which `PRESSED` is pressed; stays the caller's to close.
        key: its name, for a person.
        wait_s: a random number of seconds up to which it waits before each press.
    """

    prompt = "pressing; leave the game's window in front"

    def __init__(
        self, controller: Controller, key: str, wait_s: Callable[[], float] = lambda: random.uniform(0, _WAIT_S)
    ) -> None:
        self._controller = controller
        self._wait_s = wait_s
        self.how = f"the program, key {key}"
        self.released = True
        self._due = 0

    def ready(self) -> None:
        """It presses within half a second."""
        self._due = now_ns() + round(self._wait_s() * 1e9)

    def pressed(self) -> int | None:
        """When it pressed, which it does when it is time."""
        if now_ns() < self._due:
            return None
        self.released = False
        t_ns = now_ns()
        self._controller.apply(PRESSED)
        return t_ns

    def release(self) -> None:
        """Let go."""
        self._controller.neutral()
        self.released = True
