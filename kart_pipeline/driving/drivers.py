"""Whoever chooses the actions and is no person: constants, experts, disturbed experts, corrected policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.games.base import Autopilot, Game

POLICY = "policy"  # who chose: a trained model

DRIVERS = ("expert", "noisy-expert", "straight-ahead")  # those that need neither a person nor a model


class Driver(Protocol):
    """Chooses what to do on seeing a frame.

    Attributes:
        name: for scorecards.
    """

    name: str

    def reset(self) -> None:
        """A new drive begins; called after the game's reset."""

    def act(self, frame: Frame) -> Choice:
        """Decide on `frame`; called once a tick."""


class Constant:
    """Does the same at every step: the baseline that any model must beat."""

    def __init__(self, action: Action, name: str = "constant") -> None:
        self.name = name
        self._choice = Choice(action, "constant")

    def reset(self) -> None:
        """Nothing to forget."""

    def act(self, frame: Frame) -> Choice:  # noqa: ARG002 - it drives blind
        """The same again."""
        return self._choice


class Expert:
    """A game's own expert as a driver; what it does is the label."""

    def __init__(self, autopilot: Autopilot, name: str = "expert") -> None:
        self.name = name
        self._autopilot = autopilot

    def reset(self) -> None:
        """A new drive begins."""
        self._autopilot.reset()

    def act(self, frame: Frame) -> Choice:
        """What the expert does here."""
        action = self._autopilot.action(frame)
        return Choice(action, "expert", label=action)


class Noisy:
    """A driver whose hands are knocked now and then, while the label stays what a teacher wants.

    A policy that only saw perfect driving has never seen the way back to the road. Noise on the teacher's controls
    shows it (DART: Laskey et al., 2017, arXiv:1703.09327). Each knock is a triangle that rises and falls again, as in
    Codevilla et al., 2018 (arXiv:1710.02410): lasting long enough to leave the line, unlike independent noise, which
    averages out.

    Args:
        driver: an expert, which labels what it does itself, or a policy, which has no labels to give.
        strength: by channel, the greatest peak of a knock; peaks are drawn evenly from half of it to all of it, and to
            either side. A button is pressed, or let go of, while the push is half its travel or more; buttons that
            change places in a mirrored picture are pushed to opposite sides, as one wheel.
        gap_s: mean pause between two knocks, in seconds of game time; pauses are exponentially distributed.
        length_s: shortest and longest knock, in seconds of game time.
        seed: of the random numbers. They run on from drive to drive.
        name: for scorecards.

    Raises:
        KartError: a length or pause that is not above 0, or, when driving, a channel that the game lacks.
    """

    def __init__(
        self,
        driver: Driver,
        strength: Mapping[str, float],
        *,
        gap_s: float = 2.0,
        length_s: tuple[float, float] = (0.3, 0.8),
        seed: int = 0,
        name: str = "noisy",
    ) -> None:
        if not (gap_s > 0 and 0 < length_s[0] <= length_s[1]):
            raise KartError(
                f"Noise needs a pause above 0 s and a growing range of lengths, not {gap_s} and {length_s}."
            )
        self.name = name
        self._driver = driver
        self._strength = dict(strength)
        self._gap_s = gap_s
        self._length_s = length_s
        self._random = np.random.default_rng(seed)

    def reset(self) -> None:
        """A new drive begins, with a pause first."""
        self._driver.reset()
        self._knock: _Knock | None = None

    def act(self, frame: Frame) -> Choice:
        """The driver's choice, knocked; its label untouched, and none where it has none."""
        choice = self._driver.act(frame)
        now_s = frame.t_ns / 1e9
        if self._knock is None or now_s >= self._knock.end_s:
            self._knock = self._next(now_s, choice.action.spec)
        if now_s <= self._knock.begin_s:
            return choice
        push = self._knock.push(now_s)
        spec = choice.action.spec
        action = spec.clipped(choice.action.vector() + [push.get(name, 0.0) for name in spec.names])
        return Choice(action, choice.actor, choice.label, choice.intervention)

    def _next(self, now_s: float, spec: ActionSpec) -> "_Knock":
        if not self._strength.keys() <= set(spec.names):
            raise KartError(
                f"Noise is wanted on {', '.join(self._strength)}; the channels are {', '.join(spec.names)}."
            )
        begin_s = now_s + self._random.exponential(self._gap_s)
        peaks = {
            name: strength * self._random.uniform(0.5, 1.0) * self._random.choice((-1.0, 1.0))
            for name, strength in self._strength.items()
        }
        for left, right in spec.mirrored_buttons:
            if left in peaks and right in peaks:
                peaks[right] = -peaks[left]
        return _Knock(begin_s, begin_s + self._random.uniform(*self._length_s), peaks)


@dataclass(frozen=True, slots=True)
class _Knock:
    begin_s: float
    end_s: float
    peaks: Mapping[str, float]

    def push(self, now_s: float) -> dict[str, float]:
        """By channel: 0 at both ends, the peak in the middle."""
        height = 1 - abs(2 * (now_s - self.begin_s) / (self.end_s - self.begin_s) - 1)
        return {name: peak * height for name, peak in self.peaks.items()}


class Corrected:
    """A policy acts and a teacher says what would have been right (DAgger: Ross et al., 2011, arXiv:1011.0686)."""

    def __init__(self, policy: Driver, teacher: Driver) -> None:
        self.name = f"{policy.name} corrected by {teacher.name}"
        self._policy = policy
        self._teacher = teacher

    def reset(self) -> None:
        """A new drive begins for both."""
        self._policy.reset()
        self._teacher.reset()

    def act(self, frame: Frame) -> Choice:
        """The policy's action under the teacher's label."""
        choice = self._policy.act(frame)
        return Choice(choice.action, choice.actor, label=self._teacher.act(frame).action)


def make_driver(name: str, game: Game, *, seed: int = 0) -> Driver:
    """A driver of `DRIVERS` for `game`; `seed` is that of its noise, if it makes any.

    Raises:
        KartError: an unknown name, or the game has no expert and this driver needs one.
    """
    if name not in DRIVERS:
        raise KartError(f"There is no driver {name!r}; the drivers are: {', '.join(DRIVERS)}.")
    if name == "straight-ahead":
        return Constant(game.cruise(), name)
    expert = Expert(game.expert())
    if name == "expert":
        return expert
    return Noisy(expert, knocks(game.spec, 0.8), seed=seed, name=name)


def has_expert(game: Game) -> bool:
    """Whether somebody knows this game's inside."""
    try:
        game.expert()
    except KartError:  # it says that there is none
        return False
    return True


def knocks(spec: ActionSpec, scale: float) -> dict[str, float]:
    """Noise for a whole pad: `scale` of the travel on the steering, half of that on every other axis.

    Knocks on the steering alone show the way back to the road, but not what to do when too fast for a corner. Buttons
    are knocked only where no axis steers, all alike: by half their travel, at which they begin to give way, and `scale`
    of the other half.
    """
    axes = {axis: scale if axis in spec.mirrored_axes else scale / 2 for axis in spec.axes}
    return axes if spec.mirrored_axes else axes | dict.fromkeys(spec.buttons, (1 + scale) / 2)
