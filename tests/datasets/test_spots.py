"""Places to look at: each kind is found where it is, and nowhere else."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.datasets.spots import Spot, spots

SPEC = ActionSpec(("steer",), mirrored_axes=("steer",))


class About:
    """As much of a manifest as is asked for."""

    def __init__(self, rate_hz: float = 10.0, **marks: object) -> None:
        self.spec, self.rate_hz, self.notes = SPEC, rate_hz, {"marks": marks}


def found(steer, steps=None, intervention=None, **marks: object) -> list[Spot]:
    count = len(steer)
    steps = np.arange(count) if steps is None else np.asarray(steps)
    taken = np.zeros(count, bool) if intervention is None else np.asarray(intervention)
    table = pa.table({"step": steps, "t_ns": steps * 100_000_000, "steer": np.float32(steer), "intervention": taken})
    manifest: Manifest = About(**marks)  # type: ignore[assignment]
    return spots(manifest, table)


def places(spots: list[Spot]) -> list[tuple[str, int, int]]:
    return [(spot.kind, spot.first, spot.last) for spot in spots]


SMOOTH = np.sin(np.arange(200) / 9)


def test_a_smooth_drive_has_none() -> None:
    assert found(SMOOTH) == []
    assert found([]) == []


def test_a_gap_is_where_frames_are_missing_and_not_where_a_person_paused() -> None:
    steps = np.delete(np.arange(100), slice(40, 45))
    assert places(found(SMOOTH[:95], steps)) == [("gap", 39, 45)]
    assert found(SMOOTH[:95], steps)[0].text == "600 ms without a frame"
    assert found(SMOOTH[:95], steps, pauses=[[40, 44]]) == []


def test_a_stick_that_stays_beside_its_middle_is_stuck_and_one_at_a_stop_or_in_the_middle_is_not() -> None:
    steer = SMOOTH.copy()
    steer[50:110] = 0.3
    (spot,) = found(steer)
    assert (spot.kind, spot.last, spot.text) == ("stuck", 109, "the stick stays at +0.30 for 5.9 s")
    for value in (0.0, 1.0, -1.0):
        steer[50:110] = value
        assert found(steer) == []


def test_taps_near_each_other_are_one_place() -> None:
    steer = np.zeros(200)
    steer[[20, 24, 28, 100, 150, 155]] = 1.0
    assert places(found(steer)) == [("taps", 19, 29), ("taps", 149, 156)]


def test_laps_failures_and_takeovers_are_told() -> None:
    taken = np.zeros(200, bool)
    taken[60:80] = True
    assert places(found(SMOOTH, intervention=taken, laps=[100], failures=[[50, 59]])) == [
        ("failure", 50, 59),
        ("takeover", 60, 79),
        ("lap", 100, 100),
    ]


@given(st.lists(st.sampled_from([-1.0, -0.4, 0.0, 0.2, 1.0]), min_size=1, max_size=300), st.data())
def test_every_spot_lies_in_the_session(steer, data) -> None:
    gone = data.draw(st.sets(st.integers(0, len(steer) - 1), max_size=len(steer) - 1))
    steps = np.setdiff1d(np.arange(len(steer)), list(gone))
    spotted = found(np.array(steer)[steps], steps)
    assert all(steps[0] <= spot.first <= spot.last <= steps[-1] for spot in spotted)
    assert spotted == sorted(spotted, key=lambda spot: spot.first)


@pytest.mark.parametrize("hours", [1])
def test_an_hour_is_looked_through_and_its_taps_are_found(hours: int) -> None:
    steer = np.sin(np.arange(108_000 * hours) / 9)
    steer[5000:5010] = [1, -1] * 5
    assert [spot.kind for spot in found(steer)] == ["taps"]
