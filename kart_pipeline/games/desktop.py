"""Whatever is on the screen, as a game: a person drives it by themselves, or it obeys through a virtual pad or keys."""

from collections.abc import Callable
from dataclasses import dataclass

from kart_pipeline.core.action import Action, ActionSpec, roles
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, now_ns
from kart_pipeline.core.names import checked_id
from kart_pipeline.desktop.controllers.base import Controller
from kart_pipeline.desktop.mapping import PadMapping
from kart_pipeline.desktop.pad import AXES, PadState
from kart_pipeline.desktop.source import Source
from kart_pipeline.desktop.windows import CLOSED, Hidden
from kart_pipeline.games.base import Game

UNFOCUSED = "another window has the focus"

_MODERATE = 0.5  # of the throttle
_GONE_NS = 5_000_000_000  # a game that changes its resolution may open its window anew


@dataclass(frozen=True, slots=True)
class Output:
    """How the game is told what a driver does.

    Attributes:
        controller: is held; it stays the caller's to close.
        mapping: from the pad to the game's channels and back.
        person: how the person's own pad stands now, where there is one: whatever they move is passed on as it is.
        needs_focus: keys would reach another window if that had the focus, and some games hear no pad without it.
    """

    controller: Controller
    mapping: PadMapping
    person: Callable[[], PadState] | None = None
    needs_focus: bool = True


class DesktopGame(Game):
    """Shows the screen. Without an output it obeys nobody: what the person does reaches the game by itself.

    Nothing is sent while the game cannot be seen, or another window has the focus. It ends by itself only where it is
    told what to do, when its window has been closed for a while.

    Args:
        source: of the frames; closed with the game.
        name: of the game that is played there.
        track: of the course; "" where it is not said.
        spec: what the controls are in this game.
        rate_hz: how often to look.
        output: None only shows.

    Attributes:
        hidden: why the game cannot be seen now; meanwhile the last picture is shown again. None while it is seen.
        obstacle: why nothing can be sent now: it is hidden, or has no focus; None while it can.

    Raises:
        KartError: the name or the track is none, or the output's channels are not those of the game.
    """

    simulated = False
    score = 0.0  # nobody tells; it is not recorded

    def __init__(
        self, source: Source, name: str, track: str, spec: ActionSpec, rate_hz: float, output: Output | None = None
    ) -> None:
        self.name = checked_id(name, "game name")
        self.track = checked_id(track, "track") if track else ""
        self.group = ""  # a session of its own each time
        self.spec = spec
        self.rate_hz = rate_hz
        self.source = source
        self.output = output
        if output is not None and output.mapping.spec != spec:
            raise KartError(f"A mapping of {output.mapping.spec.names} does not suit {spec.names}.")
        self.hidden = self.obstacle = None
        self._closed_ns: int | None = None  # since when the window is
        self._last: Frame | None = None

    def reset(self, seed: int | None = None) -> Frame:  # noqa: ARG002 - as every game has it
        """The first look; `seed` chooses nothing here.

        Raises:
            KartError: there is nothing to see.
        """
        self._last = self._closed_ns = self.ended = None
        return self.next_frame()

    def send(self, action: Action) -> None:
        """Hold the controls so.

        Raises:
            KartError: the controller is gone.
        """
        if self.output is not None:
            self._apply(self.output, self.output.mapping.state(action))

    def obey(self, choice: Choice) -> None:
        """Hold the controls as the driver chose, those that the person moves as they themselves hold them."""
        output = self.output
        if output is None:
            return
        state = output.mapping.state(choice.action)
        if choice.by_hand and output.person is not None:
            state = passed_on(state, output.person(), output.mapping, choice.by_hand)
        self._apply(output, state)

    def _apply(self, output: Output, state: PadState) -> None:
        # Asked at the last moment: keys that were meant for the game must not be typed into what covers it now.
        if self.hidden is None and output.needs_focus:
            self.obstacle = None if self.source.focused() else UNFOCUSED
        if self.obstacle is None:
            output.controller.apply(state)
        else:
            output.controller.neutral()

    def next_frame(self) -> Frame:
        """What is seen now."""
        seen = self.source.grab()
        if isinstance(seen, Hidden):
            if self._last is None:
                raise KartError(f"There is nothing to see yet: {seen.reason}. Bring it on the screen first.")
            self.hidden = self.obstacle = seen.reason
            self._watch_closed(seen)
            return Frame(self._last.rgb, now_ns())
        if self.hidden is not None:
            self.hidden = self.obstacle = self._closed_ns = None
        self._last = Frame(seen.rgb, seen.t_ns)
        return self._last

    def _watch_closed(self, seen: Hidden) -> None:
        now = now_ns()
        self._closed_ns = (self._closed_ns or now) if seen.reason == CLOSED else None
        if self.output is not None and self._closed_ns is not None and now - self._closed_ns >= _GONE_NS:
            self.ended = CLOSED

    def neutral(self) -> None:
        """Let go of all that a driver holds."""
        if self.output is not None:
            self.output.controller.neutral()

    def close(self) -> None:
        """Let go, and look no more."""
        self.neutral()
        self.source.close()

    def cruise(self) -> Action:
        """Half throttle, where there is one."""
        _, drive = roles(self.spec)
        return self.spec.action(**{drive: _MODERATE}) if drive else self.spec.neutral()


def passed_on(driven: PadState, held: PadState, mapping: PadMapping, by_hand: frozenset[str]) -> PadState:
    """A person's pad, with the controls of those channels that they do not move as the driver has them.

    Args:
        driven: how the pad stands for the driver.
        held: how the person's does; all of it is passed on, also what is no channel of the game.
        mapping: says which control is which channel.
        by_hand: the person's channels.
    """
    others = {control for name in mapping.spec.names if name not in by_hand for control in mapping.controls(name)}
    if not others:
        return held
    axes = {name: (driven if name in others else held).value(name) for name in AXES}
    return PadState(axes, (held.buttons - others) | (driven.buttons & others))
