import numpy as np
import pytest

from kart_pipeline.games.car_racing import HALF_WIDTH, CarRacing
from kart_pipeline.games.car_racing_line import Tuning, curvature, smoothed, speeds


@pytest.fixture(scope="module")
def game():
    with CarRacing() as opened:
        yield opened


def circle(radius, count=200):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def gaps(line):
    return np.linalg.norm(np.roll(line, -1, axis=0) - line, axis=1)


def test_curvature_of_a_circle_is_one_over_its_radius():
    assert np.abs(curvature(circle(50.0))) == pytest.approx(np.full(200, 0.02), rel=1e-2)


def test_the_smoothed_line_stays_within_the_margin_and_bends_less(game):
    game.reset(4008)
    centre = game.centre_line()
    line = smoothed(centre, 3.6)
    assert np.linalg.norm(line - centre, axis=1).max() <= 3.6 + 1e-9 < HALF_WIDTH
    assert (curvature(line) ** 2).sum() < 0.8 * (curvature(centre) ** 2).sum()
    assert np.array_equal(smoothed(centre, 0.0), centre)


def test_curves_are_taken_at_the_lateral_limit_and_straights_at_top_speed():
    tuning = Tuning(lateral=100.0, top_speed=50.0)
    tight, wide = circle(9.0), circle(400.0)
    assert speeds(tight, gaps(tight), tuning) == pytest.approx(np.full(200, 30.0), rel=1e-2)
    assert speeds(wide, gaps(wide), tuning) == pytest.approx(np.full(200, 50.0))


def test_braking_begins_within_the_horizon_and_no_harder_than_planned(game):
    game.reset(4009)
    line = game.centre_line()
    gap, tuning = gaps(line), Tuning()
    profile = speeds(line, gap, tuning)
    slowing = profile**2 - np.roll(profile, -1) ** 2
    seen = profile < tuning.top_speed - 1e-9
    assert seen.any()
    # From one point of the profile to the next: v² falls by at most 2·a·s, but where a curve comes over the horizon.
    unforeseen = slowing > 2 * tuning.braking * gap + 1e-6
    assert not unforeseen[seen].any()
    blind_profile = speeds(line, gap, Tuning(horizon=0.0))
    assert (profile <= blind_profile + 1e-9).all()
    assert (profile < blind_profile - 1).any()
