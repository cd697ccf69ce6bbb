"""Getting a policy out of a corner as a person would: notice that nothing moves, back out, go on.

Where that did not help and the game has a rescue of its own (a bird, Lakitu), the next try is that. Then the gas is
held for a moment: a network that has only seen karts at speed may take one that stands for one that has to brake.
"""

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from kart_pipeline.core.action import Action, ActionSpec, roles
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Choice, Frame
from kart_pipeline.driving.drivers import POLICY, Driver
from kart_pipeline.games.base import PROGRESS

RECOVERY = "recovery"  # who chose: the way out

STUCK_S = 3.0  # long enough for a spin or a fall to end by itself
REVERSE_S = 1.2  # a kart's length or two
GO_S = 1.0  # of gas, the driver steering, after which a kart is on its way
_LEAST = 0.001  # of a race: less progress is a kart that trembles at a wall, a metre or a few
_FARTHER = 0.005  # of a race, which a way out must have brought
_BACK_S = 0.5  # pictures so far apart are compared: at 60 Hz neighbours are nearly equal also at speed
_SMALL = (32, 24)  # of the pictures that are compared; clocks and blinking arrows are less than a pixel of it
_STILL = 2.0  # mean change in levels of 255, below which nothing moves; a slow kart's picture changes by 5 and more

# What games call the buttons that slow down and then reverse, and those that drive.
_REVERSING, _DRIVING = ("b", "brake", "down", "reverse"), ("a", "gas", "up", "accelerate")


class Unstick:
    """A driver that backs out where it is stuck: where progress, or without it the picture, stands still.

    Args:
        driver: drives.
        spec: of the game.
        stuck_s: seconds of the frames' clock without progress or motion, while the driver wants to drive.
        reverse_s: how long to back out.
        go_s: for how long to hold the gas afterwards, while the driver steers.
        rescue: the game's own, see `Game.rescue`; None where it has none. It is asked for where backing out has brought
            no progress.

    Attributes:
        recoveries: how often it did either, in this drive.

    Raises:
        KartError: seconds that are not above 0, or nothing in the game that would go backwards.
    """

    def __init__(
        self,
        driver: Driver,
        spec: ActionSpec,
        *,
        stuck_s: float = STUCK_S,
        reverse_s: float = REVERSE_S,
        go_s: float = GO_S,
        rescue: Callable[[], float] | None = None,
    ) -> None:
        if not (stuck_s > 0 and reverse_s > 0):  # NaN fails this too
            raise KartError(f"The seconds of being stuck and of backing out are above 0, not {stuck_s}, {reverse_s}.")
        self.name = driver.name
        self._driver = driver
        self._reverse = reverse_action(spec)
        self._rescue = rescue
        self._steer, self._drive = roles(spec)
        self._pedals = [name for name in spec.buttons if name.lower() in _REVERSING + _DRIVING]
        self._stuck_ns, self._reverse_ns, self._go_ns = stuck_s * 1e9, reverse_s * 1e9, go_s * 1e9
        self.reset()

    @property
    def seen(self) -> RGB | None:
        """What the driver was shown last; None for one without eyes."""
        return getattr(self._driver, "seen", None)

    def reset(self) -> None:
        """A new drive begins."""
        self._driver.reset()
        self.recoveries = 0
        self._until: int | None = None  # backing out, or the rescue, goes on to that time
        self._rescued = False  # the present one is a rescue
        self._farthest = -np.inf  # progress at which it was stuck last
        self._side = 1.0
        self._standing = Standing()

    def act(self, frame: Frame) -> Choice:
        """What the driver wants, or the way out; a person who takes the controls ends that at once."""
        choice = self._driver.act(frame)
        drives = choice.actor == POLICY
        if self._until is not None and drives and frame.t_ns < self._until:
            return self._out()
        if self._until is not None and drives and frame.t_ns < self._until + self._go_ns:
            return self._off(choice.action)
        if self._until is not None:
            self._until, self._standing = None, Standing()
        wants = drives and choice.action != choice.action.spec.neutral()
        if self._standing.still_ns(frame, wants) < self._stuck_ns:
            return choice
        self.recoveries += 1
        again = self._no_farther(frame)
        self._rescued = again and not self._rescued and self._rescue is not None
        if self._rescued and self._rescue is not None:
            self._until = frame.t_ns + round(self._rescue() * 1e9)
            return self._out()
        self._until = frame.t_ns + round(self._reverse_ns)
        # Backwards, the wheel to the other side turns the nose to where the driver wanted; did that not help, to this.
        wanted = float(choice.action[self._steer]) if self._steer else 0.0
        self._side = (-np.sign(wanted) or 1.0) if self.recoveries % 2 else -self._side
        return self._out()

    def _no_farther(self, frame: Frame) -> bool:
        """Whether no way was made since it was stuck the last time."""
        progress, before = frame.state.get(PROGRESS, -np.inf), self._farthest
        self._farthest = max(progress, before)
        return bool(progress <= before + _FARTHER)

    def _out(self) -> Choice:
        if self._rescued:
            return Choice(self._reverse.spec.neutral(), RECOVERY)
        values = {name: self._reverse[name] for name in self._reverse.spec.names}
        if self._steer:
            values[self._steer] = float(self._side)
        return Choice(self._reverse.spec.action(**values), RECOVERY)

    def _off(self, wanted: Action) -> Choice:
        values = {name: wanted[name] for name in wanted.spec.names}
        if self._drive:
            values[self._drive] = 1.0
        values |= {name: name.lower() in _DRIVING for name in self._pedals}
        return Choice(wanted.spec.action(**values), RECOVERY)


def reverse_action(spec: ActionSpec) -> Action:
    """Straight back: the driving axis at its other end, buttons that brake pressed and those that drive let go.

    Raises:
        KartError: the game has neither.
    """
    _, drive = roles(spec)
    pressed = {name: True for name in spec.buttons if name.lower() in _REVERSING}
    if drive is None and not pressed:
        raise KartError(
            f"Of {', '.join(spec.names)} none is known to go backwards, so a stuck kart cannot be freed; leave out "
            "--unstick."
        )
    return spec.action(**({drive: -1.0} if drive else {}), **pressed)


class Standing:
    """Measures for how long nothing has moved, by progress where the game tells it, else by the picture."""

    def __init__(self) -> None:
        self._since: int | None = None
        self._best = -np.inf
        self._seen: deque[tuple[int, npt.NDArray[np.int16]]] = deque()

    def still_ns(self, frame: Frame, wants: bool) -> int:
        """How long by now, in ns; 0 while the driver does not want to move."""
        moved = self._progressed(frame) if PROGRESS in frame.state else self._changed(frame)
        if moved or not wants or self._since is None:
            self._since = frame.t_ns
        return frame.t_ns - self._since

    def _progressed(self, frame: Frame) -> bool:
        better = frame.state[PROGRESS] > self._best + _LEAST
        if better:
            self._best = frame.state[PROGRESS]
        return better

    def _changed(self, frame: Frame) -> bool:
        now = _small(frame.rgb)
        self._seen.append((frame.t_ns, now))
        while len(self._seen) > 1 and frame.t_ns - self._seen[1][0] >= _BACK_S * 1e9:
            self._seen.popleft()
        return float(np.abs(now - self._seen[0][1]).mean()) >= _STILL


def _small(rgb: RGB) -> npt.NDArray[np.int16]:
    """Grey levels of a picture of `_SMALL`."""
    picture = Image.fromarray(rgb).convert("L").resize(_SMALL, Image.Resampling.BOX, reducing_gap=1.0)
    return np.asarray(picture, np.int16)
