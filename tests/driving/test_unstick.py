import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.loop import drive
from kart_pipeline.driving.unstick import RECOVERY, Unstick, reverse_action

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A", "B"), mirrored_axes=("steer",))
WANTED = SPEC.action(steer=0.5, throttle=1.0, A=True)
HZ = 20


class Wall:
    """Drives on, whatever it sees, and can be pushed aside."""

    name = "wall-eyed"

    def __init__(self, action=WANTED) -> None:
        self.choice = Choice(action, "policy")

    def reset(self) -> None:
        pass

    def act(self, _frame: Frame) -> Choice:
        return self.choice


def picture(step: int, moving: bool) -> np.ndarray:
    """A road whose stripes come nearer, under a clock that always runs."""
    rgb = np.zeros((96, 128, 3), np.uint8)
    rgb[(np.arange(96) + (8 * step if moving else 0)) % 32 < 16] = 200
    rgb[2:5, 2:5] = 255 * (step % 2)
    return rgb


def actors(driver, moving, steps, state=None):
    driver.reset()
    choices = [
        driver.act(Frame(picture(step, moving(step)), step * 10**9 // HZ, state(step) if state else {}))
        for step in range(steps)
    ]
    return choices, "".join({"policy": "p", RECOVERY: "r", "human": "h"}[choice.actor] for choice in choices)


def test_a_picture_that_stands_still_is_backed_out_of_and_a_running_clock_does_not_hide_it():
    driver = Unstick(Wall(), SPEC, go_s=0, stuck_s=2, reverse_s=0.5)
    choices, who = actors(driver, lambda _: False, 60)
    assert who == "p" * (2 * HZ) + "r" * (HZ // 2) + "p" * 10
    assert driver.recoveries == 1
    assert choices[2 * HZ].action == SPEC.action(steer=-1.0, throttle=-1.0, B=True)


def test_a_second_try_goes_to_the_other_side():
    driver = Unstick(Wall(), SPEC, go_s=0, stuck_s=1, reverse_s=0.5)
    choices, _ = actors(driver, lambda _: False, 70)
    sides = [choice.action["steer"] for choice in choices if choice.actor == RECOVERY]
    assert sorted(set(sides)) == [-1.0, 1.0]
    assert driver.recoveries == 2


def test_a_kart_that_moves_is_left_alone():
    driver = Unstick(Wall(), SPEC, go_s=0, stuck_s=1)
    assert actors(driver, lambda _: True, 100)[1] == "p" * 100


def test_who_does_not_want_to_drive_is_not_stuck():
    driver = Unstick(Wall(SPEC.neutral()), SPEC, go_s=0, stuck_s=1)
    assert actors(driver, lambda _: False, 100)[1] == "p" * 100


def test_where_the_game_tells_progress_the_picture_does_not_count():
    driver = Unstick(Wall(), SPEC, go_s=0, stuck_s=1, reverse_s=0.5)
    _, who = actors(driver, lambda _: True, 25, lambda _: {"progress": 0.1})
    assert who == "p" * HZ + "r" * 5
    _, who = actors(driver, lambda _: False, 40, lambda step: {"progress": step / 100})
    assert who == "p" * 40


def test_where_backing_out_brings_no_progress_the_games_own_rescue_is_asked_for():
    asked = []

    def rescue() -> float:
        asked.append(1)
        return 1.0

    driver = Unstick(Wall(), SPEC, go_s=0, stuck_s=1, reverse_s=0.5, rescue=rescue)
    choices, who = actors(driver, lambda _: True, 110, lambda _: {"progress": 0.1})
    backed, rescued = "p" * HZ + "r" * (HZ // 2), "p" * HZ + "r" * HZ
    assert who == backed + rescued + backed + "p" * 10
    assert len(asked) == 1
    assert driver.recoveries == 3
    held = [choice.action for choice in choices[len(backed) + HZ :][:HZ]]
    assert held == [SPEC.neutral()] * HZ


def test_then_the_gas_is_held_for_a_moment_and_the_driver_steers():
    hesitant = Wall(SPEC.action(steer=0.5, throttle=0.1, B=True))
    driver = Unstick(hesitant, SPEC, stuck_s=1, reverse_s=0.5, go_s=0.5)
    choices, who = actors(driver, lambda _: False, 2 * HZ + 5)
    assert who == "p" * HZ + "r" * HZ + "p" * 5
    going = [choice.action for choice in choices[HZ + HZ // 2 : 2 * HZ]]
    assert going == [SPEC.action(steer=0.5, throttle=1.0, A=True)] * (HZ // 2)


def test_after_progress_a_kart_is_backed_out_first_again():
    driver = Unstick(Wall(), SPEC, go_s=0, stuck_s=1, reverse_s=0.5, rescue=lambda: pytest.fail("it had come farther"))
    actors(driver, lambda _: True, 130, lambda step: {"progress": (step // 40) / 10})
    assert driver.recoveries == 3


def test_a_kart_that_trembles_at_a_wall_makes_no_progress():
    driver = Unstick(Wall(), SPEC, go_s=0, stuck_s=1, reverse_s=0.5)
    _, who = actors(driver, lambda _: True, 25, lambda step: {"progress": 0.1 + step * 1e-5})
    assert who == "p" * HZ + "r" * 5


def test_a_person_who_takes_the_controls_ends_the_way_out_at_once():
    wall = Wall()
    driver = Unstick(wall, SPEC, go_s=0, stuck_s=1, reverse_s=5)
    driver.reset()
    seen = []
    for step in range(40):
        if step == 30:
            wall.choice = Choice(WANTED, "human", WANTED, intervention=True)
        seen.append(driver.act(Frame(picture(0, False), step * 10**9 // HZ)).actor)
    assert seen[29] == RECOVERY
    assert set(seen[30:]) == {"human"}


def test_ways_out_are_counted(line):
    class Push(Wall):
        def act(self, _frame):
            return Choice(line.spec.action(steer=0.1), "policy")

    result = drive(line, Unstick(Push(), line.spec, go_s=0, stuck_s=1, reverse_s=0.5), max_steps=40)
    assert result.recoveries == 2
    assert result.autonomy == pytest.approx(30 / 40)


@pytest.mark.parametrize(
    ("spec", "back"),
    [
        (ActionSpec(("steer", "throttle"), (), ("steer",)), {"throttle": -1.0}),
        (ActionSpec(("steer", "pitch"), ("A", "B", "RB"), ("steer",)), {"pitch": -1.0, "B": True}),
        (ActionSpec((), ("left", "right", "gas", "brake"), (), (("left", "right"),)), {"brake": True}),
    ],
)
def test_backwards_is_known_of_the_usual_controls(spec, back):
    assert reverse_action(spec) == spec.action(**back)


def test_a_game_that_knows_no_way_back_is_refused():
    with pytest.raises(KartError, match="--unstick"):
        Unstick(Wall(), ActionSpec(("steer",), ("jump",), ("steer",)))
