"""What a drive is counted to, from frames that tell their state."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.tally import Drive, Tally
from kart_pipeline.games.base import COLLISION, LAP, PROGRESS

SPEC = ActionSpec(axes=("steer",), mirrored_axes=("steer",))
CADENCE = Cadence(10.0, 10.0, 0.0, 0, 0.5, {}, {})
STEP_NS = 500_000_000
NEWER = ("lap_times", "collisions", "stuck", "standstill", "standstill_at")


def counted(states: list[dict[str, float]]) -> Drive:
    """A drive of two steps a second through these states."""
    frames = [Frame(np.zeros((1, 1, 3), np.uint8), at * STEP_NS, state) for at, state in enumerate(states)]
    tally = Tally(SPEC)
    tally.begin(frames[0])
    for frame in frames[1:]:
        tally.count(Choice(SPEC.neutral(), "policy"), frame)
    return tally.drive(seed=1, track="t", score=1.0, ended="finished", wall=1.0, cadence=CADENCE)


def told(name: str, *values: float) -> list[dict[str, float]]:
    return [{name: value} for value in values]


def test_laps_are_timed_from_line_to_line():
    assert counted(told(LAP, 0, 0, 0, 1, 1, 2, 2)).lap_times == (1.5, 1.0)


def test_laps_driven_before_the_drive_began_are_not_timed():
    assert counted(told(LAP, 3, 3, 4)).lap_times == (1.0,)


def test_a_lap_that_the_game_takes_back_is_not_given_twice():
    assert counted(told(LAP, 0, 1, 0, 1, 2)).lap_times == (0.5, 1.5)


def test_a_game_that_counts_laps_has_none_before_the_first_is_done():
    assert counted(told(LAP, 0, 0)).lap_times == ()


def test_touching_something_for_a_while_is_one_collision():
    assert counted(told(COLLISION, 0, 1, 1, 0, 0, 1)).collisions == 2


def test_a_drive_that_begins_in_contact_has_not_collided():
    assert counted(told(COLLISION, 1, 1, 0)).collisions == 0


def test_five_seconds_without_progress_are_stuck_once_however_long_they_last():
    drive = counted(told(PROGRESS, 0.0, 0.2, *[0.2] * 30, 0.3, 0.3))
    assert drive.stuck == 1
    assert (drive.standstill, drive.standstill_at) == (15.5, 0.2)


def test_going_back_is_no_progress():
    assert counted(told(PROGRESS, 0.5, *[0.4, 0.45] * 6)).stuck == 1


def test_getting_stuck_anew_counts_again():
    assert counted(told(PROGRESS, *[0.1] * 11, *[0.2] * 11)).stuck == 2


def test_a_drive_that_moves_on_in_time_is_never_stuck():
    drive = counted(told(PROGRESS, *np.repeat(np.linspace(0, 1, 20), 9)))
    assert drive.stuck == 0
    assert drive.standstill == 4.5


def test_what_the_game_does_not_tell_stays_unknown():
    drive = counted([{}, {}, {}])
    assert [getattr(drive, name) for name in NEWER] == [None] * 5


@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_a_drive_is_stuck_exactly_when_its_longest_standstill_reaches_five_seconds(progress):
    drive = counted(told(PROGRESS, *progress))
    assert (drive.stuck > 0) is (drive.standstill >= 5)
    assert 0 <= drive.standstill <= drive.game_seconds
    assert drive.standstill_at in progress


def test_a_drive_survives_json():
    drive = counted([{LAP: at // 3, COLLISION: at % 2, PROGRESS: at / 9} for at in range(10)])
    assert Drive.from_dict(json.loads(json.dumps(drive.to_dict(), allow_nan=False))) == drive


def test_a_drive_kept_before_these_were_counted_is_read_as_untold():
    drive = counted(told(PROGRESS, 0.0, 1.0))
    old = {name: value for name, value in drive.to_dict().items() if name not in NEWER}
    again = Drive.from_dict(json.loads(json.dumps(old)))
    assert [getattr(again, name) for name in NEWER] == [None] * 5
    assert again.score == drive.score


@pytest.mark.parametrize("data", [[], {"seed": 1}, {"cadence": {}}])
def test_what_is_no_drive_is_refused(data):
    with pytest.raises(KartError, match="Not a drive"):
        Drive.from_dict(data)
