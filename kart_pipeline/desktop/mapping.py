"""Between the standard pad and the channels of a game, both ways: which control is which, as data."""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kart_pipeline.core.action import Action, ActionSpec, roles
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.pad import AXES, BUTTONS, STICKS, TRIGGERS, PadState, clamped
from kart_pipeline.desktop.response import Response

DEAD_ZONE = 0.06  # of the stick's way: worn sticks rest up to there, and zero must stay zero in the labels
_PRESSED = 0.5  # from there on an axis counts as a button
_SOURCE = re.compile(r"\s*(?:(?P<plus>\w+)\s*)?(?:-\s*(?P<minus>\w+)\s*)?")

_FREE_AXES = ("right_x", "right_y")
_FREE_BUTTONS = ("a", "b", "x", "y", "rb", "lb", "ls", "rs")
# What games call their buttons; Z is where adapters put the one below an N64 pad.
_BUTTON_NAMES: Mapping[str, str] = {
    **{name: name for name in BUTTONS},
    **{name: f"dpad_{name}" for name in ("up", "down", "left", "right")},
    "r": "rb",
    "l": "lb",
    "z": "left_trigger",
    "select": "back",
}
_DRIVING = {"gas": ("a", "right_trigger", "dpad_up"), "brake": ("b", "left_trigger", "dpad_down")}


@dataclass(frozen=True, slots=True)
class Source:
    """A value of the pad: one control, one turned round, or one less another.

    Attributes:
        plus, minus: names of axes or buttons, one of them may be "".
    """

    plus: str
    minus: str = ""

    @classmethod
    def parse(cls, text: Any) -> "Source":
        """From `left_x`, `-left_y`, `right_trigger - left_trigger`, `a`.

        Raises:
            KartError: it is none of these.
        """
        match = _SOURCE.fullmatch(text) if isinstance(text, str) else None
        source = cls(match["plus"] or "", match["minus"] or "") if match else cls("")
        named = [name for name in (source.plus, source.minus) if name]
        if not named or any(name not in AXES + BUTTONS for name in named):
            raise KartError(
                f"{text!r} is no control of a pad: write one of {', '.join(AXES + BUTTONS)}, with a minus before it to "
                "turn it round, or one less another."
            )
        return source

    def value(self, state: PadState) -> float:
        """In [-1, 1]."""
        plus = state.value(self.plus) if self.plus else 0.0
        return clamped(plus - state.value(self.minus)) if self.minus else plus

    def hold(self, value: float) -> dict[str, float]:
        """How far which control has to be moved so that `value` in [-1, 1] comes out; a trigger alone has no minus."""
        if self.plus and (value > 0 or not self.minus):
            return {self.plus: value}
        return {self.minus: -value}

    @property
    def is_stick(self) -> bool:
        """Whether it may rest beside its middle."""
        return self.plus in STICKS or self.minus in STICKS

    def __str__(self) -> str:
        return f"{self.plus} - {self.minus}" if self.plus and self.minus else self.plus or f"-{self.minus}"


@dataclass(frozen=True, slots=True)
class AxisMap:
    """How an axis of the game comes about.

    Attributes:
        source: of the value.
        dead_zone: share of the way around the middle that counts as 0; the rest is stretched to the full range.
        curve: exponent: 1 is straight, above 1 is finer around the middle.

    Raises:
        KartError: a dead zone or curve that leaves nothing of the axis.
    """

    source: Source
    dead_zone: float = 0.0
    curve: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.dead_zone < 1:
            raise KartError(f"A dead zone is at least 0 and below 1, not {self.dead_zone}.")
        if not 0.1 <= self.curve <= 10:
            raise KartError(f"A curve is an exponent from 0.1 to 10, not {self.curve}.")

    def value(self, state: PadState) -> float:
        """In [-1, 1]."""
        raw = self.source.value(state)
        beyond = max(0.0, abs(raw) - self.dead_zone) / (1 - self.dead_zone)
        return math.copysign(min(1.0, beyond) ** self.curve, raw) if beyond else 0.0

    @property
    def response(self) -> Response:
        """What a virtual pad has to do so that this comes out, for it is what the person's pad did."""
        return Response(self.dead_zone, 1 / self.curve)


@dataclass(frozen=True, slots=True)
class PadMapping:
    """Where every channel of a game comes from.

    Attributes:
        spec: of the game.
        axes: by channel.
        buttons: by channel, the sources of which any presses it.
        output: by axis, how a virtual pad brings its values about, where not as the person's pad did.
    """

    spec: ActionSpec
    axes: Mapping[str, AxisMap]
    buttons: Mapping[str, Sequence[Source]]
    output: Mapping[str, Response] = field(default_factory=dict)

    def action(self, state: PadState) -> Action:
        """What the game is told."""
        values: dict[str, float] = {name: axis.value(state) for name, axis in self.axes.items()}
        pressed = {
            name: any(source.value(state) > _PRESSED for source in sources) for name, sources in self.buttons.items()
        }
        return self.spec.action(**values, **pressed)

    def state(self, action: Action) -> PadState:
        """How a virtual pad has to stand so that the game is told `action`; a button is pressed by its first source.

        As far as the pad can: a trigger alone has nothing below 0, and one control cannot stand in two ways at once.
        """
        moved: dict[str, float] = {}
        for name, axis in self.axes.items():
            response = self.output.get(name, axis.response)
            moved |= axis.source.hold(response.deflection(float(action[name])))
        for name, sources in self.buttons.items():
            if action[name]:
                moved |= sources[0].hold(1.0)
        axes = {name: max(0.0, value) if name in TRIGGERS else value for name, value in moved.items() if name in AXES}
        return PadState(axes, frozenset(name for name, value in moved.items() if name in BUTTONS and value > _PRESSED))

    def controls(self, channel: str) -> frozenset[str]:
        """The controls of the pad that a channel of the game comes from."""
        sources = [self.axes[channel].source] if channel in self.axes else self.buttons[channel]
        return frozenset(_controls(sources))

    @property
    def about(self) -> dict[str, Any]:
        """For the manifest: the source of each channel in words, dead zones and curves where there are any."""
        buttons = {name: " or ".join(map(str, sources)) for name, sources in self.buttons.items()}
        about: dict[str, Any] = {"mapping": {name: str(axis.source) for name, axis in self.axes.items()} | buttons}
        about["dead_zone"] = {name: axis.dead_zone for name, axis in self.axes.items() if axis.dead_zone}
        about["curve"] = {name: axis.curve for name, axis in self.axes.items() if axis.curve != 1}
        return {key: value for key, value in about.items() if value}

    @property
    def about_output(self) -> dict[str, Any]:
        """For the manifest of a drive: how a virtual pad brings values about, where not as the person's pad did."""
        return {name: response.about for name, response in self.output.items()}


def default_mapping(spec: ActionSpec, without: Collection[str] = ()) -> PadMapping:
    """The left stick steers; the triggers drive and brake, or the stick pitches; buttons go by their names.

    A button whose name no pad has gets the next free one. A game of buttons alone is steered with stick and d-pad.

    Args:
        spec: of the game.
        without: channels that are left out.

    Raises:
        KartError: the game has more channels than a pad.
    """
    axes = {name: axis_map(source) for name, source in _axis_sources(spec, without).items()}
    return PadMapping(spec, axes, _button_sources(spec, without, _controls(axis.source for axis in axes.values())))


def axis_map(source: Source, dead_zone: float | None = None, curve: float = 1.0) -> AxisMap:
    """With the dead zone that a stick needs, where none is given."""
    usual = DEAD_ZONE if source.is_stick else 0.0
    return AxisMap(source, usual if dead_zone is None else dead_zone, curve)


def _axis_sources(spec: ActionSpec, without: Collection[str]) -> dict[str, Source]:
    steer, drive = roles(spec)
    found: dict[str, Source] = {}
    if steer:
        found[steer] = Source("left_x")
    if drive:
        found[drive] = Source("left_y") if drive == "pitch" else Source("right_trigger", "left_trigger")
    others = [name for name in spec.axes if name not in found and name not in without]
    if len(others) > len(_FREE_AXES):
        raise _too_few("axes", others[len(_FREE_AXES) :])
    found |= {name: Source(axis) for name, axis in zip(others, _FREE_AXES, strict=False)}
    return {name: source for name, source in found.items() if name not in without}


def _controls(sources: Iterable[Source]) -> set[str]:
    return {name for source in sources for name in (source.plus, source.minus) if name}


def _button_sources(
    spec: ActionSpec, without: Collection[str], taken: Collection[str]
) -> dict[str, tuple[Source, ...]]:
    found: dict[str, tuple[Source, ...]] = {}
    if not spec.axes:
        for left, right in spec.mirrored_buttons[:1]:
            found[left] = (Source("dpad_left"), Source("", "left_x"))
            found[right] = (Source("dpad_right"), Source("left_x"))
        found |= {name: tuple(map(Source, _DRIVING[name])) for name in spec.buttons if name in _DRIVING}
    found = {name: sources for name, sources in found.items() if name not in without}
    taken = {*taken, *_controls(source for sources in found.values() for source in sources)}
    for name in spec.buttons:
        control = _BUTTON_NAMES.get(name.lower())
        if control and control not in taken and name not in found and name not in without:
            found[name] = (Source(control),)
            taken.add(control)
    free = [name for name in _FREE_BUTTONS if name not in taken]
    others = [name for name in spec.buttons if name not in found and name not in without]
    if len(others) > len(free):
        raise _too_few("buttons", others[len(free) :])
    return found | {name: (Source(button),) for name, button in zip(others, free, strict=False)}


def _too_few(what: str, names: Sequence[str]) -> KartError:
    return KartError(
        f"A gamepad has no {what} left for {', '.join(names)} of the game; say in pads.toml what they are to be."
    )
