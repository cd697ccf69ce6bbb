"""An expert by search: it tries out what it could do in a game that can be put back, and does what led farthest.

The idea is NeuralKart's (Varun and Overholt, 2017, github.com/rameshvarun/NeuralKart): from a saved state a fan of
steers is held for a while each, and who then is farthest and fastest was right. Here the fan opens again and again from
the best so far (a beam search), and its actions are the game's own, so that a label is what would be played.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kart_pipeline.core.action import Action, ActionSpec, roles
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Frame
from kart_pipeline.games.base import COLLISION, FINISHED, OFF_TRACK, PROGRESS, SPEED


class Searchable(Protocol):
    """A game that can be put back to where it was; any `Game` that also has these methods.

    Attributes:
        name, spec, rate_hz, ended: as of `Game`.
    """

    name: str
    spec: ActionSpec
    rate_hz: float
    ended: str | None

    def save(self) -> Any:
        """The present state, to come back to any number of times until it is forgotten."""

    def load(self, state: Any) -> None:
        """Go back to a state."""

    def forget(self, state: Any) -> None:
        """A state is not needed any more."""

    def hurry(self, on: bool) -> None:
        """As fast as can be, with neither sound nor picture, while a search is on; then as before."""

    def advance(self, action: Action, steps: int) -> Mapping[str, float]:
        """Hold `action` for so many steps, or until the game ends.

        Returns:
            What the game tells then, as `Frame.state`; `progress` is needed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a search tries and what it values.

    Attributes:
        fan: the actions that are tried; the first wins where several are worth the same.
        coast: what is held after the last of them, while it is looked what they led to.
        hold_s: how long each is held, in seconds of game time; also how long the one that was found is driven.
        coast_s: how long `coast` is held.
        depth: how often the fan is opened, one after the other.
        width: how many of the best are followed from each opening to the next.
        speed: what one of the game's units of speed is worth at the end, as a share of the race; nothing where the race
            is no farther then than before: a fast way back is none.
        off_track: what it costs to be off the road at the end of a hold, likewise.
        hit: what it costs to touch something then.
        change: what it costs to turn the wheel by its whole half in between.

    Raises:
        KartError: nothing to try, or a number that makes no search.
    """

    fan: tuple[Action, ...]
    coast: Action
    hold_s: float = 0.5
    coast_s: float = 1.0
    depth: int = 1
    width: int = 1
    speed: float = 0.0
    off_track: float = 0.0
    hit: float = 0.0
    change: float = 0.0

    def __post_init__(self) -> None:
        if not self.fan or self.depth < 1 or self.width < 1 or not self.hold_s > 0 or not self.coast_s >= 0:
            raise KartError(
                "A search needs actions to try, a depth and a width of at least 1, and a time above 0 to hold each; "
                f"got {len(self.fan)} actions, depth {self.depth}, width {self.width}, hold_s {self.hold_s}, "
                f"coast_s {self.coast_s}."
            )


def fan(spec: ActionSpec, steers: int, drives: Sequence[float] = (), held: Sequence[str] = ()) -> tuple[Action, ...]:
    """Steers from full left to full right, evenly spaced, each with every setting of the axis that drives.

    Args:
        spec: of the game. It is steered with the axis that `roles` names, or with the first pair of buttons that a
            mirrored picture swaps, which makes three steers.
        steers: how many, odd, so that straight ahead is one of them; the nearer to it, the earlier in the fan.
        drives: settings of the axis that drives; none leaves it neutral.
        held: buttons that are down in all of them, such as the gas.

    Raises:
        KartError: the game has nothing to steer or to drive with, lacks a button, or `steers` is not odd.
    """
    steer, drive = roles(spec)
    if drives and drive is None:
        raise KartError(f"A fan with {len(drives)} settings of the gas needs an axis for it; there are {spec.names}.")
    if steers < 1 or steers % 2 == 0:
        raise KartError(f"A fan has an odd number of steers, so that straight ahead is one of them; not {steers}.")
    half = steers // 2
    if steer is not None:
        turns = [{steer: way * step / half} for step in range(1, half + 1) for way in (-1, 1)]
    elif spec.mirrored_buttons:
        turns = [{name: True} for name in spec.mirrored_buttons[0]]
    else:
        raise KartError(f"A fan of steers needs an axis, or a left and a right button; there are {spec.names}.")
    always = dict.fromkeys(held, True)
    pushes = [{drive: push} for push in drives] if drive else []
    return tuple(spec.action(**always, **turn, **push) for turn in ({}, *turns) for push in pushes or [{}])


def _turn(action: Action) -> float:
    """How far the wheel is turned, -1 to 1; 0 where nothing steers."""
    spec = action.spec
    steer, _ = roles(spec)
    if steer is not None:
        return float(action[steer])
    left, right = spec.mirrored_buttons[0] if spec.mirrored_buttons else (None, None)
    return float(action[right]) - float(action[left]) if left and right else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """Actions, where they lead, and what they cost and are worth; `state` is None where nothing can follow."""

    state: Any
    actions: tuple[Action, ...]
    costs: float
    worth: float


class Search:
    """Looks for what to do in a game.

    Args:
        game: is left as it was found.
        plan: how to look.
    """

    def __init__(self, game: Searchable, plan: Plan) -> None:
        self._game = game
        self._plan = plan
        self._hold = max(1, round(plan.hold_s * game.rate_hz))
        self._coast = round(plan.coast_s * game.rate_hz)
        self._kept: list[Any] = []

    def best(self, told: Mapping[str, float], last: Action | None = None) -> Action:
        """What to do now.

        Args:
            told: what the game tells now.
            last: what was done before, from which turning the wheel costs; None costs nothing.

        Raises:
            KartError: the game does not tell how far the race is.
        """
        if PROGRESS not in told:
            raise KartError(f"{self._game.name} does not tell how far the race is, so there is nothing to search by.")
        root = self._save()
        ways = [_Way(root, (), 0.0, 0.0)]
        self._game.hurry(True)
        try:
            for left in reversed(range(self._plan.depth)):
                ways = self._opened(ways, told[PROGRESS], last, left)
                self._forget(ways[self._plan.width :])
                ways = ways[: self._plan.width]
            return ways[0].actions[0]
        finally:
            self._game.load(root)
            for state in self._kept:  # also those of a search that was broken off
                self._game.forget(state)
            self._kept.clear()
            self._game.hurry(False)

    def _opened(self, ways: Sequence[_Way], begun: float, last: Action | None, left: int) -> list[_Way]:
        """All ways that lead on from `ways` by one more action, the best first; so many more will follow."""
        found = [way for way in ways if way.state is None]
        for way in ways:
            if way.state is not None:
                for action in self._plan.fan:
                    self._game.load(way.state)
                    found.append(self._tried(way, action, begun, last, left))
        self._forget(way for way in ways if way.actions)  # the root is still needed
        return sorted(found, key=lambda way: -way.worth)  # stable: of equals the first in the fan stays first

    def _tried(self, way: _Way, action: Action, begun: float, last: Action | None, left: int) -> _Way:
        plan, game = self._plan, self._game
        told = game.advance(action, self._hold)
        costs = way.costs + plan.off_track * (told.get(OFF_TRACK, 0.0) > 0) + plan.hit * (told.get(COLLISION, 0.0) > 0)
        before = way.actions[-1] if way.actions else last
        if before is not None:
            costs += plan.change * abs(_turn(action) - _turn(before))
        if not left and self._coast and game.ended is None:
            told = game.advance(plan.coast, self._coast)
        worth = told[PROGRESS] - begun - costs + (1 + left if game.ended == FINISHED else 0)  # the sooner the better
        if told[PROGRESS] > begun:
            worth += plan.speed * told.get(SPEED, 0.0)
        state = None if not left or game.ended is not None else self._save()
        return _Way(state, (*way.actions, action), costs, worth)

    def _save(self) -> Any:
        state = self._game.save()
        self._kept.append(state)
        return state

    def _forget(self, ways: Iterable[_Way]) -> None:
        for way in ways:
            if way.state is not None:
                self._kept = [state for state in self._kept if state is not way.state]
                self._game.forget(way.state)


class SearchExpert:
    """A search as a game's expert: looks anew after each hold, and drives on meanwhile with what it found.

    Args:
        game: what is driven.
        plan: how to look.
        every_s: how long what was found is taken for right, in seconds of game time; None is as long as it is held. A
            teacher whose pupil drives, and may soon be elsewhere, should look oftener.
    """

    def __init__(self, game: Searchable, plan: Plan, every_s: float | None = None) -> None:
        self._search = Search(game, plan)
        self._every_ns = (plan.hold_s if every_s is None else every_s) * 1e9
        self.reset()

    def reset(self) -> None:
        """A new drive begins."""
        self._found: Action | None = None
        self._since_ns = 0

    def action(self, frame: Frame) -> Action:
        """What the search found, if that is not too long ago; else what it finds now."""
        # A frame's time may be a hair short of the wanted one.
        if self._found is None or frame.t_ns - self._since_ns >= self._every_ns - 1e6:
            self._found, self._since_ns = self._search.best(frame.state, self._found), frame.t_ns
        return self._found
