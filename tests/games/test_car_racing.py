import os

import gymnasium
import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.prepare import prepare
from kart_pipeline.games.car_racing import CONTRACT, SPEC, CarRacing


@pytest.fixture(scope="module")
def game():
    with CarRacing() as opened:
        yield opened


def blind(monkeypatch, game):
    """Physics without drawing: for tests that need many steps and no picture."""
    black = np.zeros((96, 96, 3), np.uint8)
    monkeypatch.setattr(game._env, "_render", lambda _mode: black)


def test_the_first_frame_shows_a_car_at_rest_on_the_track_of_its_seed(game):
    frame = game.reset(1234)
    assert frame.rgb.shape == (96, 96, 3)
    assert frame.t_ns == 0
    assert frame.state["speed"] == pytest.approx(0, abs=0.1)
    assert frame.state["off_track"] == 0
    assert frame.state["lap"] == 0
    assert (frame.state["x"], frame.state["y"]) == pytest.approx(tuple(game.centre_line()[0]), abs=1)
    assert game.track == game.group == checked_id("seed-1234")
    assert game.score == 0
    assert game.ended is None


def test_a_step_is_a_fiftieth_of_a_second_of_the_games_own_time(game):
    game.reset(1)
    assert [game.step(SPEC.neutral()).t_ns for _ in range(3)] == [20_000_000, 40_000_000, 60_000_000]


def test_positive_steering_turns_right_and_negative_left(game):
    def turn(steer):
        game.reset(1)
        for _ in range(40):
            game.step(SPEC.action(throttle=0.5))
        before = game.car().heading
        for _ in range(15):
            game.step(SPEC.action(steer=steer))
        return game.car().heading - before  # anticlockwise

    assert turn(0.2) < -0.05
    assert turn(-0.2) > 0.05


def test_positive_throttle_is_gas_and_negative_is_brake(game):
    game.reset(1)
    for _ in range(40):
        faster = game.step(SPEC.action(throttle=0.5)).state["speed"]
    for _ in range(10):
        slower = game.step(SPEC.action(throttle=-0.5)).state["speed"]
    assert faster > 20
    assert slower < faster - 5


def test_the_same_seed_and_actions_give_the_same_drive_in_any_order(game):
    def drive(seed):
        game.reset(seed)
        frames = [game.step(SPEC.action(steer=0.1 * np.sin(i), throttle=0.3)) for i in range(30)]
        return [frame.rgb.tobytes() for frame in frames], [dict(frame.state) for frame in frames], game.score

    first = drive(8)
    assert drive(9) != first
    assert drive(8) == first


def test_no_seed_means_a_new_track_whose_seed_is_named(game):
    game.reset()
    track, line = game.track, game.centre_line()
    game.reset()
    assert game.track != track
    game.reset(int(track.removeprefix("seed-")))
    assert np.array_equal(game.centre_line(), line)


def test_the_score_is_the_return_of_the_official_environment(game):
    official = gymnasium.make("CarRacing-v3", continuous=True)
    official.reset(seed=21)
    game.reset(21)
    total = 0.0
    for i in range(120):
        throttle, steer = (0.6, 0.02) if i < 100 else (-0.4, -0.1)
        command = np.array([steer, max(throttle, 0), max(-throttle, 0)], np.float32)
        total += float(official.step(command)[1])
        game.step(SPEC.action(steer=steer, throttle=throttle))
    official.close()
    assert game.score == pytest.approx(total)
    assert game.score > 0


def test_standing_still_ends_at_the_official_time_limit(game, monkeypatch):
    blind(monkeypatch, game)
    game.reset(3)
    steps = 0
    while game.ended is None:
        game.step(SPEC.neutral())
        steps += 1
    assert (steps, game.ended) == (gymnasium.spec("CarRacing-v3").max_episode_steps, "time limit")


def test_driving_off_the_field_ends_the_drive_and_costs_100_points(game, monkeypatch):
    blind(monkeypatch, game)
    game.reset(3)
    grass = 0.0
    while game.ended is None:
        before = game.score
        grass += game.step(SPEC.action(throttle=0.3)).state["off_track"]
    assert game.ended == "left the field"
    assert game.score == pytest.approx(before - 100)
    assert grass > 20


def test_the_lap_counts_with_the_frame_that_finishes_it(game, monkeypatch):
    blind(monkeypatch, game)
    frame = game.reset(4)
    expert = game.expert()
    expert.reset()
    while game.ended is None:
        assert frame.state["lap"] == 0
        frame = game.step(expert.action(frame))
    assert game.ended == "finished"
    assert frame.state["lap"] == 1


def test_no_step_is_taken_before_the_reset_or_after_the_end(monkeypatch):
    with CarRacing() as fresh:
        with pytest.raises(KartError, match="before its reset"):
            fresh.step(SPEC.neutral())
        fresh.neutral()
        blind(monkeypatch, fresh)
        fresh.reset(3)
        fresh.ended = "finished"
        with pytest.raises(KartError, match="after its end"):
            fresh.step(SPEC.neutral())


def test_neutral_takes_back_an_action_that_was_sent(game):
    game.reset(1)
    for _ in range(30):
        game.send(SPEC.action(throttle=1.0))
        game.neutral()
        frame = game.next_frame()
    assert frame.state["speed"] < 1


def places(game, seed, count=40):
    """Where displaced cars stand, from the road's middle, how they are turned and how fast they are."""
    found = []
    for number in range(count):
        game.reset(seed)
        frame = game.displace(np.random.default_rng(number))
        line, car = game.centre_line(), game.car()
        nearest = np.hypot(*(line - (car.x, car.y)).T).argmin()
        along = np.roll(line, -1, axis=0)[nearest] - np.roll(line, 1, axis=0)[nearest]
        astray = np.angle(np.exp(1j * (car.heading - np.arctan2(along[1], along[0]))))
        found.append((np.hypot(*(line[nearest] - (car.x, car.y))), astray, frame.state["speed"], nearest / len(line)))
    return np.array(found).T


def test_a_displaced_car_is_anywhere_beside_the_line_turned_and_rolling_but_not_the_wrong_way(game, monkeypatch):
    blind(monkeypatch, game)
    beside, astray, speed, where = places(game, 5)
    assert 8 < beside.max() < 13
    assert 0.5 < np.abs(astray).max() < 1.4
    assert 30 < speed.max() < 51
    assert where.min() < 0.2 < 0.8 < where.max()
    assert astray.min() < 0 < astray.max()


def test_a_displaced_car_rolls_straight_on(game, monkeypatch):
    blind(monkeypatch, game)
    game.reset(5)
    game.displace(np.random.default_rng(3))
    before = game.car()
    game.step(SPEC.neutral())
    after = game.car()
    assert before.speed > 5
    way = (after.x - before.x) + 1j * (after.y - before.y)
    assert way == pytest.approx(before.speed / 50 * np.exp(1j * before.heading), rel=0.03)
    assert abs(before.yaw_rate) < 0.05


def test_the_first_picture_of_a_displaced_car_is_near_as_in_all_later_ones(game):
    far = game.reset(5).rgb[:79]
    near = game.displace(np.random.default_rng(3)).rgb[:79]
    red = [(picture[..., 0].astype(int) - picture[..., 1] > 100).sum() for picture in (far, near)]  # of the car
    assert red[1] > 4 * max(red[0], 1)


def test_the_same_numbers_displace_the_car_to_the_same_place(game):
    first, again = ([game.reset(6), game.displace(np.random.default_rng(1))][1].rgb for _ in range(2))
    assert np.array_equal(first, again)


def test_the_expert_comes_back_from_where_a_displaced_car_stands(game, monkeypatch):
    blind(monkeypatch, game)
    back = 0
    for number in range(10):
        game.reset(5)
        frame = game.displace(np.random.default_rng(number))
        expert = game.expert()
        expert.reset()
        for _ in range(150):
            frame = game.step(expert.action(frame))
        line = game.centre_line()
        back += np.hypot(*(line - (frame.state["x"], frame.state["y"])).T).min() < 5 and frame.state["speed"] > 10
    assert back >= 9


def test_a_drive_that_runs_is_not_displaced(game):
    game.reset(1)
    game.step(SPEC.neutral())
    with pytest.raises(KartError, match="between its reset and the first step only"):
        game.displace(np.random.default_rng(1))


def test_the_spectators_picture_shows_the_same_moment_larger_and_changes_nothing(game):
    game.reset(1)
    for _ in range(60):
        frame = game.step(SPEC.action(throttle=0.2))
    picture = game.picture()
    assert picture.shape == (400, 600, 3)
    assert picture.dtype == np.uint8
    small = picture[:330].reshape(10, 33, 10, 60, 3).mean((1, 3))
    same = frame.rgb[:79].astype(float)
    rows, columns = (np.linspace(0, n, 11).astype(int) for n in (79, 96))
    cells = [
        [same[rows[i] : rows[i + 1], columns[j] : columns[j + 1]].mean((0, 1)) for j in range(10)] for i in range(10)
    ]
    assert np.abs(small - np.array(cells)).mean() < 8
    game.reset(1)
    for _ in range(60):
        again = game.step(SPEC.action(throttle=0.2))
    assert np.array_equal(frame.rgb, again.rgb)


def test_it_needs_no_screen_and_leaves_the_environment_alone(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    with CarRacing() as fresh:
        assert fresh.reset(1).rgb.any()
    assert dict(os.environ) == before


def test_the_contract_shows_road_and_speed_and_hides_the_other_instruments(game):
    game.reset(1)
    for _ in range(80):
        frame = game.step(SPEC.action(throttle=0.6))
    for _ in range(5):
        frame = game.step(SPEC.action(throttle=0.6, steer=0.5))
    source, seen = frame.rgb, prepare(CONTRACT, frame.rgb)
    assert np.array_equal(seen[:84], source[:84])
    assert seen[84:, 12:15].max() > 200  # the speed bar
    assert source[84:, 48:60].max() > 50  # the steering wheel's indicator …
    assert not seen[84:, 15:].any()  # … is gone
    assert not seen[84:, :12].any()


def test_the_speed_bar_that_the_contract_leaves_grows_with_speed(game):
    game.reset(1)
    bars, speeds = [], []
    for _ in range(120):
        frame = game.step(SPEC.action(throttle=0.4))
        bars.append(float(prepare(CONTRACT, frame.rgb)[84:, 12:15].sum()))
        speeds.append(frame.state["speed"])
    assert np.corrcoef(bars, speeds)[0, 1] > 0.98
