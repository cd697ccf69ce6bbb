"""Frames of one even size from pictures of any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.desktop.scaling import Scaler

Sizes = st.tuples(st.integers(16, 90), st.integers(16, 90))


def picture(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 4), (30, 20, 10, 99), np.uint8)


@given(sizes=st.lists(Sizes, min_size=1, max_size=4), height=st.sampled_from([0, 32, 64]))
def test_all_frames_have_the_even_size_of_the_first_and_their_colour(sizes: list[tuple[int, int]], height: int) -> None:
    scaler = Scaler(height)
    frames = [scaler.frame(picture(*size)) for size in sizes]
    shape = frames[0].shape
    assert shape[0] % 2 == shape[1] % 2 == 0
    assert shape[0] <= (height or 90)
    for frame in frames:
        assert frame.shape == shape
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        assert (frame == (10, 20, 30)).all()


@pytest.mark.parametrize(
    ("size", "height", "frame"),
    [
        ((640, 480), 240, (320, 240)),
        ((1920, 1080), 240, (426, 240)),
        ((640, 480), 0, (640, 480)),
        ((641, 481), 0, (640, 480)),
        ((320, 200), 240, (320, 200)),
    ],
)
def test_pictures_are_scaled_down_and_never_up(size: tuple[int, int], height: int, frame: tuple[int, int]) -> None:
    scaler = Scaler(height)
    assert scaler.frame(picture(*size)).shape == (frame[1], frame[0], 3)
    assert scaler.size == frame


def test_what_is_not_scaled_keeps_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (49, 65, 4), np.uint8)
    assert (Scaler(0).frame(pixels) == pixels[:48, :64, 2::-1]).all()


def test_half_the_size_is_the_mean_of_four_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8)
    mean = pixels[..., 2::-1].reshape(32, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(Scaler(32).frame(pixels) - mean).max() <= 0.5 + 1e-9


def test_a_frame_is_not_changed_by_the_next() -> None:
    scaler, pixels = Scaler(0), picture(32, 32)
    frame = scaler.frame(pixels)
    pixels[:] = 0
    scaler.frame(pixels)
    assert (frame == (10, 20, 30)).all()
