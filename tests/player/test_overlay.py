import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from player.picture.overlay import LEAST_WIDTH, MOST_WIDTH, Overlay, Reading

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A", "RB"), mirrored_axes=("steer",))


def reading(**changes) -> Reading:
    action = changes.pop("action", SPEC.neutral())
    return Reading(
        **{"driver": "car_racing v3", "track": "seed-7", "action": action, "seconds": 1.0, "score": 5.0} | changes
    )


def drawn(picture: np.ndarray | None = None, **changes) -> tuple[Overlay, np.ndarray]:
    picture = np.full((400, 600, 3), 90, np.uint8) if picture is None else picture
    overlay = Overlay(SPEC, picture.shape[1], picture.shape[0])
    return overlay, overlay.draw(picture, reading(**changes))


@given(st.integers(8, 2500), st.integers(8, 1600))
def test_every_size_becomes_even_and_a_comfortable_width(width, height):
    overlay = Overlay(SPEC, width, height)
    assert overlay.width % 2 == overlay.height % 2 == 0
    assert LEAST_WIDTH <= overlay.width <= MOST_WIDTH
    assert overlay.height > height * overlay.width / width


def test_a_small_picture_is_enlarged_by_a_whole_factor_with_sharp_pixels():
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[10, 20] = 255, 0, 0
    _, image = drawn(picture)
    assert image.shape[1] == 480
    rows, columns = np.nonzero(image[:480, :, 0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (50, 54, 100, 104)
    assert (image[50:55, 100:105] == (255, 0, 0)).all()


def test_the_picture_of_the_game_stays_untouched_above_the_panel():
    picture = np.random.default_rng(0).integers(0, 255, (400, 600, 3), np.uint8)
    _, image = drawn(picture)
    assert (image[:400] == picture).all()
    assert image.shape[1:] == (600, 3)


def coloured(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Columns of the panel that hold pixels of a colour."""
    return np.flatnonzero((image[400:] == colour).all(axis=2).any(axis=0))


STEER, FORWARD, BACKWARD, LAMP = (86, 180, 233), (0, 178, 130), (230, 110, 30), (240, 200, 60)


def test_the_steering_bar_grows_from_the_middle_to_the_side_that_is_steered_to():
    left = coloured(drawn(action=SPEC.action(steer=-0.5))[1], STEER)
    right = coloured(drawn(action=SPEC.action(steer=0.5))[1], STEER)
    further = coloured(drawn(action=SPEC.action(steer=1.0))[1], STEER)
    assert left.max() < right.min()
    assert len(further) == pytest.approx(2 * len(right), abs=2)


@pytest.mark.parametrize(("throttle", "colour"), [(0.7, FORWARD), (-0.7, BACKWARD)])
def test_gas_and_brake_have_colours_of_their_own(throttle, colour):
    image = drawn(action=SPEC.action(throttle=throttle))[1]
    other = {FORWARD: BACKWARD, BACKWARD: FORWARD}[colour]
    assert len(coloured(image, colour))
    assert not len(coloured(image, other))


def test_a_brake_axis_of_its_own_brakes_above_zero():
    spec = ActionSpec(axes=("brake",))
    picture = np.zeros((400, 600, 3), np.uint8)
    image = Overlay(spec, 600, 400).draw(picture, reading(action=spec.action(brake=0.5)))
    assert len(coloured(image, BACKWARD))


def test_a_lamp_is_lit_while_its_button_is_pressed():
    assert not len(coloured(drawn()[1], LAMP))
    assert len(coloured(drawn(action=SPEC.action(RB=True))[1], LAMP))


def test_the_progress_line_is_as_long_as_the_share_that_is_done():
    image = drawn(progress=0.25)[1]
    line = (image[401] == LAMP).all(axis=1)
    assert line[:149].all()
    assert not line[152:].any()


@pytest.mark.parametrize(
    "changes",
    [{"seconds": 9.5}, {"score": 812.0}, {"progress": 0.5}, {"speed": 2.0}, {"driver": "x"}, {"track": "y"}],
)
def test_every_figure_of_the_reading_is_visible(changes):
    assert (drawn(**changes)[1] != drawn()[1]).any()


def test_what_the_network_sees_is_shown_in_the_corner_within_bounds():
    seen = np.full((66, 200, 3), (200, 10, 20), np.uint8)
    image = drawn(seen=seen)[1]
    rows, columns = np.nonzero((image == (200, 10, 20)).all(axis=2))
    assert rows.max() < 130
    assert columns.min() > 400
    tall = drawn(seen=np.full((300, 100, 3), (200, 10, 20), np.uint8))[1]
    assert np.nonzero((tall == (200, 10, 20)).all(axis=2))[0].max() < 130


def test_a_banner_lies_across_the_middle():
    image = drawn(banner="finished")[1]
    assert (image[200] != 90).any()
    assert (image[100] == 90).all()


def test_a_title_that_is_too_long_does_not_reach_the_speed_at_the_right():
    long = drawn(driver="d" * 90, track="t" * 90, speed=1.0)[1]
    short = drawn(driver="d", track="t", speed=1.0)[1]
    assert (long[400:430, 555:] == short[400:430, 555:]).all()


def test_who_drives_takes_the_place_of_the_speed_in_their_own_colour():
    assert len(coloured(drawn(who="you drive", colour=(1, 250, 2))[1], (1, 250, 2)))


def test_the_chart_goes_below_and_leaves_the_rest_as_it_was():
    picture = np.full((400, 600, 3), 90, np.uint8)
    plain, with_chart = Overlay(SPEC, 600, 400), Overlay(SPEC, 600, 400, chart=True)
    assert with_chart.height > plain.height
    assert with_chart.height % 2 == 0
    above = plain.draw(picture, reading())
    for second in range(4):
        image = with_chart.draw(picture, reading(seconds=second, action=SPEC.action(steer=0.5)))
    assert image[: plain.height].shape == above.shape
    assert (image[:400] == above[:400]).all()
    line = np.flatnonzero((image[plain.height :] == STEER).all(axis=2).any(axis=0))
    assert line.max() > 570
    assert line.max() - line.min() > 150
