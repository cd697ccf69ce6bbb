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
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.datasets.labels import (
    PROGRESS,
    corrections,
    delayed_rows,
    direction_name,
    directions,
    label_shift_ms,
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
    built = label_table(table(t_ms, steer), CONTRACT.spec, delay_ms, 10, np.arange(len(steer)))
    return built.column("steer").to_pylist()


def test_without_delay_a_frame_has_the_label_of_its_own_step_and_nan_where_nobody_taught() -> None:
    np.testing.assert_array_equal(labels(0, [0, 100, 200], [0.5, None, 1.0]), [0.5, np.nan, 1.0])


def test_with_a_delay_a_frame_has_a_later_steps_label_and_the_last_frames_have_none() -> None:
    np.testing.assert_array_equal(
        labels(200, [0, 100, 200, 300, 400], [0.0, 0.25, 0.5, None, 1.0]), [0.5, np.nan, 1.0, np.nan, np.nan]
    )


def test_with_a_negative_delay_a_frame_has_an_earlier_steps_label_and_the_first_frames_have_none() -> None:
    np.testing.assert_array_equal(labels(-200, [0, 100, 200, 300], [0.0, 0.25, 0.5, 1.0]), [np.nan, np.nan, 0.0, 0.25])


def test_the_step_nearest_in_time_gives_the_label_not_the_one_so_many_rows_on() -> None:
    # a jittered clock, and two steps missing after 200 ms
    t_ms: list[float] = [0, 95, 210, 505, 600]
    np.testing.assert_array_equal(labels(100, t_ms, [0.0, 0.25, 0.5, 0.75, 1.0]), [0.25, 0.5, np.nan, 1.0, np.nan])


@given(
    gaps=st.lists(st.integers(1, 400), min_size=1, max_size=40),
    delay=st.floats(-500, 500).filter(lambda delay: abs(delay) >= 1),
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
            assert distances.min() >= 100 * MS or wanted > t_ns[-1] + 50 * MS or wanted < t_ns[0] - 50 * MS


# The session's own delay.


def session(delay_ms: float | None = None, kind: str = "screen", session_id: str = "s1") -> SessionHeader:
    source = {"kind": kind}
    return SessionHeader(
        id=session_id, game="g", rate_hz=10, spec=CONTRACT.spec, source=source, delay_ms=delay_ms, codec="png"
    )


def test_where_a_model_drives_what_was_recorded_the_sessions_delay_shifts_nothing() -> None:
    assert label_shift_ms(CONTRACT, session(80)) == label_shift_ms(CONTRACT, session()) == 0
    assert label_shift_ms(replace(CONTRACT, delay_ms=15), session(80)) == 15


@pytest.mark.parametrize(("measured", "shift"), [(80, -65), (15, 0), (0, 15)])
def test_a_delay_in_play_shifts_each_session_by_what_its_own_differs(measured: float, shift: float) -> None:
    assert label_shift_ms(replace(CONTRACT, play_delay_ms=15), session(measured)) == shift
    assert label_shift_ms(replace(CONTRACT, play_delay_ms=15, delay_ms=5), session(measured)) == shift + 5


def test_a_game_that_waits_for_its_driver_shows_an_action_one_step_later() -> None:
    assert label_shift_ms(replace(CONTRACT, play_delay_ms=100), session(kind="simulated")) == 0


def test_a_session_whose_delay_is_wanted_and_unknown_is_refused() -> None:
    with pytest.raises(KartError, match=r"delay of session s7 was not measured.*recorder calibrate"):
        label_shift_ms(replace(CONTRACT, play_delay_ms=15), session(session_id="s7"))


@given(
    # Whole steps of 100 ms, so that the nearest row is no question.
    recorded=st.integers(0, 6),
    played=st.integers(0, 6),
    thinking=st.integers(0, 3),
    hands=st.lists(st.integers(0, 1000), min_size=20, max_size=60),
)
def test_what_the_policy_does_shows_when_what_the_hands_did_showed(
    recorded: int, played: int, thinking: int, hands: list[int]
) -> None:
    """The rule itself: recorded with one delay, played with another and a policy that takes its time.

    In the recording the picture after row k shows what the hands did `recorded` rows before it. The policy sees the
    picture of row k, its answer is sent `thinking` rows later, and shows `played` rows after that.
    """
    contract = replace(CONTRACT, delay_ms=100 * thinking, play_delay_ms=100 * played)
    shift = label_shift_ms(contract, session(100 * recorded))
    t_ns = np.arange(len(hands)) * 100 * MS
    found = delayed_rows(t_ns, shift, rate_hz=10)
    for row, source in enumerate(found):
        shown_in_play = row + thinking + played
        shown_when_recorded = shown_in_play - recorded  # the row of the hands that showed at that moment
        assert source == (shown_when_recorded if 0 <= shown_when_recorded < len(hands) else -1)


@given(
    gaps=st.lists(st.integers(60, 140), min_size=2, max_size=40),
    delays=st.tuples(st.floats(0, 400), st.floats(0, 400)),
)
def test_sessions_of_two_delays_teach_the_same_moments_of_the_world(
    gaps: list[int], delays: tuple[float, float]
) -> None:
    """The same hands, seen on a quick and on a slow screen: their labels differ in time by what the screens do."""
    t_ns = np.cumsum(gaps) * MS
    contract = replace(CONTRACT, play_delay_ms=50)
    meant = [t_ns + round(label_shift_ms(contract, session(delay)) * MS) for delay in delays]
    assert np.abs((meant[0] - meant[1]) - (delays[1] - delays[0]) * MS).max() <= 1
    for delay, wanted in zip(delays, meant, strict=True):
        found = delayed_rows(t_ns, label_shift_ms(contract, session(delay)), rate_hz=10)
        kept = found >= 0
        assert (np.abs(t_ns[found[kept]] - wanted[kept]) < 100 * MS).all()


def test_rows_are_numbered_as_the_frames_that_were_kept_and_know_their_step() -> None:
    built = label_table(table([0, 100, 200, 300], [0.0, 0.1, 0.2, 0.3]), CONTRACT.spec, 0, 10, np.array([0, 2, 3]))
    assert built.column("row").to_pylist() == [0, 1, 2]
    assert built.column("step").to_pylist() == [0, 2, 3]
    np.testing.assert_allclose(built.column("steer"), [0.0, 0.2, 0.3], rtol=1e-6)
    assert built.column("state_speed").to_pylist() == [0, 2, 3]


def test_the_label_of_a_frame_that_was_left_out_still_serves_an_earlier_one() -> None:
    built = label_table(table([0, 100, 200], [0.0, 0.5, 1.0]), CONTRACT.spec, 100, 10, np.array([0, 2]))
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
