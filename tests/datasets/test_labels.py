"""The label of a frame is what the teacher did, or will have done after the contract's delay."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.labels import (
    PROGRESS,
    corrections,
    delayed_rows,
    direction_name,
    directions,
    label_table,
    labelled,
    steering,
    vectors,
)
from kart_pipeline.games import base

CONTRACT = Contract(ActionSpec(("steer",), ("A",)), rate_hz=10)
MS = 1_000_000


def table(t_ms: list[float], steer: list[float | None]) -> pa.Table:
    count = len(steer)
    return pa.table(
        {
            "step": range(count),
            "t_ns": [round(t * MS) for t in t_ms],
            "steer": pa.array([0.0] * count, pa.float32()),
            "A": pa.array([True] * count),
            "label_steer": pa.array(steer, pa.float32()),
            "label_A": pa.array([None if value is None else True for value in steer], pa.bool_()),
            "actor": ["human"] * count,
            "intervention": [False] * count,
            "state_speed": [float(i) for i in range(count)],
        }
    )


def labels(delay_ms: float, t_ms: list[float], steer: list[float | None]) -> list[float]:
    contract = replace(CONTRACT, delay_ms=delay_ms)
    built = label_table(table(t_ms, steer), contract, 10, np.arange(len(steer)))
    return built.column("steer").to_pylist()


def test_without_delay_a_frame_has_the_label_of_its_own_step_and_nan_where_nobody_taught() -> None:
    np.testing.assert_array_equal(labels(0, [0, 100, 200], [0.5, None, 1.0]), [0.5, np.nan, 1.0])


def test_with_a_delay_a_frame_has_a_later_steps_label_and_the_last_frames_have_none() -> None:
    np.testing.assert_array_equal(
        labels(200, [0, 100, 200, 300, 400], [0.0, 0.25, 0.5, None, 1.0]), [0.5, np.nan, 1.0, np.nan, np.nan]
    )


def test_the_step_nearest_in_time_gives_the_label_not_the_one_so_many_rows_on() -> None:
    # a jittered clock, and two steps missing after 200 ms
    t_ms: list[float] = [0, 95, 210, 505, 600]
    np.testing.assert_array_equal(labels(100, t_ms, [0.0, 0.25, 0.5, 0.75, 1.0]), [0.25, 0.5, np.nan, 1.0, np.nan])


@given(
    gaps=st.lists(st.integers(1, 400), min_size=1, max_size=40),
    delay=st.floats(1, 500),
)
def test_a_delayed_row_is_the_nearest_of_all_and_less_than_a_period_off(gaps: list[int], delay: float) -> None:
    t_ns = np.cumsum(gaps) * MS
    found = delayed_rows(t_ns, delay, rate_hz=10)
    for row, source in enumerate(found):
        wanted = t_ns[row] + round(delay * MS)
        distances = np.abs(t_ns - wanted)
        if source >= 0:
            assert distances[source] == distances.min() < 100 * MS
        else:
            assert distances.min() >= 100 * MS or wanted > t_ns[-1] + 50 * MS


def test_rows_are_numbered_as_the_frames_that_were_kept_and_know_their_step() -> None:
    built = label_table(table([0, 100, 200, 300], [0.0, 0.1, 0.2, 0.3]), CONTRACT, 10, np.array([0, 2, 3]))
    assert built.column("row").to_pylist() == [0, 1, 2]
    assert built.column("step").to_pylist() == [0, 2, 3]
    np.testing.assert_allclose(built.column("steer"), [0.0, 0.2, 0.3], rtol=1e-6)
    assert built.column("state_speed").to_pylist() == [0, 2, 3]


def test_the_label_of_a_frame_that_was_left_out_still_serves_an_earlier_one() -> None:
    contract = replace(CONTRACT, delay_ms=100)
    built = label_table(table([0, 100, 200], [0.0, 0.5, 1.0]), contract, 10, np.array([0, 2]))
    np.testing.assert_array_equal(built.column("steer"), [0.5, np.nan])


def test_a_clock_that_runs_backwards_is_refused_where_a_delay_needs_it() -> None:
    with pytest.raises(KartError, match="backwards at step 2"):
        labels(100, [0, 100, 50], [0.0, 0.5, 1.0])
    assert labels(0, [0, 100, 50], [0.0, 0.5, 1.0]) == [0.0, 0.5, 1.0]


def test_buttons_become_zero_and_one_and_nulls_nan() -> None:
    read = vectors(table([0, 100], [0.5, None]), ["label_steer", "label_A", "A"])
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, [[0.5, 1, 1], [np.nan, np.nan, 1]])
    np.testing.assert_array_equal(labelled(read), [True, False])


@pytest.mark.parametrize(
    ("spec", "axis"),
    [
        (ActionSpec(("throttle", "steer"), mirrored_axes=("steer",)), "steer"),
        (ActionSpec(("x", "y")), "x"),
        (ActionSpec((), ("left", "right")), None),
    ],
)
def test_the_axis_that_steers_is_the_mirrored_one_else_the_first(spec: ActionSpec, axis: str | None) -> None:
    assert steering(spec) == axis


@pytest.mark.parametrize(
    ("spec", "name", "right"),
    [
        (ActionSpec(("pitch", "steer"), mirrored_axes=("steer",)), "steer", [-0.5, 1.0, 0.25]),
        (ActionSpec(("pitch", "steer")), "pitch", [1.0, 0.0, 0.0]),
        (ActionSpec(("pitch",), ("L", "R"), mirrored_buttons=(("L", "R"),)), "L / R", [-1.0, 1.0, 0.0]),
        (ActionSpec((), ("L", "R", "A"), mirrored_buttons=(("R", "L"),)), "R / L", [1.0, -1.0, 0.0]),
    ],
)
def test_a_direction_is_that_of_the_axis_or_of_the_buttons_that_a_mirror_changes(
    spec: ActionSpec, name: str, right: list[float]
) -> None:
    values = {"pitch": [1, 0, 0], "steer": [-0.5, 1, 0.25], "L": [1, 0, 1], "R": [0, 1, 1], "A": [1, 1, 1]}
    told = directions(np.float32([values[channel] for channel in spec.names]).T, spec)
    assert told is not None
    assert told.tolist() == right
    assert direction_name(spec) == name


def test_buttons_of_which_no_mirror_is_known_tell_no_direction() -> None:
    spec = ActionSpec((), ("A", "B"))
    assert directions(np.zeros((3, 2), np.float32), spec) is None
    assert direction_name(spec) == ""


def test_a_correction_is_where_a_policy_acts_under_a_teacher_or_a_teacher_takes_over() -> None:
    rows = pa.table(
        {
            "actor": ["human", "expert", "policy", "human", "constant"],
            "intervention": [False, False, False, True, False],
        }
    )
    assert corrections(rows).tolist() == [False, False, True, True, False]


def test_progress_is_what_games_call_it() -> None:
    assert f"state_{base.PROGRESS}" == PROGRESS
