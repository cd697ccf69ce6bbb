"""Samples along a drive."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.drivers import Constant, make_driver
from kart_pipeline.driving.loop import drive
from kart_pipeline.driving.scoring import score
from kart_pipeline.driving.tally import Tally
from kart_pipeline.driving.trace import COLUMNS, Tracer, direction, read_traces, write_traces
from kart_pipeline.games.base import OFF_TRACK, PROGRESS, SPEED, X, Y
from kart_pipeline.games.registry import make_game

SPEC = ActionSpec(axes=("steer",), mirrored_axes=("steer",))


def step(index: int, steer: float = 0.0, label: float | None = None, hz: float = 50.0, **state: float) -> Step:
    frame = Frame(np.zeros((1, 1, 3), np.uint8), round(index * 1e9 / hz), state)
    taught = None if label is None else SPEC.action(steer=label)
    return Step(index, frame, Choice(SPEC.action(steer=steer), "policy", taught))


def traced(steps: list[Step], seed: int = 7):
    tracer = Tracer()
    for item in steps:
        tracer.on_step(item)
    return tracer.trace(seed, "oval")


@given(st.floats(5, 120), st.floats(0.1, 20))
def test_samples_are_ten_a_second_whatever_the_games_rate(hz, seconds):
    last = int(seconds * hz)
    trace = traced([step(index, hz=hz) for index in range(1 + last)])
    assert len(trace.seconds) == pytest.approx(1 + last / hz * min(10, hz), abs=1.01)
    assert (np.diff(trace.seconds) > 0).all()


def test_a_sample_tells_place_steering_and_what_was_right():
    state = {PROGRESS: 0.25, SPEED: 30.0, X: 3.0, Y: -4.0, OFF_TRACK: 0.0}
    trace = traced([step(0, 0.5, -0.25, **state)])
    assert (trace.seed, trace.track) == (7, "oval")
    assert [float(getattr(trace, name)[0]) for name in COLUMNS] == [0.0, 0.25, 30.0, 0.0, 3.0, -4.0, 0.5, -0.25]
    assert trace.has_place
    assert trace.has_label


def test_leaving_the_road_between_two_samples_is_not_missed():
    trace = traced([step(index, **{OFF_TRACK: float(index == 3)}) for index in range(11)])
    assert trace.off_track.tolist() == [0.0, 1.0, 0.0]


def test_what_nobody_tells_is_not_a_number():
    trace = traced([step(index) for index in range(10)])
    for name in ("progress", "speed", "off_track", "x", "y", "label"):
        assert np.isnan(getattr(trace, name)).all(), name
    assert not trace.has_place
    assert not trace.has_label


def test_a_pair_of_buttons_steers_too():
    spec = ActionSpec(axes=(), buttons=("left", "right"), mirrored_buttons=(("left", "right"),))
    assert direction(spec.action(left=True)) == -1
    assert direction(spec.action(right=True)) == 1
    assert direction(spec.action(left=True, right=True)) == 0


def test_a_spec_that_does_not_steer_has_no_direction():
    assert np.isnan(direction(ActionSpec(axes=(), buttons=("A",)).neutral()))


def test_a_drive_is_traced_by_the_loop(line):
    tracer = Tracer()
    drive(line, Constant(line.cruise()), observers=[tracer], max_steps=5)
    trace = tracer.trace(1, line.track)
    assert trace.progress == pytest.approx([0.0, 0.025, 0.05, 0.075, 0.1])


def test_traces_survive_the_disk_by_driver_and_in_order(tmp_path):
    kept = {
        "model": (traced([step(at, 0.1 * at, 0.5) for at in range(9)]),),
        "expert": tuple(traced([step(at, **{X: at, Y: 1.0}) for at in range(20)], seed) for seed in (9, 3)),
    }
    write_traces(tmp_path / "traces.parquet", kept)
    again = read_traces(tmp_path / "traces.parquet")
    assert list(again) == ["model", "expert"]
    for driver, traces in kept.items():
        assert [(trace.seed, trace.track) for trace in again[driver]] == [(trace.seed, "oval") for trace in traces]
        for ours, theirs in zip(traces, again[driver], strict=True):
            for name in COLUMNS:
                np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_no_trace_at_all_can_be_kept(tmp_path):
    write_traces(tmp_path / "traces.parquet", {})
    assert read_traces(tmp_path / "traces.parquet") == {}


def test_what_holds_no_traces_is_refused(tmp_path):
    (tmp_path / "x.parquet").write_text("no")
    for name in ("x.parquet", "nothing.parquet"):
        with pytest.raises(KartError, match="materialise `scorecard` again"):
            read_traces(tmp_path / name)


def test_a_drive_of_buttons_is_as_smooth_as_its_changes_of_direction():
    spec = ActionSpec(axes=(), buttons=("left", "right"), mirrored_buttons=(("left", "right"),))
    tally = Tally(spec)
    tally.begin(step(0).frame)
    for index, pressed in enumerate(({"left": True}, {"right": True}, {}, {"left": True, "right": True}), 1):
        tally.count(Choice(spec.action(**pressed), "policy"), step(index).frame)
    cadence = Cadence(10.0, 10.0, 0.0, 0, 0.5, {}, {})
    drive = tally.drive(seed=1, track="t", score=1.0, ended="finished", wall=1.0, cadence=cadence)
    assert drive.smoothness == pytest.approx((2 + 1 + 0) / 3)


def test_scoring_hands_over_the_same_traces_from_one_process_and_from_two():
    pytest.importorskip("Box2D")
    make = partial(make_game, "car_racing"), partial(make_driver, "expert")
    alone, shared = [], []
    score(*make, [11, 12], max_steps=30, traced=alone.append)
    score(*make, [11, 12], max_steps=30, traced=shared.append, workers=2)
    shared.sort(key=lambda trace: trace.seed)
    assert [trace.seed for trace in alone] == [trace.seed for trace in shared] == [11, 12]
    for one, other in zip(alone, shared, strict=True):
        assert one.has_place
        assert one.has_label
        for name in COLUMNS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_game_of_keys_is_traced_like_any_other():
    pytest.importorskip("Box2D")
    traces = []
    make = partial(make_game, "car_racing_keys"), partial(make_driver, "expert")
    (driven,) = score(*make, [11], max_steps=120, traced=traces.append).drives
    (trace,) = traces
    assert set(trace.steer) <= {-1.0, 0.0, 1.0}
    assert trace.has_place
    assert trace.has_label
    assert driven.smoothness > 0
