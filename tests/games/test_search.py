"""An expert by search does what leads farthest, in the game's own actions, and leaves the game as it found it."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Frame
from kart_pipeline.driving.drivers import Constant, Corrected, Expert
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.base import FINISHED
from kart_pipeline.games.car_racing import SEARCH, SPEC, CarRacing
from kart_pipeline.games.search import Plan, Search, SearchExpert, fan

STICK = ActionSpec(("steer",), ("A",), ("steer",))
KEYS = ActionSpec((), ("left", "right", "gas"), mirrored_buttons=(("left", "right"),))


@dataclass(frozen=True)
class Spot:
    """Where a kart is: how far along the road, how far beside its middle."""

    along: float = 0.0
    beside: float = 0.0
    steps: int = 0


class Gorge:
    """A road with a wall across it whose only gap is to the right: who keeps straight on stops there.

    Attributes:
        kept: states that are saved and not forgotten.
        stepped: how many steps were taken in all.
    """

    name = "gorge"
    rate_hz = 10.0

    def __init__(self, spec=STICK, length=100.0, wall=10.0):
        self.spec = spec
        self.length = length
        self.wall = wall
        self.spot = Spot()
        self.kept = []
        self.hurried = False
        self.stepped = 0

    @property
    def ended(self):
        return FINISHED if self.spot.along >= self.length else None

    def save(self):
        self.kept.append(self.spot)
        return f"state {len(self.kept) - 1}"

    def load(self, state):
        self.spot = self.kept[self.place(state)]

    def forget(self, state):
        self.kept[self.place(state)] = None

    def place(self, state):
        place = int(state.removeprefix("state "))
        assert self.kept[place] is not None, "it was forgotten"
        return place

    def hurry(self, on):
        assert on != self.hurried
        self.hurried = on

    def advance(self, action, steps):
        assert self.hurried
        for _ in range(steps):
            if self.ended:
                break
            self.step(action)
        return self.told()

    def step(self, action):
        self.stepped += 1
        spot = self.spot
        turn = action["steer"] if "steer" in self.spec.axes else action["right"] - action["left"]
        along = spot.along + math.sqrt(1 - min(1.0, abs(turn)) ** 2 * 0.5)
        beside = spot.beside + turn
        if spot.along < self.wall <= along and beside < 3:
            along = spot.along
        self.spot = Spot(along, beside, spot.steps + 1)

    def told(self):
        return {"progress": self.spot.along / self.length, "off_track": float(abs(self.spot.beside) > 6)}

    @property
    def open_states(self):
        return [state for state in self.kept if state is not None]


def plan(spec=STICK, **changes):
    tried = fan(spec, 3)
    return replace(Plan(fan=tried, coast=tried[0], hold_s=0.5, coast_s=1.0), **changes)


def test_it_turns_where_only_turning_leads_on():
    game = Gorge(wall=8.0)
    assert Search(game, plan()).best(game.told())["steer"] == 1.0
    game.spot = Spot(along=20.0)
    assert Search(game, plan()).best(game.told())["steer"] == 0.0


def test_with_the_keys_of_a_game_it_presses_keys():
    game = Gorge(KEYS, wall=8.0)
    chosen = Search(game, plan(KEYS)).best(game.told())
    assert (chosen["left"], chosen["right"]) == (False, True)


def test_the_game_is_left_as_it_was_and_nothing_stays_saved():
    game = Gorge()
    game.spot = Spot(4.0, 1.0, 7)
    Search(game, plan(depth=3, width=2)).best(game.told())
    assert game.spot == Spot(4.0, 1.0, 7)
    assert game.open_states == []
    assert not game.hurried


@pytest.mark.parametrize("after", [0, 12, 40])
def test_a_search_that_is_broken_off_puts_the_game_back(after):
    class Broken(Gorge):
        def step(self, action):
            if self.stepped == after:
                raise KeyboardInterrupt
            super().step(action)

    game = Broken()
    with pytest.raises(KeyboardInterrupt):
        Search(game, plan(depth=3, width=2)).best(game.told())
    assert game.spot == Spot()
    assert not game.hurried
    assert game.open_states == []


def test_a_wall_beyond_one_look_is_seen_by_a_deeper_one():
    game = Gorge(wall=6.0)
    assert Search(game, plan(coast_s=0.0)).best(game.told())["steer"] == 0.0
    assert Search(game, plan(coast_s=0.0, depth=2, width=3)).best(game.told())["steer"] == 1.0


@pytest.mark.parametrize(("depth", "width", "holds"), [(1, 1, 3), (2, 2, 3 + 6), (3, 2, 3 + 6 + 6), (2, 9, 3 + 9)])
def test_breadth_and_depth_say_how_much_is_tried(depth, width, holds):
    game = Gorge(length=1e9)
    Search(game, plan(depth=depth, width=width, coast_s=0.0)).best(game.told())
    assert game.stepped == 5 * holds


def test_turning_the_wheel_costs_what_it_should():
    game = Gorge(wall=1e9)
    right = STICK.action(steer=1.0)
    assert Search(game, plan()).best(game.told(), last=right)["steer"] == 0.0
    assert Search(game, plan(change=10.0)).best(game.told(), last=right)["steer"] == 1.0


def test_being_off_the_road_costs():
    game = Gorge(wall=1e9)
    game.spot = Spot(along=20.0, beside=-4.0)
    restless = plan(change=-1.0)  # it likes to turn, and to the left as soon as to the right
    assert Search(game, restless).best(game.told(), STICK.neutral())["steer"] == -1.0
    assert Search(game, replace(restless, off_track=5.0)).best(game.told(), STICK.neutral())["steer"] == 1.0


def test_speed_counts_where_the_race_is_farther_and_nowhere_else():
    game = Gorge(wall=20.5)
    game.spot = Spot(along=20.0)  # at a wall
    told = game.told
    game.told = lambda: told() | {"speed": 100.0 if game.spot.beside < 0 else 1.0}
    assert Search(game, plan(coast_s=0.0, hold_s=0.1)).best(told())["steer"] == 0.0
    assert Search(game, plan(coast_s=0.0, hold_s=0.1, speed=1.0)).best(told())["steer"] == 0.0
    game.wall = 1e9
    assert Search(game, plan(coast_s=0.0, hold_s=0.1, speed=1.0)).best(told())["steer"] == -1.0


def test_the_goal_is_worth_more_than_anything_and_the_sooner_the_better():
    game = Gorge(length=24.0, wall=8.0)
    game.spot = Spot(along=20.0)
    chosen = Search(game, plan(depth=3, width=2, change=0.1)).best(game.told())
    assert chosen["steer"] == 0.0
    assert game.open_states == []


def test_it_looks_anew_after_each_hold_or_as_often_as_it_is_told():
    def looks(every_s):
        game = Gorge(wall=1e9)
        expert = SearchExpert(game, plan(), every_s)
        count = 0
        for step in range(20):
            before = game.stepped
            expert.action(Frame(np.zeros((1, 1, 3), np.uint8), step * 100_000_000, game.told()))
            count += game.stepped > before
        return count

    assert looks(None) == 4
    assert looks(0.0) == 20


def test_a_game_that_tells_no_progress_is_refused_in_a_sentence():
    with pytest.raises(KartError, match="does not tell how far"):
        Search(Gorge(), plan()).best({})


def test_a_fan_is_the_games_own_actions_from_straight_ahead_to_full_lock():
    steers = [action["steer"] for action in fan(STICK, 5, held=["A"])]
    assert steers == [0.0, -0.5, 0.5, -1.0, 1.0]
    assert all(action["A"] for action in fan(STICK, 5, held=["A"]))
    assert len(fan(CarRacing.spec, 5, drives=(0.2, -0.4))) == 10
    assert [action.buttons for action in fan(KEYS, 3, held=["gas"])] == [
        (False, False, True),
        (True, False, True),
        (False, True, True),
    ]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: fan(STICK, 4), "odd"),
        (lambda: fan(STICK, 3, drives=(0.5,)), "gas"),
        (lambda: fan(ActionSpec((), ("A",)), 3), "axis, or a left and a right button"),
        (lambda: fan(STICK, 3, held=["Z"]), "No channel Z"),
        (lambda: plan(depth=0), "depth 0"),
        (lambda: plan(hold_s=0.0), "hold_s 0"),
        (lambda: plan(fan=()), "0 actions"),
    ],
)
def test_what_makes_no_search_is_refused_in_a_sentence(make, match):
    with pytest.raises(KartError, match=match):
        make()


def test_as_a_teacher_it_labels_in_the_games_own_units_and_leaves_the_pupils_drive_as_it_is():
    def driven(game, driver):
        labels, places = [], []

        class Notes:
            def on_step(self, step):
                labels.append(step.choice.label)
                places.append((step.frame.state["x"], step.frame.state["y"]))

        drive(game, driver, seed=1003, max_steps=60, observers=[Notes()])
        return labels, np.array(places)

    with CarRacing() as game:
        pupil = Constant(SPEC.action(steer=0.05, throttle=0.3))
        _, alone = driven(game, pupil)
        labels, watched = driven(game, Corrected(pupil, Expert(SearchExpert(game, SEARCH, every_s=0.1))))
    np.testing.assert_allclose(watched, alone, atol=2e-3)
    assert all(label in SEARCH.fan for label in labels)
    assert len(set(labels)) > 1


def test_in_car_racing_it_beats_straight_ahead():
    with CarRacing() as game:
        straight = drive(game, Constant(game.cruise()), seed=1003, max_steps=200)
        searched = drive(game, Expert(SearchExpert(game, SEARCH)), seed=1003, max_steps=200)
    assert searched.score > straight.score + 50
    assert searched.off_track == 0
