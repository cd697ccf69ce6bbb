import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.drivers import Constant
from kart_pipeline.driving.loop import STEP_LIMIT, STOPPED, drive


class Seen(list):
    def on_step(self, step):
        self.append(step)


class Script:
    """Drives by a list of (throttle, steer); an exception in the list is raised."""

    name = "script"

    def __init__(self, spec, moves, interventions=()):
        self.spec, self.moves, self.interventions = spec, moves, interventions
        self.resets = 0

    def reset(self):
        self.resets += 1
        self.at = -1

    def act(self, _frame):
        self.at += 1
        move = self.moves[self.at]
        if isinstance(move, BaseException):
            raise move
        throttle, steer = move
        return Choice(
            self.spec.action(throttle=throttle, steer=steer), "expert", intervention=self.at in self.interventions
        )


def test_a_drive_runs_from_reset_until_the_game_ends_and_lets_go(line):
    result = drive(line, Constant(line.cruise().spec.action(throttle=1.0)), seed=7)
    assert result.ended == "finished"
    assert result.steps == 10
    assert line.log == ["reset 7", *["send", "next_frame"] * 10, "neutral"]


def test_observers_see_every_frame_with_the_choice_made_on_it_while_the_game_still_shows_it(line):
    seen = Seen()
    shown = []

    class Spectator:
        def on_step(self, _step):
            shown.append(line.steps)

    drive(line, Script(line.spec, [(0.5, 0.1 * i) for i in range(4)]), observers=[seen, Spectator()], max_steps=4)
    assert [step.index for step in seen] == [0, 1, 2, 3]
    assert [int(step.frame.rgb[0, 0, 0]) for step in seen] == [0, 1, 2, 3]
    assert [step.choice.action["steer"] for step in seen] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert shown == [0, 1, 2, 3]


def test_the_action_reaches_the_game_before_the_observers_spend_time(line):
    class Late:
        def on_step(self, _step):
            line.log.append("observer")

    drive(line, Constant(line.cruise()), observers=[Late()], max_steps=1)
    assert line.log == ["reset None", "send", "observer", "next_frame", "neutral"]


def test_the_result_says_what_the_drive_was_worth(line):
    moves = [(0.5, 0.0), (0.5, 0.6), (0.5, 0.6), (0.5, -0.2)]
    result = drive(line, Script(line.spec, moves), seed=3, max_steps=4)
    assert (result.seed, result.track, result.steps, result.ended) == (3, "seed-3", 4, STEP_LIMIT)
    assert result.score == 100 * 2.0 - 4
    assert result.progress == pytest.approx(0.2)
    assert result.off_track == 0.5
    assert result.smoothness == pytest.approx((0.6 + 0.0 + 0.8) / 3)
    assert result.game_seconds == pytest.approx(0.4)
    assert 0 < result.wall_seconds < 5


def test_interventions_are_counted_by_takeover_not_by_step(line):
    result = drive(line, Script(line.spec, [(0.1, 0.0)] * 8, interventions=(0, 1, 4, 5, 7)), max_steps=8)
    assert result.interventions == 3


def test_what_the_game_does_not_tell_stays_unknown(line):
    told = line.frame

    def silent(off_track):
        frame = told(off_track)
        return type(frame)(frame.rgb, frame.t_ns)

    line.frame = silent
    result = drive(line, Constant(line.cruise()), max_steps=2)
    assert result.progress is None
    assert result.off_track is None


def test_should_stop_ends_the_drive_and_lets_go(line):
    result = drive(line, Constant(line.cruise()), should_stop=lambda: line.log.count("next_frame") == 2)
    assert result.ended == STOPPED
    assert result.steps == 2
    assert line.log[-1] == "neutral"


def test_the_games_own_ending_wins_over_a_stop_at_the_same_time(line):
    result = drive(line, Constant(line.spec.action(throttle=1.0)), max_steps=10, should_stop=lambda: line.steps == 10)
    assert result.ended == "finished"


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), SystemExit(1)])
def test_controls_are_let_go_of_when_the_driver_fails_or_a_person_interrupts(line, error):
    with pytest.raises(type(error)):
        drive(line, Script(line.spec, [(0.5, 0.0), error]))
    assert line.log[-1] == "neutral"


@pytest.mark.parametrize("method", ["reset", "send", "next_frame"])
def test_controls_are_let_go_of_when_the_game_fails(line, method, monkeypatch):
    def fail(*_):
        raise OSError("the emulator is gone")

    monkeypatch.setattr(line, method, fail)
    with pytest.raises(OSError, match="emulator"):
        drive(line, Constant(line.cruise()))
    assert line.log[-1] == "neutral"


def test_controls_are_let_go_of_when_an_observer_fails(line):
    class Full:
        def on_step(self, _step):
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        drive(line, Constant(line.cruise()), observers=[Full()])
    assert line.log[-1] == "neutral"


def test_actions_of_another_spec_are_refused_before_they_reach_the_game(line):
    other = ActionSpec(axes=("steer",))
    with pytest.raises(KartError, match="steer"):
        drive(line, Constant(other.neutral()))
    assert "send" not in line.log
    assert line.log[-1] == "neutral"


def test_the_driver_is_reset_for_every_drive(line):
    driver = Script(line.spec, [(0.5, 0.0)] * 2)
    for _ in range(3):
        drive(line, driver, max_steps=2)
    assert driver.resets == 3


def test_a_drive_can_begin_beside_the_line_and_the_driver_is_reset_there(line, monkeypatch):
    def displace(random):
        line.log.append(f"displace {random.integers(100)}")
        line.at = 9.0
        return line.frame(1.0)

    class Watches:
        name = "watches"

        def reset(self):
            line.log.append("driver reset")

        def act(self, frame):
            self.first = getattr(self, "first", frame)
            return Choice(line.spec.action(throttle=1.0), "test")

    monkeypatch.setattr(line, "displace", displace, raising=False)
    driver, number = Watches(), np.random.default_rng(5).integers(100)
    result = drive(line, driver, seed=3, displaced=np.random.default_rng(5))
    assert line.log[:3] == ["reset 3", f"displace {number}", "driver reset"]
    assert driver.first.state["off_track"] == 1.0
    assert result.steps == 1


def test_a_game_that_cannot_begin_beside_the_line_says_so_and_is_let_go_of(line):
    with pytest.raises(KartError, match="line cannot begin beside the line"):
        drive(line, Constant(line.cruise()), seed=3, displaced=np.random.default_rng(5))
    assert line.log[-1] == "neutral"


def test_a_tick_that_overruns_whole_periods_leaves_a_gap_in_the_index(line):
    now = [0]

    def sleep(seconds):
        now[0] += round(seconds * 1e9)

    class Slow:
        """The second step takes 0.25 s of a 0.1 s period."""

        def on_step(self, step):
            now[0] += 250_000_000 if step.index == 1 else 10_000_000

    seen = Seen()
    clock = Clock(10.0, now_ns=lambda: now[0], sleep=sleep)
    result = drive(line, Constant(line.cruise()), observers=[seen, Slow()], max_steps=4, clock=clock)
    assert [step.index for step in seen] == [0, 1, 3, 4]
    assert result.cadence.skipped == 1
    assert result.cadence.late == pytest.approx(1 / 4)


def test_a_simulated_game_is_not_slowed_down_and_a_real_time_game_is(line):
    quick = drive(line, Constant(line.cruise()), max_steps=3)
    line.simulated = False
    paced = drive(line, Constant(line.cruise()), max_steps=3)
    assert quick.wall_seconds < 0.1
    assert paced.wall_seconds >= 0.29
