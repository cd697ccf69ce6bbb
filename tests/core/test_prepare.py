"""The one way from pixels to network input."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract, Filter, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.prepare import FrameStack, prepare, stack_steps

CONTRACT = Contract(ActionSpec(("steer",)), rate_hz=30, colour="rgb", width=40, height=20)


def noise(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@settings(max_examples=30)
@given(
    height=st.integers(10, 100),
    width=st.integers(10, 100),
    colour=st.sampled_from(["rgb", "yuv", "grey"]),
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    filter_=st.sampled_from(get_args(Filter)),
)
def test_the_result_is_always_uint8_of_the_contracts_shape(
    height: int, width: int, colour: str, size: tuple[int, int], filter_: Filter
) -> None:
    contract = replace(CONTRACT, colour=colour, width=size[0], height=size[1], filter=filter_)
    prepared = prepare(contract, noise(0, height, width))
    assert prepared.dtype == np.uint8
    assert prepared.shape == contract.frame_shape


def test_without_crop_resize_or_conversion_the_pixels_are_the_source() -> None:
    source = noise(1)
    np.testing.assert_array_equal(prepare(replace(CONTRACT, width=64, height=48), source), source)


def test_the_filter_area_takes_the_mean_of_whole_blocks() -> None:
    source = noise(7, height=60, width=160)
    blocks = source.reshape(20, 3, 40, 4, 3).mean(axis=(1, 3))
    seen = prepare(replace(CONTRACT, filter="area"), source)
    assert np.abs(seen - blocks).max() <= 0.5
    assert np.abs(prepare(CONTRACT, source) - blocks).max() > 10


def test_only_the_crop_matters() -> None:
    contract = replace(CONTRACT, crop=Region(0.25, 0.5, 0.75, 1))
    source = noise(2)
    other = source.copy()
    other[:24] = 0
    other[:, :16] = 0
    other[:, 48:] = 0
    np.testing.assert_array_equal(prepare(contract, other), prepare(contract, source))


def test_a_masked_region_cannot_be_seen_and_the_source_stays_as_it_was() -> None:
    contract = replace(CONTRACT, masks=(Region(0, 0, 10, 10, "pixel"),))
    source = noise(3)
    kept = source.copy()
    other = source.copy()
    other[:10, :10] = 255
    np.testing.assert_array_equal(prepare(contract, other), prepare(contract, source))
    np.testing.assert_array_equal(source, kept)


def test_grey_is_full_range_bt601_luma() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    contract = replace(CONTRACT, colour="grey", width=8, height=8)
    assert set(prepare(contract, red).ravel()) == {round(0.299 * 255)}
    y, cb, cr = prepare(replace(contract, colour="yuv"), red)[0, 0].tolist()
    assert (y, cr) == (76, 255)
    assert cb == pytest.approx(128 - 0.168736 * 255, abs=1)


@settings(max_examples=30)
@given(
    colour=st.sampled_from(["rgb", "yuv", "grey"]),
    inset=st.builds(
        Inset, st.just(Region(0.5, 0.25, 0.75, 0.75)), st.integers(1, 20).map(lambda n: 2 * n), st.integers(1, 30)
    ),
)
def test_an_inset_leaves_the_main_picture_as_it_is_and_stands_in_the_middle_below_it(colour: str, inset: Inset) -> None:
    source, plain = noise(8), replace(CONTRACT, colour=colour)
    seen = prepare(replace(plain, inset=inset), source)
    assert seen.shape == (20 + inset.height, 40, plain.channels)
    np.testing.assert_array_equal(seen[:20], prepare(plain, source))
    left = (40 - inset.width) // 2
    alone = prepare(replace(plain, crop=inset.region, width=inset.width, height=inset.height), source)
    np.testing.assert_array_equal(seen[20:, left : left + inset.width], alone)
    black = prepare(plain, np.zeros_like(source))[0, 0]
    beside = np.concatenate([seen[20:, :left], seen[20:, left + inset.width :]], axis=1)
    assert (beside == black).all()


def test_an_inset_shows_what_a_mask_takes_out_of_the_main_picture() -> None:
    where = Region(0, 0, 0.5, 0.5)
    white = np.full((48, 64, 3), 255, np.uint8)
    seen = prepare(replace(CONTRACT, masks=(where,), inset=Inset(where, 10, 6)), white)
    assert not seen[:9, :19].any()
    assert (seen[20:, 15:25] == 255).all()


def test_an_inset_beyond_the_source_is_refused() -> None:
    with pytest.raises(KartError, match="correct the crop, mask or inset"):
        prepare(replace(CONTRACT, inset=Inset(Region(0, 100, 640, 480, "pixel"), 10, 10)), noise(4))


def test_a_crop_beyond_the_source_is_refused() -> None:
    with pytest.raises(KartError, match="does not fit a 64x48 frame"):
        prepare(replace(CONTRACT, crop=Region(0, 100, 640, 480, "pixel")), noise(4))


def test_a_read_only_source_is_fine() -> None:
    source = noise(5)
    source.flags.writeable = False
    prepare(replace(CONTRACT, masks=(Region(0, 0, 0.5, 0.5),)), source)


@settings(max_examples=30)
@given(stack=st.integers(1, 4), stride=st.integers(1, 3), length=st.integers(1, 12))
def test_the_players_stack_is_the_trainers_stack(stack: int, stride: int, length: int) -> None:
    contract = replace(CONTRACT, stack=stack, stride=stride)
    sources = [noise(100 + i) for i in range(length)]
    frames = np.stack([prepare(contract, source) for source in sources])
    player = FrameStack(contract)
    for step, source in enumerate(sources):
        rows = stack_steps(contract, np.array([step]))[0]
        np.testing.assert_array_equal(player.push(source), np.concatenate(frames[rows], axis=-1))


def test_a_stack_forgets_the_last_drive() -> None:
    player = FrameStack(replace(CONTRACT, stack=2))
    player.push(noise(6))
    player.reset()
    stacked = player.push(noise(7))
    np.testing.assert_array_equal(stacked[..., :3], stacked[..., 3:])
