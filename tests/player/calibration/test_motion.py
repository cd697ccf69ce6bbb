"""How fast a picture turns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.calibration.motion import grey, moving, shift, turning

NOISE = np.random.default_rng(5).integers(0, 256, (60, 400), np.uint8)
SMOOTH = sum(np.roll(NOISE.astype(np.float32), offset, 1) for offset in range(6)) / 6
ALL = np.ones((60, 80), np.float32)


def view(offset: int) -> np.ndarray:
    """A camera that has turned by so many pixels to the right: the scene goes to the left."""
    return np.roll(SMOOTH, -offset, 1)[:, 100:180].astype(np.uint8)


@given(st.integers(-20, 20))
def test_a_scene_that_is_shifted_is_found(offset: int) -> None:
    assert shift(view(0), view(offset), ALL) == pytest.approx(-offset, abs=0.3)


def test_a_display_that_stands_on_the_picture_does_not_pin_it() -> None:
    pictures = np.stack([view(4 * number) for number in range(8)])
    pictures[:, 20:40, 20:60] = NOISE[20:40, 20:60]  # larger than life, and in the middle
    mask = moving(pictures)
    assert not mask[20:40, 20:60].any()
    assert shift(pictures[0], pictures[1], mask) == pytest.approx(-4, abs=0.5)


def test_speed_is_in_widths_a_second_however_often_a_picture_is_seen() -> None:
    pictures = [view(0), view(0), view(4), view(4), view(8)]
    times_ns = [0, 25_000_000, 50_000_000, 75_000_000, 100_000_000]
    assert turning(pictures, times_ns, ALL) == pytest.approx(-1.0, abs=0.1)


def test_what_stands_half_of_the_time_has_half_the_speed() -> None:
    pictures = [view(offset) for offset in (0, 4, 4, 8, 8, 12, 12)]
    assert turning(pictures, [number * 50_000_000 for number in range(7)], ALL) == pytest.approx(-0.5, abs=0.1)


def test_a_picture_that_stands_has_no_speed() -> None:
    assert turning([view(0)] * 9, [number * 50_000_000 for number in range(9)], ALL) == 0.0


def test_grey_is_the_mean_of_the_colours() -> None:
    assert grey(np.full((2, 3, 3), (30, 60, 90), np.uint8)).tolist() == [[60] * 3] * 2
