"""Driving with keys: they turn the wheel by and by, and what they do is what is recorded."""

from pathlib import Path

import pygame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Step
from kart_pipeline.core.store import Store
from kart_pipeline.driving.clock import Clock
from recorder.episode import Plan, Taken, record_episode
from recorder.keyboard import RETURN_PER_S, TURN_PER_S, KeyboardPad, ramp
from recorder.pads import Human
from recorder.window import Window

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A", "B"), mirrored_axes=("steer",))


class Hand:
    """A keyboard read at chosen times."""

    def __init__(self, window: Window, spec: ActionSpec = SPEC) -> None:
        self.time = 0.0
        self.pad = KeyboardPad(spec, window, now=lambda: self.time)

    def press(self, *keys: int) -> None:
        for key in keys:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))

    def release(self, *keys: int) -> None:
        for key in keys:
            pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))

    def after(self, seconds: float) -> dict[str, float]:
        self.time += seconds
        action = self.pad.read()
        return {name: float(action[name]) for name in action.spec.names}


@pytest.fixture
def hand(window: Window) -> Hand:
    return Hand(window)


def test_a_held_arrow_turns_the_wheel_further_and_further(hand: Hand) -> None:
    hand.press(pygame.K_RIGHT)
    assert hand.after(0.05)["steer"] == pytest.approx(0.05 * TURN_PER_S)
    assert hand.after(0.05)["steer"] == pytest.approx(0.10 * TURN_PER_S)
    for _ in range(10):
        hand.after(0.05)
    assert hand.after(0.05)["steer"] == 1.0
    hand.release(pygame.K_RIGHT)
    assert hand.after(0.05)["steer"] == pytest.approx(1 - 0.05 * RETURN_PER_S)
    for _ in range(10):
        hand.after(0.05)
    assert hand.after(0.05)["steer"] == 0.0


def test_left_is_negative_up_drives_and_down_brakes(hand: Hand) -> None:
    hand.press(pygame.K_LEFT, pygame.K_UP)
    values = hand.after(0.1)
    assert values["steer"] < 0 < values["throttle"]
    hand.release(pygame.K_UP)
    hand.press(pygame.K_DOWN)
    for _ in range(5):
        values = hand.after(0.1)
    assert values["throttle"] == -1.0


def test_opposite_arrows_cancel(hand: Hand) -> None:
    hand.press(pygame.K_LEFT, pygame.K_RIGHT)
    assert hand.after(0.1)["steer"] == 0.0


def test_a_long_pause_does_not_turn_the_wheel_all_the_way(hand: Hand) -> None:
    hand.press(pygame.K_RIGHT)
    assert hand.after(60.0)["steer"] < 0.5


def test_letters_are_the_buttons(hand: Hand) -> None:
    hand.press(pygame.K_x)
    assert (hand.after(0.1)["A"], hand.after(0.1)["B"]) == (1.0, 0.0)
    hand.press(pygame.K_c)
    hand.release(pygame.K_x)
    assert (hand.after(0.1)["A"], hand.after(0.1)["B"]) == (0.0, 1.0)


def test_a_game_with_one_axis_is_steered(window: Window) -> None:
    hand = Hand(window, ActionSpec(axes=("steer",)))
    hand.press(pygame.K_UP, pygame.K_LEFT)
    assert hand.after(0.1)["steer"] < 0


@given(st.floats(-1, 1), st.sampled_from([-1, 0, 1]), st.floats(0, 0.1))
def test_the_wheel_moves_towards_its_target_and_never_past_it(value: float, target: int, seconds: float) -> None:
    moved = ramp(value, target, seconds)
    assert -1 <= moved <= 1
    assert min(value, target) <= moved <= max(value, target)
    assert abs(moved - value) <= RETURN_PER_S * seconds + 1e-9


def test_a_drive_by_hand_is_paced_shown_and_recorded_until_escape(window: Window, road, store: Store) -> None:
    class Finger:
        """Presses right at the tenth step and Escape at the seventieth; a busy machine skips ticks, not steps."""

        def __init__(self) -> None:
            self.steps: list[int] = []

        def on_step(self, step: Step) -> None:
            self.steps.append(step.index)
            key = {10: pygame.K_RIGHT, 70: pygame.K_ESCAPE}.get(len(self.steps))
            if key:
                pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))

    finger = Finger()
    pad = KeyboardPad(road.spec, window)
    taken = record_episode(
        store,
        road,
        Human(pad),
        Plan("road", "keyboard", Path(store.url)),
        seed=1,
        about_driver={"kind": "human", **pad.about},
        observers=[window, finger],
        clock=Clock(road.rate_hz),
        should_stop=lambda: pad.done,
    )
    assert isinstance(taken, Taken)
    manifest = taken.manifest
    assert (manifest.ended, manifest.labelled) == ("stopped", manifest.steps)
    assert manifest.driver["mapping"] == {"steer": "left/right", "throttle": "down/up", "A": "x"}
    assert manifest.notes["cadence"]["target_hz"] == 50
    assert manifest.notes["cadence"]["hz"] < 52
    table = store.open(manifest.id).table(["step", "steer", "label_steer", "actor"])
    assert table["step"].to_pylist() == finger.steps
    assert len(finger.steps) == 71  # Escape is heard in the step after
    steer = table["steer"].to_pylist()
    assert steer == table["label_steer"].to_pylist()
    assert set(table["actor"].to_pylist()) == {"human"}
    assert all(value == 0 for value in steer[:10])
    assert 0 < steer[10] < steer[-1] == 1.0
    assert pygame.display.get_surface() is not None
