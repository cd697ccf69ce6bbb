import numpy as np
import pytest

from kart_pipeline.games.car_racing import SPEC, CarRacing


@pytest.fixture(scope="module")
def game():
    with CarRacing() as opened:
        yield opened


@pytest.fixture
def blind(monkeypatch, game):
    """Physics without drawing: whole drives in a fraction of a second."""
    black = np.zeros((96, 96, 3), np.uint8)
    monkeypatch.setattr(game._env, "_render", lambda _mode: black)
    return game


def drive(game, seed, before_step=None):
    frame = game.reset(seed)
    expert = game.expert()
    expert.reset()
    steering = []
    while game.ended is None:
        if before_step:
            before_step(len(steering))
        action = expert.action(frame)
        steering.append(action["steer"])
        frame = game.step(action)
    return frame, np.array(steering)


@pytest.mark.parametrize("seed", [4001, 4002, 4003])
def test_it_finishes_fast_and_steers_smoothly(blind, seed):
    frame, steering = drive(blind, seed)
    assert blind.ended == "finished"
    assert blind.score > 900
    assert frame.state["progress"] > 0.98
    assert np.abs(np.diff(steering)).mean() < 0.02


def test_it_comes_back_after_it_was_pushed_off_the_road_and_turned_around(blind):
    def push(step):
        if step == 200:
            hull = blind._env.car.hull
            for body in (hull, *blind._env.car.wheels):
                body.position = (body.position[0] + 15.0, body.position[1] + 15.0)
            hull.angularVelocity = 8.0

    drive(blind, 4004, push)
    assert blind.ended == "finished"
    assert blind.score > 700


def test_it_drives_the_same_when_asked_again(blind):
    _, first = drive(blind, 4005)
    drive(blind, 4006)
    _, again = drive(blind, 4005)
    assert np.array_equal(first, again)


def test_it_does_not_look_at_the_picture_but_at_the_game(game):
    frame = game.reset(4007)
    expert = game.expert()
    expert.reset()
    assert expert.action(frame)["throttle"] > 0.5  # it stands, and the start is straight
    assert expert.action(frame).spec == SPEC
