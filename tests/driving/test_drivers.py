import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice
from kart_pipeline.driving.drivers import DRIVERS, Constant, Corrected, Expert, Noisy, knocks, make_driver
from kart_pipeline.driving.loop import drive


class Teacher:
    """Half throttle and a little to the left."""

    name = "teacher"

    def __init__(self, spec):
        self.spec = spec
        self.resets = 0

    def reset(self):
        self.resets += 1

    def act(self, _frame):
        action = self.spec.action(throttle=0.5, steer=-0.1, A=True)
        return Choice(action, "expert", label=action)


def choices(line, driver, steps=400):
    """A drive that goes nowhere, so that it lasts."""
    driver.reset()
    line.reset(0)
    result = []
    for line.steps in range(steps):
        result.append(driver.act(line.frame(0.0)))
    return result


def steering(line, driver, steps=400):
    return np.array([choice.action["steer"] for choice in choices(line, driver, steps)])


def test_a_constant_does_the_same_and_teaches_nothing(line):
    first, *rest = choices(line, Constant(line.cruise()), 3)
    assert all(choice is first for choice in rest)
    assert first.label is None


def test_an_expert_labels_what_it_does(line):
    class Autopilot:
        def reset(self):
            self.ready = True

        def action(self, frame):
            return line.spec.action(steer=frame.t_ns / 1e9 if self.ready else 0)

    second = choices(line, Expert(Autopilot()), 2)[1]
    assert second.action["steer"] == pytest.approx(0.1)
    assert second.label == second.action
    assert second.actor == "expert"


def test_noise_changes_the_action_and_never_the_label(line):
    result = choices(line, Noisy(Teacher(line.spec), {"steer": 0.5}))
    assert any(choice.action != choice.label for choice in result)
    assert all(choice.label == line.spec.action(throttle=0.5, steer=-0.1, A=True) for choice in result)
    assert all(choice.action["throttle"] == 0.5 and choice.action["A"] for choice in result)
    assert all(choice.actor == "expert" for choice in result)


def test_noise_on_a_policy_makes_no_label_of_what_it_chose(line):
    policy = Constant(line.spec.action(throttle=0.5))
    result = choices(line, Noisy(policy, {"steer": 0.5}))
    assert any(choice.action != policy.act(line.frame(0.0)).action for choice in result)
    assert all(choice.label is None for choice in result)


def test_noise_stays_within_its_strength_and_goes_to_both_sides(line):
    push = steering(line, Noisy(Teacher(line.spec), {"steer": 0.5})) + 0.1
    assert np.abs(push).max() <= 0.5 + 1e-6
    assert push.min() < -0.2
    assert push.max() > 0.2


def test_noise_is_clipped_to_what_an_axis_can_do(line):
    push = steering(line, Noisy(Teacher(line.spec), {"steer": 5.0}))
    assert push.min() == -1
    assert push.max() == 1


def test_a_knock_lasts_and_swells_instead_of_flickering(line):
    line_rate = 10
    push = steering(line, Noisy(Teacher(line.spec), {"steer": 0.5}, length_s=(1.0, 2.0)), 2000) + 0.1
    knocked = np.abs(push) > 1e-6
    edges = np.flatnonzero(np.diff(np.concatenate([[0], knocked, [0]])))
    lengths = (edges[1::2] - edges[::2]) / line_rate
    assert len(lengths) > 20
    assert np.median(lengths) == pytest.approx(1.5, abs=0.3)
    assert np.abs(np.diff(push)).max() <= 0.5 * 2 / 1.0 / line_rate * 2  # the steepest flank, turning at a peak


def test_longer_pauses_mean_fewer_knocks(line):
    def share(gap_s):
        return np.mean(
            np.abs(steering(line, Noisy(Teacher(line.spec), {"steer": 0.5}, gap_s=gap_s), 3000) + 0.1) > 1e-6
        )

    assert share(1.0) > share(4.0) > 0


def test_noise_repeats_with_its_seed_and_differs_from_drive_to_drive(line):
    def two_drives(seed):
        driver = Noisy(Teacher(line.spec), {"steer": 0.5}, seed=seed)
        return [steering(line, driver).tolist() for _ in range(2)]

    assert two_drives(1) == two_drives(1)
    assert two_drives(1) != two_drives(2)
    first, second = two_drives(1)
    assert first != second


class KeyTeacher(Teacher):
    """Holds the right arrow."""

    def act(self, _frame):
        action = self.spec.action(right=True, gas=True)
        return Choice(action, "expert", label=action)


KEYS = ActionSpec((), ("left", "right", "gas"), mirrored_buttons=(("left", "right"),))


def pressed(line, strength, steps=2000):
    taken = choices(line, Noisy(KeyTeacher(KEYS), strength), steps)
    assert all(choice.label == KEYS.action(right=True, gas=True) for choice in taken)
    return np.array([choice.action.vector() for choice in taken])


def test_a_knocked_button_is_pressed_or_let_go_of_for_a_moment(line):
    keys = pressed(line, {"gas": 1.0})
    assert (keys[:, :2] == [0, 1]).all()
    loose = keys[:, 2] == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loose, [0]])))
    assert len(edges) > 20
    assert (edges[1::2] - edges[::2]).max() <= 8  # steps of a tenth of a second: the longest knock
    assert 0.01 < loose.mean() < 0.3


def test_buttons_that_mirror_each_other_are_knocked_to_opposite_sides(line):
    left, right, _ = pressed(line, {"left": 0.8, "right": 0.8}).T
    assert left.any()
    assert not (left * right).any()  # as left goes down, right comes up


def test_a_stronger_knock_holds_a_button_longer_and_half_its_travel_is_needed(line):
    shares = [pressed(line, {"left": scale, "right": scale})[:, 0].mean() for scale in (0.45, 0.7, 1.0)]
    assert shares[0] == 0 < shares[1] < shares[2]


def test_buttons_are_knocked_only_where_no_axis_steers(line):
    assert knocks(line.spec, 0.8) == {"throttle": 0.4, "steer": 0.8}
    assert knocks(KEYS, 0.8) == {"left": 0.9, "right": 0.9, "gas": 0.9}


def test_knocks_of_any_strength_reach_buttons_and_none_of_no_strength_do(line):
    shares = [(pressed(line, knocks(KEYS, scale)) != [0, 1, 1]).mean() for scale in (0.0, 0.2, 0.8)]
    assert shares[0] == 0 < shares[1] < shares[2]


@pytest.mark.parametrize("wrong", [{"gap_s": 0.0}, {"length_s": (0.0, 1.0)}, {"length_s": (2.0, 1.0)}])
def test_noise_without_sense_is_refused(line, wrong):
    with pytest.raises(KartError, match="Noise"):
        Noisy(Teacher(line.spec), {"steer": 0.5}, **wrong)


def test_noise_on_an_axis_that_the_game_lacks_is_refused(line):
    with pytest.raises(KartError, match="pitch"):
        choices(line, Noisy(Teacher(line.spec), {"pitch": 0.5}))


def test_a_corrected_policy_acts_and_its_teacher_labels(line):
    teacher = Teacher(line.spec)
    policy = Constant(line.spec.action(steer=1.0))
    driver = Corrected(policy, teacher)
    (choice,) = choices(line, driver, 1)
    assert choice.action["steer"] == 1.0
    assert choice.actor == "constant"
    assert choice.label == teacher.act(line.frame(0.0)).action
    assert teacher.resets == 1


def test_the_straight_ahead_driver_rolls_without_steering(line):
    result = drive(line, make_driver("straight-ahead", line))
    assert result.ended == "finished"
    assert result.smoothness == 0


@pytest.mark.parametrize("name", ["expert", "noisy-expert"])
def test_a_game_without_an_expert_says_so(line, name):
    with pytest.raises(KartError, match="line has no expert"):
        make_driver(name, line)


def test_an_unknown_driver_is_answered_with_the_known_ones(line):
    with pytest.raises(KartError, match=", ".join(DRIVERS)):
        make_driver("ghost", line)
