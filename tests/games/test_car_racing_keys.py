import numpy as np
import pytest

from kart_pipeline.core.prepare import prepare
from kart_pipeline.driving.drivers import make_driver
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.car_racing import CarRacing
from kart_pipeline.games.car_racing_keys import CONTRACT_OF_KEYS, CarRacingKeys


@pytest.fixture(scope="module")
def game():
    with CarRacingKeys() as opened:
        yield opened


@pytest.fixture
def blind(monkeypatch, game):
    """Physics without drawing: whole drives in a fraction of a second."""
    black = np.zeros((96, 96, 3), np.uint8)
    monkeypatch.setattr(game._env, "_render", lambda _mode: black)
    return game


def hold(game, steps, **keys):
    for _ in range(steps):
        frame = game.step(game.spec.action(**keys))
    return frame


def turn(game, **keys):
    game.reset(1)
    hold(game, 30, gas=True)
    before = game.car().heading
    hold(game, 15, **keys)
    return game.car().heading - before  # anticlockwise


def test_left_and_right_turn_the_car_and_both_together_do_not(blind):
    assert turn(blind, left=True) > 0.05
    assert turn(blind, right=True) < -0.05
    assert turn(blind, left=True, right=True) == turn(blind)


def test_gas_drives_and_brake_slows(blind):
    blind.reset(1)
    faster = hold(blind, 30, gas=True).state["speed"]
    slower = hold(blind, 10, brake=True).state["speed"]
    assert slower < faster - 10
    assert faster > 20


def test_keys_do_what_the_wheel_and_the_pedals_can_do_at_their_ends(blind, monkeypatch):
    with CarRacing() as other:
        monkeypatch.setattr(other._env, "_render", lambda _mode: np.zeros((96, 96, 3), np.uint8))
        other.reset(2)
        blind.reset(2)
        for _ in range(60):
            keys = blind.step(blind.spec.action(left=True, gas=True))
            pad = other.step(other.spec.action(steer=-1.0, throttle=1.0))
            assert keys.state == pad.state
        for _ in range(20):
            keys, pad = blind.step(blind.spec.action(brake=True)), other.step(other.spec.action(throttle=-0.8))
            assert keys.state == pad.state
        assert blind.score == other.score


@pytest.mark.parametrize("seed", [4001, 4002, 4003])
def test_its_expert_finishes_fast(blind, seed):
    result = drive(blind, make_driver("expert", blind), seed=seed)
    assert result.ended == "finished"
    assert result.score > 900


def test_what_the_expert_presses_follows_from_the_moment_and_not_from_what_it_pressed_before(blind):
    frame = blind.reset(4004)
    driving = blind.expert()
    driving.reset()
    pressed = np.zeros(4)
    while blind.ended is None:
        action = driving.action(frame)
        pressed += action.vector()
        fresh = blind.expert()
        if blind._steps % 20 == 0:
            fresh.reset()
            assert fresh.action(frame) == action
        frame = blind.step(action)
    assert (pressed > 0).all()


def test_knocked_fingers_leave_the_line_and_the_expert_brings_the_car_back(blind):
    worst, calm = (drive(blind, make_driver(name, blind, seed=1), seed=4005) for name in ("noisy-expert", "expert"))
    assert worst.off_track > calm.off_track == 0
    assert worst.progress > 0.9


def test_standing_with_gas_and_brake_is_a_slow_roll_straight_ahead(blind):
    blind.reset(1)
    speeds = [blind.step(blind.cruise()).state["speed"] for _ in range(100)]
    assert 2 < np.mean(speeds[50:]) < 10


def test_its_contract_is_that_of_car_racing_with_keys(game):
    frame = game.reset(1)
    assert prepare(CONTRACT_OF_KEYS, frame.rgb).shape == (96, 96, 3)
    assert CONTRACT_OF_KEYS.spec.axes == ()
    assert CONTRACT_OF_KEYS.spec.mirror(np.array([1, 0, 1, 0])).tolist() == [0, 1, 1, 0]
