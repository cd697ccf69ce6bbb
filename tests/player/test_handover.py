"""A person's pad in BizHawk or keys at SuperTuxKart take the controls from a model, and give them back."""

from contextlib import ExitStack

import numpy as np
import pytest

from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.games.bizhawk.consoles import N64_SPEC
from kart_pipeline.games.registry import make_game
from player.handover import hands, under_hands

DRIVEN = N64_SPEC.action(steer=-0.5, A=True)


class Model:
    name = "model"

    def reset(self):
        pass

    def act(self, _):
        return Choice(DRIVEN, "policy")


def frame(seconds):
    return Frame(np.zeros((4, 4, 3), np.uint8), round(seconds * 1e9))


@pytest.fixture
def game(home):
    with make_game("bizhawk") as opened:
        yield opened


def test_a_stick_that_rests_beside_its_middle_takes_nothing():
    assert not hands(N64_SPEC.action(steer=0.1, pitch=-0.1)).moved
    assert hands(N64_SPEC.action(steer=0.3)).steers
    pressed = hands(N64_SPEC.action(B=True))
    assert (pressed.moved, pressed.steers) == (True, False)


def test_whoever_moves_the_pad_drives_in_that_step_until_they_let_go(game):
    driver = under_hands(Model(), game, print, ExitStack())
    driver.reset()
    assert driver.act(frame(0)).action == DRIVEN
    game.held = N64_SPEC.action(steer=1.0)
    taken = driver.act(frame(0.1))
    assert (taken.actor, taken.action["steer"], taken.label) == ("human", 1.0, game.held)
    assert taken.by_hand
    game.held = N64_SPEC.neutral()
    assert driver.act(frame(0.5)).actor == "human"
    assert driver.act(frame(1.2)).action == DRIVEN


def test_other_games_are_left_as_they_are():
    model = Model()
    with make_game("car_racing") as car:
        assert under_hands(model, car, print, ExitStack()) is model
