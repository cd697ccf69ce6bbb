"""A policy under a person's hands: who has the controls in this step, and what of it is to be learned from.

Human-gated corrections (HG-DAgger: Kelly et al., 2019, arXiv:1810.02890): the person, who sees the game, decides when
to take over and has the controls to themselves until they let go. What they do meanwhile is the label; what the policy
does never is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import Action, steering_channels
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Choice, Frame
from kart_pipeline.driving.drivers import POLICY, Driver

HUMAN, ASSISTED = "human", "assisted"  # who chose: a person; a policy that steers while a person does the rest

CALM_S = 1.0  # shorter than that hands rest between two turns of the wheel; longer, and the kart rolls on for nothing


@dataclass(frozen=True, slots=True)
class Hands:
    """What a person does at this moment.

    Attributes:
        action: in the game's channels.
        moved: any control is beyond its dead zone, also one that the game does not use.
        steers: one of those that steer is.
        back: the button that gives the controls back is pressed; it counts as no other input.
    """

    action: Action
    moved: bool
    steers: bool
    back: bool = False


ReadHands = Callable[[], Hands]  # now, without waiting


class Takeover:
    """A policy drives until a person moves a control, and again when they have let go of all for a while.

    The hands are read when the step is decided, not when its frame was made: so they have the controls in the very step
    in which they are felt. The policy goes on looking at every frame, so that it knows what was before when it drives
    again, and what it would have done can be shown.

    Args:
        policy: drives.
        hands: of the person.
        calm_s: how long hands rest before the policy drives again, seconds of the frames' clock.
        assist: the policy steers and the person does all the rest; moving what steers takes over that too.

    Attributes:
        advice: what the policy would do in the last step, whoever did it; None before the first.
        taken: the person has the controls.

    Raises:
        KartError: a time that is not above 0.
    """

    def __init__(self, policy: Driver, hands: ReadHands, *, calm_s: float = CALM_S, assist: bool = False) -> None:
        if not calm_s > 0:  # NaN fails this too
            raise KartError(f"The calm after which the model drives again is above 0 s, not {calm_s}.")
        self.name = policy.name
        self._policy = policy
        self._hands = hands
        self._calm_ns = calm_s * 1e9
        self._assist = assist
        self.reset()

    def reset(self) -> None:
        """A new drive begins; the policy has the controls."""
        self._policy.reset()
        self.advice: Action | None = None
        self.taken = False
        self._moved_ns = 0  # when hands moved last
        self._deaf = False  # they gave the controls back and have not rested since

    @property
    def seen(self) -> RGB | None:
        """The newest frame as the policy saw it, where it tells."""
        return getattr(self._policy, "seen", None)

    def act(self, frame: Frame) -> Choice:
        """The policy's choice, or the person's."""
        choice = self._policy.act(frame)
        self.advice = choice.action
        hands = self._hands()
        wants = self._wants(hands)
        if wants:
            self.taken, self._moved_ns = True, frame.t_ns
        elif hands.back or frame.t_ns - self._moved_ns >= self._calm_ns:
            self.taken = False
        if self.taken:
            # Hands that rest may have forgotten that they hold the controls: that teaches nothing.
            label = hands.action if wants else None
            return Choice(hands.action, HUMAN, label, intervention=True, by_hand=frozenset(hands.action.spec.names))
        return self._assisted(choice, hands) if self._assist else choice

    def _wants(self, hands: Hands) -> bool:
        """Whether the person wants the controls now: a button that gives them back outdoes what is still held."""
        felt = hands.steers if self._assist else hands.moved
        self._deaf = felt and (self._deaf or hands.back)
        return felt and not self._deaf

    def _assisted(self, choice: Choice, hands: Hands) -> Choice:
        """The policy's steering under the person's pedals; a choice that is no policy's, such as to let go, stands."""
        if choice.actor != POLICY:
            return choice
        spec = choice.action.spec
        steering = steering_channels(spec)
        mixed = {name: (choice.action if name in steering else hands.action)[name] for name in spec.names}
        return Choice(spec.action(**mixed), ASSISTED, by_hand=frozenset(spec.names) - steering)


class Shadow:
    """A person drives, and a policy says at every step what it would have done.

    Args:
        policy: watches.
        hands: of the person.

    Attributes:
        advice: what the policy would have done in the last step; None before the first.
        agreement: over the drive so far.
    """

    taken = True

    def __init__(self, policy: Driver, hands: ReadHands) -> None:
        self.name = f"person, watched by {policy.name}"
        self._policy = policy
        self._hands = hands
        self.reset()

    def reset(self) -> None:
        """A new drive begins."""
        self._policy.reset()
        self.advice: Action | None = None
        self.agreement = Agreement()

    def act(self, frame: Frame) -> Choice:
        """What the person does, which is also the label."""
        self.advice = self._policy.act(frame).action
        action = self._hands().action
        self.agreement.count(action, self.advice)
        return Choice(action, HUMAN, action, by_hand=frozenset(action.spec.names))


class Agreement:
    """How near what a policy would have done is to what a person did."""

    def __init__(self) -> None:
        self.steps = 0
        self._off: npt.NDArray[np.float64] | None = None

    def count(self, done: Action, advised: Action) -> None:
        """One more step."""
        off = np.abs(done.vector().astype(np.float64) - advised.vector())
        self._off = off if self._off is None else self._off + off
        self._spec = done.spec
        self.steps += 1

    def summary(self) -> dict[str, float]:
        """By channel: of an axis the mean absolute difference, of a button the share of steps in which it differs."""
        if self._off is None:
            return {}
        return {name: float(off / self.steps) for name, off in zip(self._spec.names, self._off, strict=True)}
