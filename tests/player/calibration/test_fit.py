"""From how fast a game turns to the response that makes its turning even."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from player.calibration.fit import Level, fit
from player.calibration.sweep import DEFLECTIONS


def game(dead_zone: float, power: float, reach: float, *, drift: float = 0.0, noise: float = 0.0) -> list[Level]:
    """What a game with these settings shows; the road itself bends by `drift`."""
    random = np.random.default_rng(7)

    def speed(deflection: float) -> float:
        share = np.clip((abs(deflection) - dead_zone) / (reach - dead_zone), 0, 1) ** power
        return float(-np.sign(deflection) * share + drift + noise * random.normal())

    return [Level(value, speed(value), speed(-value)) for value in DEFLECTIONS]


@settings(max_examples=40)
@given(st.floats(0, 0.3), st.floats(0.5, 2), st.floats(0.6, 1.0), st.floats(-0.3, 0.3))
def test_with_the_response_turning_grows_evenly_with_the_value(
    dead_zone: float, power: float, reach: float, drift: float
) -> None:
    fitted = fit(game(dead_zone, power, reach, drift=drift), 0.001)
    values = np.linspace(0.15, 1, 18)
    deflections = np.array([fitted.response.deflection(float(value)) for value in values])
    turned = np.clip((deflections - dead_zone) / (reach - dead_zone), 0, 1) ** power
    # Most is left where a root begins at a wide dead zone: the few deflections that are tried do not show where.
    assert np.sqrt(((turned - values) ** 2).mean()) < 0.08
    assert not fitted.backwards


def test_noise_in_what_is_seen_is_evened_out() -> None:
    fitted = fit(game(0.2, 1.0, 0.8, noise=0.03), 0.03)
    assert fitted.response.dead_zone == pytest.approx(0.2, abs=0.06)
    assert fitted.response.reach == pytest.approx(0.8, abs=0.08)
    assert 0 < fitted.left_over < 0.06


def test_a_picture_that_goes_where_the_stick_goes_is_noticed() -> None:
    turned = [Level(level.deflection, level.left, level.right) for level in game(0.1, 1, 1)]
    assert fit(turned, 0.001).backwards


def test_a_picture_that_does_not_move_tells_nothing() -> None:
    with pytest.raises(KartError, match=r"It cannot be told: with the stick at its ends .* Let the kart roll"):
        fit([Level(value, 0.0, 0.0) for value in DEFLECTIONS], 0.0)
    with pytest.raises(KartError, match="It cannot be told"):
        fit(game(0.1, 1, 1), 0.5)


def test_turning_that_does_not_grow_with_the_stick_tells_nothing() -> None:
    random = np.random.default_rng(3)
    with pytest.raises(KartError, match="does not turn more for more of the stick"):
        fit([Level(value, *random.normal(size=2)) for value in DEFLECTIONS], 0.01)
