"""Actions and their specs: validated, ordered, mirrored, serialised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError

SPEC = ActionSpec(
    axes=("steer", "pitch"),
    buttons=("A", "L", "R"),
    mirrored_axes=("steer",),
    mirrored_buttons=(("L", "R"),),
)
UNIT = st.floats(-1, 1, width=32)
ACTIONS = st.builds(
    Action, st.just(SPEC), st.tuples(UNIT, UNIT), st.tuples(st.booleans(), st.booleans(), st.booleans())
)


@given(ACTIONS)
def test_a_vector_holds_axes_then_buttons_and_gives_the_action_back(action: Action) -> None:
    assert SPEC.clipped(action.vector()) == action


@given(ACTIONS)
def test_mirroring_twice_changes_nothing(action: Action) -> None:
    vector = action.vector()
    np.testing.assert_array_equal(SPEC.mirror(SPEC.mirror(vector)), vector)


def test_mirroring_negates_steering_and_swaps_paired_buttons() -> None:
    vector = SPEC.action(steer=0.5, pitch=0.25, A=True, L=True).vector()
    np.testing.assert_array_equal(SPEC.mirror(vector), SPEC.action(steer=-0.5, pitch=0.25, A=True, R=True).vector())


def test_channels_that_are_not_named_stay_neutral() -> None:
    action = SPEC.action(steer=-1)
    assert action["steer"] == -1
    assert action["A"] is False
    assert SPEC.action() == SPEC.neutral()


def test_a_network_output_beyond_the_stick_is_clipped() -> None:
    assert SPEC.clipped([3.0, -7.0, 0.5, 0.49, 1.0]) == SPEC.action(steer=1, pitch=-1, A=True, R=True)


@pytest.mark.parametrize("values", [[0.0] * 4, [float("nan"), 0, 0, 0, 0], [0, float("inf"), 0, 0, 0]])
def test_a_network_output_that_is_no_action_is_refused(values: list[float]) -> None:
    with pytest.raises(KartError, match="Expected 5 finite values for steer, pitch, A, L, R"):
        SPEC.clipped(values)


@pytest.mark.parametrize("value", [1.001, -1.5, float("nan")])
def test_an_axis_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(KartError, match="Axis steer is"):
        SPEC.action(steer=value)


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(KartError, match="No channel handbrake"):
        SPEC.action(handbrake=1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"axes": ()}, "at least one"),
        ({"axes": ("steer", "steer")}, "twice"),
        ({"axes": ("../x",)}, "cannot name an axis"),
        ({"axes": ("steer",), "mirrored_axes": ("gas",)}, "not one of the axes"),
        ({"axes": ("steer",), "buttons": ("L", "R"), "mirrored_buttons": (("L", "X"),)}, "not one of the buttons"),
        ({"axes": ("steer",), "buttons": ("L", "R"), "mirrored_buttons": (("L", "R"), ("R", "L"))}, "pairs"),
    ],
)
def test_a_contradictory_spec_is_refused(fields: dict[str, tuple[str, ...]], sentence: str) -> None:
    with pytest.raises(KartError, match=sentence):
        ActionSpec(**fields)  # type: ignore[arg-type]


def test_a_spec_survives_json() -> None:
    assert ActionSpec.from_dict(SPEC.to_dict()) == SPEC
    with pytest.raises(KartError, match="Not an action spec"):
        ActionSpec.from_dict({"axes": ["steer"]})


@pytest.mark.parametrize("name", ["step", "actor", "row", "split", "label_steer", "executed_steer", "state_speed"])
def test_a_channel_cannot_be_named_like_a_column_that_tables_have_anyway(name: str) -> None:
    with pytest.raises(KartError, match="tables have such a column"):
        ActionSpec(("steer",), (name,))
