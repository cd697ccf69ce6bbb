import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.drivers import Constant
from kart_pipeline.driving.hopeless import ASTRAY, STUCK, Hopeless
from kart_pipeline.driving.loop import drive


def watched(line, action, **limits):
    """A drive of at most 40 steps, ten a second, that is given up when it is hopeless."""
    watch = Hopeless(**{"off_track_s": 2.0, "stuck_s": 3.0} | limits)
    return drive(line, Constant(action), observers=[watch], should_stop=watch, max_steps=40)


def test_a_drive_off_the_road_is_given_up_after_so_many_seconds(line):
    result = watched(line, line.spec.action(steer=1.0, throttle=0.1))
    assert result.ended == ASTRAY
    assert result.steps == 21  # the first frame is on the road


def test_a_drive_that_stands_still_is_given_up_too(line):
    result = watched(line, line.spec.neutral())
    assert (result.ended, result.steps) == (STUCK, 31)


def test_a_good_drive_is_left_alone(line):
    assert watched(line, line.cruise()).ended == "finished"


def test_coming_back_to_the_road_counts_anew(line):
    class Weaving:
        name = "weaving"

        def reset(self):
            self.step = 0

        def act(self, _: Frame) -> Choice:
            self.step += 1
            return Choice(line.spec.action(steer=float(self.step % 15 > 0), throttle=0.2), "test")

    watch = Hopeless(2.0, 3.0)
    assert drive(line, Weaving(), observers=[watch], should_stop=watch, max_steps=45).ended == "step limit"


def test_none_bears_all(line):
    assert watched(line, line.spec.action(steer=1.0), off_track_s=None, stuck_s=None).ended == "step limit"


def test_a_game_that_tells_nothing_is_never_given_up(line):
    line.frame = lambda _: Frame(np.zeros((2, 2, 3), np.uint8), line.steps * 100_000_000)
    assert watched(line, line.spec.neutral()).ended == "step limit"


@pytest.mark.parametrize("limits", [{"off_track_s": 0.0}, {"stuck_s": float("nan")}])
def test_limits_without_sense_are_refused(line, limits):
    with pytest.raises(KartError, match="above 0"):
        watched(line, line.cruise(), **limits)
