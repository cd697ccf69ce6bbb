import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import WHOLE, Colour, Contract, Inset
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.augment import (
    HIDDEN,
    augment,
    brighten,
    changed_labels,
    check_augmentation,
    patch_mask,
    resample,
    source_columns,
    turn_hue,
)
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.pipeline import HAS_XLA

SPEC = ActionSpec(("steer", "throttle"), ("A", "L", "R"), ("steer",), (("L", "R"),))
CONTRACT = Contract(SPEC, 10, width=10, height=4, colour="rgb")
NOTHING = HyperParameters(mirror=0.0, shift=0.0, brightness=0.0, patches=0)


def pictures(count: int = 3, contract: Contract = CONTRACT) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).integers(0, 256, (count, *contract.input_shape), np.uint8))


def moved(images: tf.Tensor, mirrored: list[bool], shift: list[int]) -> np.ndarray:
    width = int(images.shape[2])
    return resample(images, source_columns(width, tf.constant(mirrored), tf.constant(shift))).numpy()


def test_a_mirrored_picture_is_reversed_from_left_to_right() -> None:
    images = pictures(2)
    assert np.array_equal(moved(images, [True, False], [0, 0])[0], images[0].numpy()[:, ::-1])
    assert np.array_equal(moved(images, [True, False], [0, 0])[1], images[1].numpy())


def test_mirroring_twice_gives_pictures_and_labels_back() -> None:
    images, labels = pictures(), tf.constant([[0.5, 1, 1, 0, 1], [-1, 0, 0, 1, 0], [0, -1, 1, 1, 1]], tf.float32)
    flip, still = tf.constant([True] * 3), tf.zeros(3, tf.int32)
    columns = source_columns(10, flip, still)
    assert np.array_equal(resample(resample(images, columns), columns), images)
    once = changed_labels(labels, flip, still, CONTRACT, 0.0)
    assert not np.array_equal(once, labels)
    assert np.array_equal(changed_labels(once, flip, still, CONTRACT, 0.0), labels)


def test_mirroring_negates_steering_swaps_paired_buttons_and_leaves_the_rest() -> None:
    labels = tf.constant([[0.5, 0.25, 1, 1, 0], [0.5, 0.25, 1, 1, 0]], tf.float32)
    changed = changed_labels(labels, tf.constant([True, False]), tf.zeros(2, tf.int32), CONTRACT, 0.0).numpy()
    assert changed.tolist() == [[-0.5, 0.25, 1, 0, 1], [0.5, 0.25, 1, 1, 0]]


def test_mirroring_agrees_with_the_spec() -> None:
    labels = np.random.default_rng(1).uniform(-1, 1, (6, len(SPEC))).astype(np.float32)
    changed = changed_labels(tf.constant(labels), tf.ones(6, tf.bool), tf.zeros(6, tf.int32), CONTRACT, 0.0)
    assert np.array_equal(changed, SPEC.mirror(labels))


@pytest.mark.parametrize(("shift", "expected"), [(2, [0, 0, 0, 1, 2]), (-2, [2, 3, 4, 4, 4]), (0, [0, 1, 2, 3, 4])])
def test_a_shift_to_the_right_is_positive_and_repeats_the_edge(shift: int, expected: list[int]) -> None:
    assert source_columns(5, tf.constant([False]), tf.constant([shift])).numpy().tolist() == [expected]


def test_a_mirrored_and_shifted_picture_is_mirrored_first() -> None:
    images = pictures(1)
    both = moved(images, [True], [3])
    assert np.array_equal(both, moved(tf.constant(moved(images, [True], [0])), [False], [3]))


def test_steering_buttons_cannot_be_corrected_for_a_shift() -> None:
    spec = ActionSpec((), ("L", "R"), mirrored_buttons=(("L", "R"),))
    check_augmentation(spec, HyperParameters(mirror=0.5, shift=0.1))
    with pytest.raises(KartError, match="set shift_correction to 0"):
        check_augmentation(spec, HyperParameters(shift=0.1, shift_correction=1.0))


def test_labels_without_axes_are_mirrored_by_their_buttons() -> None:
    spec = ActionSpec((), ("L", "R", "gas"), mirrored_buttons=(("L", "R"),))
    contract = Contract(spec, 10, width=10, height=4, colour="rgb")
    images, labels = pictures(2, contract), tf.constant([[1.0, 0, 1], [0, 0, 1]])
    hyper = HyperParameters(mirror=1.0, shift=0.3, patches=0)
    _, changed = augment(images, labels, tf.constant(1, tf.int64), contract, hyper)
    assert changed.numpy().tolist() == [[0, 1, 1], [0, 0, 1]]


def test_a_correction_steers_towards_the_side_the_road_moved_to_and_stays_in_range() -> None:
    labels = tf.constant([[0.0, 0.0, 1, 0, 0], [0.0, 0.0, 1, 0, 0], [0.9, 0.5, 1, 0, 0]], tf.float32)
    shift = tf.constant([2, -2, 5])
    changed = changed_labels(labels, tf.zeros(3, tf.bool), shift, CONTRACT, correction=1.0).numpy()
    assert changed[:, 0] == pytest.approx([0.2, -0.2, 1.0])
    assert changed[:, 1:].tolist() == labels.numpy()[:, 1:].tolist()


@pytest.mark.parametrize("colour", ["rgb", "grey", "yuv"])
def test_all_frames_of_a_stack_are_changed_alike(colour: str) -> None:
    single = Contract(SPEC, 10, width=10, height=8, colour=colour)  # type: ignore[arg-type]
    stacked = Contract(SPEC, 10, width=10, height=8, colour=colour, stack=3)  # type: ignore[arg-type]
    hyper = HyperParameters(mirror=0.5, shift=0.3, brightness=0.4, patches=2, patch_size=0.6)
    images, labels, step = pictures(6, single), tf.zeros((6, len(SPEC))), tf.constant(7, tf.int64)
    alone, _ = augment(images, labels, step, single, hyper)
    together, _ = augment(tf.concat([images] * 3, axis=-1), labels, step, stacked, hyper)
    assert np.array_equal(together, np.concatenate([alone] * 3, axis=-1))
    assert not np.array_equal(alone, images)


def test_a_mirrored_input_mirrors_its_inset_too() -> None:
    contract = Contract(SPEC, 10, width=10, height=4, colour="rgb", inset=Inset(WHOLE, 4, 3))
    images, hyper = pictures(3, contract), HyperParameters(mirror=1.0, shift=0.0, brightness=0.0, patches=0)
    changed, _ = augment(images, tf.zeros((3, len(SPEC))), tf.constant(1, tf.int64), contract, hyper)
    assert np.array_equal(changed, images[:, :, ::-1])


@pytest.mark.parametrize("colour", ["rgb", "grey", "yuv"])
def test_shift_and_patches_change_the_main_picture_as_without_an_inset_and_leave_the_inset(colour: str) -> None:
    plain = Contract(SPEC, 10, width=10, height=8, colour=colour, stack=2)  # type: ignore[arg-type]
    contract = replace(plain, inset=Inset(WHOLE, 4, 3))
    images, labels, step = pictures(6, contract), tf.zeros((6, len(SPEC))), tf.constant(3, tf.int64)
    hyper = HyperParameters(mirror=0.0, shift=0.4, shift_correction=1.0, brightness=0.0, patches=2, patch_size=0.8)
    changed, after = augment(images, labels, step, contract, hyper)
    main, same = augment(images[:, :8], labels, step, plain, hyper)
    assert np.array_equal(changed[:, :8], main)
    assert np.array_equal(after, same)
    assert np.array_equal(changed[:, 8:], images[:, 8:])
    assert not np.array_equal(main, images[:, :8])


def test_an_inset_is_as_bright_as_the_main_picture() -> None:
    contract = Contract(SPEC, 10, width=6, height=4, colour="grey", inset=Inset(WHOLE, 2, 3))
    images = tf.fill((2, *contract.input_shape), tf.constant(100, tf.uint8))
    changed = brighten(images, tf.constant([1.5, 0.5]), contract).numpy()
    assert (changed[0] == 150).all()
    assert (changed[1] == 50).all()


def test_brightness_of_yuv_changes_y_alone_in_every_frame_of_a_stack() -> None:
    contract = Contract(SPEC, 10, width=6, height=4, colour="yuv", stack=2)
    images = tf.fill((2, *contract.input_shape), tf.constant(100, tf.uint8))
    changed = brighten(images, tf.constant([1.5, 0.5]), contract).numpy()
    assert changed[0, 0, 0].tolist() == [150, 100, 100, 150, 100, 100]
    assert changed[1, 0, 0].tolist() == [50, 100, 100, 50, 100, 100]


def test_brightness_of_rgb_changes_all_channels_and_saturates() -> None:
    images = tf.constant([[[[100, 200, 0]]]], tf.uint8)
    contract = Contract(SPEC, 10, width=1, height=1, colour="rgb")
    assert brighten(images, tf.constant([1.5]), contract).numpy().ravel().tolist() == [150, 255, 0]


def test_half_a_turn_of_the_hue_makes_each_colour_its_opposite_and_leaves_grey_and_light_alone() -> None:
    yuv = Contract(SPEC, 10, width=2, height=1, colour="yuv", stack=2)
    images = tf.constant([[[[90, 178, 108, 40, 128, 128]] * 2]], tf.uint8)
    changed = turn_hue(images, tf.constant([math.pi]), yuv).numpy()
    assert changed[0, 0].tolist() == [[90, 78, 148, 40, 128, 128]] * 2
    rgb = Contract(SPEC, 10, width=2, height=1, colour="rgb")
    images = tf.constant([[[[150, 100, 100], [77, 77, 77]]]], tf.uint8)
    changed = turn_hue(images, tf.constant([math.pi]), rgb).numpy()[0, 0]
    assert changed[1].tolist() == [77, 77, 77]
    assert changed[0, 0] < changed[0, 1] == changed[0, 2]  # cyan, the opposite of red
    assert luminance(changed[0]) == pytest.approx(luminance((150, 100, 100)), abs=1)


def luminance(rgb: Sequence[float]) -> float:
    return float(np.dot((0.299, 0.587, 0.114), rgb))


@pytest.mark.parametrize("colour", ["rgb", "yuv"])
def test_no_turn_of_the_hue_changes_no_value(colour: Colour) -> None:
    contract = replace(CONTRACT, colour=colour)
    images = pictures(2, contract)
    assert np.array_equal(turn_hue(images, tf.zeros(2), contract), images)


def test_grey_pictures_have_no_hue_to_turn() -> None:
    contract = replace(CONTRACT, colour="grey")
    images, labels = pictures(3, contract), tf.zeros((3, len(SPEC)))
    changed, _ = augment(images, labels, tf.constant(0, tf.int64), contract, replace(NOTHING, hue=1.0))
    assert np.array_equal(changed, images)


def test_a_factor_of_one_changes_no_value() -> None:
    images = tf.reshape(tf.range(256), (1, 16, 16, 1))
    contract = Contract(SPEC, 10, width=16, height=16, colour="grey")
    assert np.array_equal(brighten(tf.cast(images, tf.uint8), tf.constant([1.0]), contract), images)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 0.999), min_size=4, max_size=4), st.floats(0.1, 1))
def test_a_patch_is_a_rectangle_inside_the_picture_and_no_larger_than_asked(draws: list[float], size: float) -> None:
    hyper = HyperParameters(patches=1, patch_size=size)
    mask = patch_mask(tf.constant([[draw] for draw in draws], tf.float32), 20, 30, hyper).numpy()[0]
    rows, columns = mask.any(axis=1), mask.any(axis=0)
    assert np.array_equal(mask, rows[:, None] & columns[None, :])
    assert rows.sum() <= np.ceil(size * 20)
    assert columns.sum() <= np.ceil(size * 30)


def test_hidden_pixels_are_grey_and_the_others_stay() -> None:
    images = pictures(1)
    hidden = tf.constant(np.random.default_rng(2).random((1, 4, 10)) < 0.5)
    columns = source_columns(10, tf.constant([False]), tf.constant([0]))
    changed = resample(images, columns, hidden).numpy()
    assert (changed[hidden.numpy()] == HIDDEN).all()
    assert np.array_equal(changed[~hidden.numpy()], images.numpy()[~hidden.numpy()])


def test_the_same_seed_and_step_change_a_batch_the_same_way_and_others_otherwise() -> None:
    images, labels = pictures(8), tf.ones((8, len(SPEC)))
    hyper = HyperParameters(seed=5)

    def run(hyper: HyperParameters, step: int) -> bytes:
        changed, _ = augment(images, labels, tf.constant(step, tf.int64), CONTRACT, hyper)
        return bytes(changed.numpy().tobytes())

    assert run(hyper, 1) == run(hyper, 1)
    assert len({run(hyper, 1), run(hyper, 2), run(HyperParameters(seed=6), 1)}) == 3


@pytest.mark.skipif(not HAS_XLA, reason="TensorFlow has no XLA here")
@pytest.mark.parametrize("colour", ["yuv", "rgb", "grey"])
@pytest.mark.parametrize("inset", [None, Inset(WHOLE, 4, 2)])
def test_compiled_by_xla_it_is_the_same_to_the_bit(colour: Colour, inset: Inset | None) -> None:
    contract = replace(CONTRACT, colour=colour, inset=inset, stack=2)
    images, labels = pictures(8, contract), tf.random.stateless_uniform((8, len(SPEC)), seed=[1, 2])
    hyper = HyperParameters(seed=5, hue=0.1, shift=0.3, shift_correction=0.5, patches=2)
    plain, compiled = (
        augment(images, labels, tf.constant(3, tf.int64), contract, hyper, compiled=how) for how in (False, True)
    )
    assert not np.array_equal(plain[0], images)
    for one, other in zip(plain, compiled, strict=True):
        assert np.array_equal(one, other)


def test_augmentation_that_is_switched_off_changes_nothing() -> None:
    images, labels = pictures(4), tf.random.stateless_uniform((4, len(SPEC)), seed=[1, 2])
    changed = augment(images, labels, tf.constant(0, tf.int64), CONTRACT, NOTHING)
    assert np.array_equal(changed[0], images)
    assert np.array_equal(changed[1], labels)


def test_about_the_asked_share_of_rows_is_mirrored() -> None:
    labels = tf.ones((2000, len(SPEC)))
    hyper = HyperParameters(mirror=0.3, shift=0.0, brightness=0.0, patches=0)
    _, changed = augment(pictures(2000), labels, tf.constant(1, tf.int64), CONTRACT, hyper)
    assert (changed.numpy()[:, 0] < 0).mean() == pytest.approx(0.3, abs=0.04)


def test_mirroring_is_refused_where_the_spec_names_nothing_that_changes_sides() -> None:
    spec = ActionSpec(("steer",))
    with pytest.raises(KartError, match="does not say which channels change"):
        check_augmentation(spec, HyperParameters(mirror=0.5))
    check_augmentation(spec, HyperParameters(mirror=0.0))
