"""What every game is to the loop: it shows frames, obeys actions and says when it is over."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Choice, Frame

FINISHED = "finished"  # the value of `Game.ended` that counts as reaching the goal

# Names of `Frame.state` with one meaning in every game; each game tells those it knows.
PROGRESS = "progress"  # share of the whole race that is done, 0 to 1
SPEED = "speed"  # in the game's own units
OFF_TRACK = "off_track"  # 1 while the kart is off the road, else 0
LAP = "lap"  # laps completed
X, Y = "x", "y"  # where the kart is, seen from above, in the game's own units
COLLISION = "collision"  # 1 while the kart touches something, else 0


class Autopilot(Protocol):
    """A game's expert: it reads the game's own state, not the picture."""

    def reset(self) -> None:
        """A new drive begins; called after the game's reset."""

    def action(self, frame: Frame) -> Action:
        """What to do now, `frame` being what the game shows at this moment."""


class Game(ABC):
    """A world to drive in. Use it as a context manager, or call `close`.

    `track`, `group` and `score` are those of the present drive: they are there from the first `reset` on.

    Attributes:
        name: as in the registry.
        spec: the channels of the actions it takes.
        rate_hz: steps per second.
        simulated: its time stands still until the next action comes. Otherwise it runs on by the wall clock.
        ended: None while running, else the reason in a word or two: "finished", "time limit", "left the field" …
        track: a valid id of the course driven; of a generated one its seed, as in `seed-1234`.
        group: sessions of equal group are held out together: what was seen in one helps to drive the other.
        score: so far, in the game's own units; higher is better.
        hidden: why the game cannot be seen now, as half a sentence; None while it can, which a simulated one always is.
        obstacle: why nothing can be sent to it now; None likewise.
    """

    name: str
    spec: ActionSpec
    rate_hz: float
    simulated: bool
    ended: str | None = None
    track: str
    group: str
    score: float
    hidden: str | None = None
    obstacle: str | None = None

    @property
    def about(self) -> Mapping[str, Any]:
        """Nothing beside its name and track, as a rule."""
        return {}

    def ready(self, say: Callable[[str], None], should_stop: Callable[[], object] = lambda: False) -> None:  # noqa: B027
        """Wait for what a game needs that does not start by itself; `reset` would wait too.

        Args:
            say: tells the person what is waited for, now and in later drives.
            should_stop: asked meanwhile, likewise.

        Raises:
            KartError: it did not come.
        """

    @abstractmethod
    def reset(self, seed: int | None = None) -> Frame:
        """Begin a drive and show its first frame. `seed` chooses the course where the game can; None leaves it open."""

    def displace(self, random: np.random.Generator) -> Frame:  # noqa: ARG002 - for those games that can
        """Put the kart where a good driver never comes, beside the line and turned away, and show that.

        Called after `reset`, before the first action. What is seen and done from there is what a good drive lacks.

        Args:
            random: draws the place.

        Raises:
            KartError: the game cannot do that.
        """
        raise KartError(f"{self.name} cannot begin beside the line; record without --recovery.")

    def rescue(self) -> float:
        """Have the game itself put a stuck kart back onto the road, as its players can.

        Returns:
            Seconds of the frames' clock that this takes, for which nothing should be held.

        Raises:
            KartError: the game has nothing of the kind.
        """
        raise KartError(f"{self.name} rescues nobody.")

    @property
    def rescues(self) -> bool:
        """Whether `rescue` does something."""
        return type(self).rescue is not Game.rescue

    @abstractmethod
    def send(self, action: Action) -> None:
        """Take an action: a real-time game obeys at once, a simulated one in the coming `next_frame`."""

    def obey(self, choice: Choice) -> None:
        """Take what a driver chose. A game that a person's own hands reach as well knows what of it to send."""
        self.send(choice.action)

    @abstractmethod
    def next_frame(self) -> Frame:
        """What is seen now: a real-time game looks, a simulated one moves on by one step first."""

    @abstractmethod
    def neutral(self) -> None:
        """Let go of all controls. May be called at any time after construction, and more than once."""

    @abstractmethod
    def close(self) -> None:
        """Release what the game holds; may be called more than once."""

    @abstractmethod
    def cruise(self) -> Action:
        """Straight ahead at a moderate pace: what the straight-ahead baseline does at every step."""

    def step(self, action: Action) -> Frame:
        """`send` and `next_frame` in one, for whoever needs no clock between them."""
        self.send(action)
        return self.next_frame()

    def picture(self) -> RGB | None:
        """The present moment drawn for a spectator, uint8 `(H, W, 3)`; None where the frame is all there is."""
        return None

    def expert(self) -> Autopilot:
        """A driver that knows this game's inside.

        Raises:
            KartError: the game has none.
        """
        raise KartError(f"{self.name} has no expert driver; drive it yourself or with a trained model.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
