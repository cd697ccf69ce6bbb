"""The real game, on a person's desktop: they take over with its keys, and a killed player holds none."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from kart_pipeline.core.frame import Step, now_ns
from kart_pipeline.core.store import Store
from kart_pipeline.driving.drivers import Constant
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.registry import make_game
from kart_pipeline.games.supertuxkart.launcher import Race, RacePlan
from player.handover import under_hands
from player.record import Recording

pytestmark = [pytest.mark.usefixtures("supertuxkart"), pytest.mark.e2e]


def test_a_person_takes_over_by_the_games_own_keys_and_it_is_a_lesson(desktop: str, hands, tmp_path: Path) -> None:
    store, told, pressed, steps = Store(tmp_path / "sessions"), [], [], []

    class Presses:
        """A person who holds the left arrow from the 20th step to the 40th."""

        def on_step(self, step: Step) -> None:
            steps.append(step)
            if len(steps) == 20:
                pressed.append(hands.own_key("Left", True))
            elif len(steps) == 40:
                hands.own_key("Left", False)

    with make_game("supertuxkart", track="zengarden", disturbed=False) as game, ExitStack() as stack:
        driver = under_hands(Constant(game.cruise()), game, told.append, stack)
        recording = stack.enter_context(Recording(store, game, 0, {"kind": "constant"}))
        done = drive(game, driver, observers=[recording, Presses()], seed=0, max_steps=60)
        recording.finish(done)
    assert "Press an arrow key in the game and you drive" in told[0]
    session = store.open(store.ids()[0])
    session.verify()
    kept = list(session.steps())
    assert {step.choice.actor for step in kept[:20]} == {"constant"}  # its own keys are not taken for the person's
    after = [step for step in kept if step.frame.t_ns > pressed[0]]
    assert "human" in {step.choice.actor for step in after[:2]}, "not within one step"
    lessons = [step for step in kept if step.choice.label is not None]
    assert len(lessons) >= 10
    assert all(step.choice.intervention for step in lessons)
    assert min(step.choice.label["steer"] for step in lessons if step.choice.label) < -0.9


def test_kill_9_at_full_throttle_and_the_kart_rolls_out(racer, desktop: str, keys_down, soon, tmp_path: Path) -> None:
    race = Race(RacePlan("zengarden", 1), desktop)

    def speed() -> float:
        return (race.telemetry.latest or race.first).speed

    command = [str(Path(__file__).with_name("drive_toy.py")), str(racer.folder), "drive", "--window", "SuperTuxKart"]
    environ = {**os.environ, "KART_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    player = subprocess.Popen([sys.executable, *command], env=environ, stdout=subprocess.DEVNULL)
    try:
        end = now_ns() + 60e9
        while speed() < 4:
            assert player.poll() is None
            assert now_ns() < end, "the kart does not move"
            time.sleep(0.005)
        assert keys_down()
        player.kill()
        soon(lambda: not keys_down())
        fast = speed()
        time.sleep(1.5)
        assert not keys_down()
        assert speed() < fast - 0.5, "at full throttle it would be faster by now"
    finally:
        player.kill()
        player.wait()
        race.close()
