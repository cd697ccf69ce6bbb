"""From the standard pad to the channels of a game."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.mapping import DEAD_ZONE, AxisMap, PadMapping, Source, default_mapping
from kart_pipeline.desktop.pad import AXES, BUTTONS, PadState
from kart_pipeline.desktop.response import Response

CAR = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))
KART = ActionSpec(axes=("steer", "pitch"), buttons=("A", "B", "RB"), mirrored_axes=("steer",))
KEYS = ActionSpec(axes=(), buttons=("left", "right", "gas", "brake"), mirrored_buttons=(("left", "right"),))

STATES = st.builds(
    PadState,
    st.fixed_dictionaries({name: st.floats(0 if "trigger" in name else -1, 1) for name in AXES}),
    st.frozensets(st.sampled_from(BUTTONS)),
)


def test_the_left_stick_steers_and_the_triggers_drive_and_brake() -> None:
    action = default_mapping(CAR).action(PadState({"left_x": -1.0, "right_trigger": 1.0, "left_trigger": 0.25}))
    assert action == CAR.action(steer=-1.0, throttle=0.75)


def test_in_a_game_with_pitch_the_stick_pitches_and_buttons_go_by_their_names() -> None:
    state = PadState({"left_y": 1.0, "right_trigger": 1.0}, frozenset({"b", "rb", "x"}))
    assert default_mapping(KART).action(state) == KART.action(pitch=1.0, B=True, RB=True)


@pytest.mark.parametrize(
    "state",
    [PadState({"left_x": -0.7}, frozenset({"a"})), PadState({"right_trigger": 0.9}, frozenset({"dpad_left"}))],
)
def test_a_game_of_buttons_alone_is_steered_by_stick_or_d_pad(state: PadState) -> None:
    assert default_mapping(KEYS).action(state) == KEYS.action(left=True, gas=True)


def test_buttons_without_a_name_on_the_pad_get_the_free_ones() -> None:
    spec = ActionSpec(axes=("steer",), buttons=("B", "jump", "RB", "drift", "Z"))
    assert default_mapping(spec).about["mapping"] == {
        "steer": "left_x",
        "B": "b",
        "jump": "a",
        "RB": "rb",
        "drift": "x",
        "Z": "left_trigger",
    }


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (ActionSpec(axes=("steer",), buttons=tuple(f"b{i}" for i in range(9))), "no buttons left for b8 of the game"),
        (ActionSpec(axes=tuple(f"a{i}" for i in range(6))), "no axes left for a4, a5 of the game"),
    ],
)
def test_a_game_with_more_than_a_pad_has_is_refused(spec: ActionSpec, sentence: str) -> None:
    with pytest.raises(KartError, match=sentence):
        default_mapping(spec)


@given(STATES, st.sampled_from([CAR, KART, KEYS]))
def test_whatever_the_pad_does_is_an_action_of_the_game(state: PadState, spec: ActionSpec) -> None:
    action = default_mapping(spec).action(state)
    assert action.spec == spec


@st.composite
def specs(draw: st.DrawFn) -> ActionSpec:
    """Games of up to four axes and seven buttons, many of them with names that a pad's controls have too."""
    axes = draw(st.lists(st.sampled_from(["steer", "throttle", "pitch", "x", "roll", "yaw"]), max_size=4, unique=True))
    names = ["A", "a", "B", "gas", "brake", "left", "right", "up", "L", "lb", "Z", "select", "start", "jump", "drift"]
    buttons = draw(st.lists(st.sampled_from(names), min_size=not axes, max_size=7, unique=True))
    sides = (("left", "right"),) if {"left", "right"} <= set(buttons) else ()
    return ActionSpec(tuple(axes), tuple(buttons), tuple(axes[:1]), sides)


@given(specs(), st.data())
def test_a_virtual_pad_tells_the_game_what_was_meant(spec: ActionSpec, data: st.DataObject) -> None:
    mapping = default_mapping(spec)
    values = {name: data.draw(st.floats(-1, 1), name) for name in spec.axes}
    values |= {name: data.draw(st.booleans(), name) for name in spec.buttons}
    told = mapping.action(mapping.state(spec.action(**values)))
    assert told.buttons == spec.action(**values).buttons
    assert told.axes == pytest.approx(spec.action(**values).axes, abs=1e-9)


@given(st.floats(-1, 1), st.floats(0, 0.9), st.floats(0.2, 5), st.sampled_from(["left_x", "-left_x"]))
def test_dead_zone_and_curve_of_the_persons_pad_are_undone(value: float, dead: float, curve: float, way: str) -> None:
    mapping = PadMapping(ActionSpec(("steer",)), {"steer": AxisMap(Source.parse(way), dead, curve)}, {})
    told = mapping.action(mapping.state(mapping.spec.action(steer=value)))
    # of the sixteen digits that say where beyond the dead zone the stick is, a flat curve leaves few around the middle
    assert told["steer"] == pytest.approx(value, abs=max(1e-6, 1e-15**curve))


def test_what_is_set_for_the_virtual_pad_takes_the_place_of_the_persons_dead_zone() -> None:
    default = default_mapping(CAR)
    mapping = replace(default, output={"steer": Response(dead_zone=0.2, reach=0.7, inverted=True)})
    assert mapping.state(CAR.action(steer=0.5, throttle=-0.25)).axes == pytest.approx(
        {"left_x": -0.45, "left_trigger": 0.25}
    )
    assert mapping.about_output == {"steer": {"dead_zone": 0.2, "inverted": True, "reach": 0.7}}
    assert mapping.state(CAR.neutral()).axes == pytest.approx({"left_x": 0, "left_trigger": 0})


def test_a_button_is_pressed_by_its_first_source() -> None:
    assert default_mapping(KEYS).state(KEYS.action(left=True, gas=True)).buttons == {"dpad_left", "a"}
    mapping = PadMapping(ActionSpec((), ("drift",)), {}, {"drift": (Source.parse("-left_y"), Source("a"))})
    assert mapping.state(mapping.spec.action(drift=True)) == PadState({"left_y": -1.0})


def test_a_trigger_alone_has_nothing_below_its_rest() -> None:
    mapping = PadMapping(ActionSpec(("brake",)), {"brake": AxisMap(Source("left_trigger"))}, {})
    assert mapping.state(mapping.spec.action(brake=-0.5)) == PadState({"left_trigger": 0.0})


@pytest.mark.parametrize(
    ("spec", "taken"),
    [
        (ActionSpec(("steer", "throttle"), ("Z",)), {"steer": "left_x", "Z": "a"}),
        (ActionSpec((), ("gas", "A")), {"gas": "a or right_trigger or dpad_up", "A": "b"}),
        (ActionSpec((), ("L", "lb")), {"L": "lb", "lb": "a"}),
    ],
)
def test_no_control_has_two_meanings(spec: ActionSpec, taken: dict[str, str]) -> None:
    assert default_mapping(spec).about["mapping"].items() >= taken.items()


@given(st.floats(-1, 1), st.floats(0, 0.9), st.floats(0.2, 5))
def test_an_axis_is_odd_monotonous_and_covers_its_range(value: float, dead_zone: float, curve: float) -> None:
    axis = AxisMap(Source("left_x"), dead_zone, curve)

    def at(raw: float) -> float:
        return axis.value(PadState({"left_x": raw}))

    assert at(1.0) == 1.0
    assert at(-value) == -at(value)
    assert at(min(1.0, value + 0.01)) >= at(value)
    if abs(value) <= dead_zone:
        assert at(value) == 0.0


@given(st.floats(-1, 1))
def test_beyond_the_dead_zone_there_is_no_jump(value: float) -> None:
    axis = default_mapping(CAR).axes["steer"]
    near = axis.value(PadState({"left_x": value})) - axis.value(PadState({"left_x": max(-1.0, value - 1e-3)}))
    assert 0 <= near <= 1e-3 / (1 - DEAD_ZONE) + 1e-9


@pytest.mark.parametrize("text", ["left_x", "-left_y", "right_trigger - left_trigger", "dpad_right-dpad_left", "a"])
def test_a_source_reads_as_it_is_written(text: str) -> None:
    source = Source.parse(text)
    assert Source.parse(str(source)) == source


@pytest.mark.parametrize("text", ["", "-", "left", "left_x + right_x", "left_x - ", "a b", 3, None, ["a"]])
def test_what_is_no_control_is_refused(text: object) -> None:
    with pytest.raises(KartError, match="is no control of a pad"):
        Source.parse(text)


@pytest.mark.parametrize("settings", [{"dead_zone": 1.0}, {"dead_zone": float("nan")}, {"curve": 0.0}, {"curve": 99}])
def test_a_dead_zone_or_curve_that_leaves_nothing_is_refused(settings: dict) -> None:
    with pytest.raises(KartError):
        AxisMap(Source("left_x"), **settings)


@given(STATES)
def test_what_is_turned_round_is_the_opposite(state: PadState) -> None:
    for name in AXES:
        assert Source.parse(f"-{name}").value(state) == -Source.parse(name).value(state)
