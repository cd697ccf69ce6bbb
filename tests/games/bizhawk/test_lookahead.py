"""A search over an emulator, judged by numbers of its memory.

CarRacing stands in for the emulator. It is told what BizHawk would be: what to press for so many frames, and states by
name; and it answers with numbers.
"""

import math

import pytest

from kart_pipeline.core.frame import Frame
from kart_pipeline.games.bizhawk.lookahead import Lookahead
from kart_pipeline.games.bizhawk.memory import Memory
from kart_pipeline.games.bizhawk.plans import plan
from kart_pipeline.games.bizhawk.tables import FILE, load_tables
from kart_pipeline.games.car_racing import SPEC, CarRacing
from kart_pipeline.games.search import SearchExpert

TABLE = """
[car_racing]
title = "CarRacing"
system = "GYM"
roms = ["00"]
order = "little"
progress = { lap = "laps_driven", laps = 1 }
search = { steers = 9, hold_s = 0.24, coast_s = 0.3, off_track = 0.05, change = 0.0005 }
[car_racing.values.laps_driven]
address = 0
type = "f32"
[car_racing.values.speed]
address = 4
type = "f32"
[car_racing.values.off_track]
address = 8
type = "u8"
all_in = [8]
"""
GAS = 0.1  # that the pad's plan leaves alone: in an emulator it is a button that is held


class Emulator:
    """CarRacing behind a pad, in frames of 50 a second."""

    def __init__(self, game):
        self.game = game
        self.kept = {}
        self.count = 0
        self.frames = 0
        self.hurried = False

    def save(self):
        self.count += 1
        self.kept[f"kept {self.count}"] = self.game.save()
        return f"kept {self.count}"

    def load(self, name):
        self.game.load(self.kept[name])

    def forget(self, name):
        del self.kept[name]

    def hurry(self, on):
        self.hurried = on
        self.game.hurry(on)

    def hold(self, action, frames):
        assert self.hurried
        self.frames += frames
        pad = SPEC.action(steer=action["steer"], throttle=GAS)
        return self.numbers(self.game.advance(pad, frames)) if self.game.ended is None else self.last

    def numbers(self, told):
        self.last = {
            "laps_driven": (told["progress"] + 1) / 3,  # finer than what frames tell, and above 0
            "speed": told["speed"],
            "off_track": 8 if told["off_track"] else 1,
        }
        return self.last


@pytest.fixture
def table(tmp_path):
    (tmp_path / FILE).write_text(TABLE)
    return load_tables(tmp_path)["car_racing"]


@pytest.fixture
def emulator():
    with CarRacing() as game:
        yield Emulator(game)


def test_a_search_over_the_emulator_beats_straight_ahead(emulator, table):
    game, memory = emulator.game, Memory(table)
    ahead = Lookahead(emulator, memory, name="car_racing", spec=SPEC, rate_hz=25.0, frames=2)
    expert = SearchExpert(ahead, plan(table, SPEC))
    reached = []
    for driver in (None, expert):
        frame = game.reset(1003)
        for _ in range(120):
            told = memory.state(emulator.numbers(dict(frame.state)))
            steer = expert.action(Frame(frame.rgb, frame.t_ns, told))["steer"] if driver else 0.0
            for _ in range(2):
                frame = game.step(SPEC.action(steer=steer, throttle=GAS))
        reached.append(frame.state)
    straight, searched = reached
    assert searched["progress"] > 1.5 * straight["progress"]
    assert (straight["off_track"], searched["off_track"]) == (1, 0)
    assert emulator.kept == {}
    assert not emulator.hurried


def test_a_look_costs_what_the_docs_say(emulator, table):
    emulator.game.reset(1003)
    ahead = Lookahead(emulator, Memory(table), name="car_racing", spec=SPEC, rate_hz=25.0, frames=2)
    made = plan(table, SPEC)
    SearchExpert(ahead, made).action(Frame(emulator.game.picture(), 0, {"progress": 0.3}))
    steps = round(made.hold_s * 25) + round(made.coast_s * 25)
    assert emulator.frames == 9 * steps * 2


def test_the_end_of_a_race_is_seen_and_taken_back(emulator, table):
    ahead = Lookahead(emulator, Memory(table), name="car_racing", spec=SPEC, rate_hz=25.0, frames=2)
    emulator.game.reset(1003)
    emulator.numbers = lambda _: {"laps_driven": 1.0, "speed": 0.0, "off_track": 1}
    before = ahead.save()
    ahead.hurry(True)
    assert math.isclose(ahead.advance(SPEC.neutral(), 1)["progress"], 1.0)
    assert ahead.ended == "finished"
    ahead.load(before)
    assert ahead.ended is None
