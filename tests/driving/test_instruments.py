"""Pictures of what hands do: where the stick is, what is pressed, what was before."""

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.driving.instruments import (
    ALARM,
    BACKGROUND,
    FORWARD,
    GROOVE,
    LIT,
    STEER,
    TEXT,
    Colour,
    Headline,
    History,
    buttons,
    panel,
    panel_size,
    stick,
    strip_chart,
)

SPEC = ActionSpec(("steer", "pitch"), ("A", "B"), ("steer",))
KEYS = ActionSpec((), ("left", "right", "gas"), (), (("left", "right"),))


def where(picture, colour: Colour) -> tuple[float, float]:
    """The middle of what has this colour: x and y as shares of width and height."""
    rows, columns = np.nonzero((picture == colour).all(axis=2))
    assert len(rows), f"nothing has the colour {colour}"
    return columns.mean() / picture.shape[1], rows.mean() / picture.shape[0]


@pytest.mark.parametrize(("steer", "pitch"), [(0.0, 0.0), (-1.0, 0.0), (1.0, 1.0), (0.5, -0.5)])
def test_the_knob_is_where_the_stick_is_with_up_above(steer: float, pitch: float) -> None:
    x, y = where(stick(SPEC.action(steer=steer, pitch=pitch), 100), STEER)
    assert (x, y) == pytest.approx((0.5 + 0.36 * steer, 0.5 - 0.36 * pitch), abs=0.06)


def test_two_buttons_that_steer_are_a_stick_too() -> None:
    left, _ = where(stick(KEYS.action(left=True), 100), STEER)
    both, _ = where(stick(KEYS.action(left=True, right=True), 100), STEER)
    assert left < 0.3
    assert both == pytest.approx(0.5, abs=0.02)


def test_a_lamp_is_lit_while_its_button_is_pressed() -> None:
    assert where(buttons(SPEC.action(A=True), 200, 20), LIT)[0] < where(buttons(SPEC.action(B=True), 200, 20), LIT)[0]
    assert not (buttons(SPEC.neutral(), 200, 20) == LIT).all(axis=2).any()


def history(steering: list[float], *, aside: slice = slice(0, 0)) -> History:
    made = History(SPEC, 4.0)
    marked = [*range(len(steering))][aside]
    for i, steer in enumerate(steering):
        made.add(100 + i / 10, SPEC.action(steer=steer), aside=i in marked)
    return made


def test_the_chart_ends_at_its_right_edge_with_what_is_done_now() -> None:
    chart = strip_chart(history([-1.0] * 30 + [1.0] * 11), 400, 100)
    right, left = chart[:, 320:], chart[:, 20:280]
    assert where(right, STEER)[1] < 0.1
    assert where(left, STEER)[1] > 0.9


def test_what_is_older_than_the_chart_is_forgotten() -> None:
    made = history([1.0] * 100 + [0.0] * 41)
    assert len(made.arrays()[0]) == 41
    assert made.arrays()[0][[0, -1]] == pytest.approx([-4.0, 0.0])
    assert not (strip_chart(made, 400, 100)[:20] == STEER).all(axis=2).any()


def test_time_that_is_not_recorded_has_another_ground() -> None:
    chart = strip_chart(history([0.0] * 41, aside=slice(10, 21)), 400, 100)
    assert tuple(chart[10, 150]) == BACKGROUND
    assert tuple(chart[10, 50]) == tuple(chart[10, 250]) == GROOVE


def test_a_chart_of_nothing_yet_can_be_drawn() -> None:
    assert strip_chart(History(SPEC, 4.0), 40, 10).shape == (10, 40, 3)
    assert strip_chart(history([0.5]), 40, 10).shape == (10, 40, 3)
    assert strip_chart(History(KEYS, 4.0), 40, 10).shape == (10, 40, 3)


def test_the_panel_shows_the_frame_between_headline_and_instruments() -> None:
    rgb = np.full((240, 320, 3), (10, 200, 30), np.uint8)
    made = history([0.0, 1.0])
    picture = panel(rgb, made, Headline("recording"))
    assert picture.shape == (*panel_size((320, 240))[::-1], 3)
    assert tuple(picture[200, 240]) == (10, 200, 30)
    assert (picture[:26] == ALARM).all(axis=2).any(), "the red lamp"
    paused = panel(rgb, made, Headline("paused", lit=False, alarm="move it away"))
    assert not (paused[:26] == ALARM).all(axis=2).any()
    assert (paused[26:50] == ALARM).all(axis=2).mean() > 0.5


def test_what_somebody_else_would_do_is_a_ring_around_where_the_knob_would_be() -> None:
    picture = stick(SPEC.neutral(), 100, SPEC.action(steer=1.0))
    x, y = where(picture, TEXT)
    assert (x, y) == pytest.approx((0.86, 0.5), abs=0.03)


def test_a_second_line_makes_the_panel_taller_and_the_lamp_has_the_colour_of_who_drives() -> None:
    frame = np.zeros((40, 60, 3), np.uint8)
    plain = panel(frame, history([0.0]), Headline("the model drives", lamp=FORWARD))
    noted = panel(frame, history([0.0]), Headline("the model drives", lamp=FORWARD, note="p99 9 ms"))
    assert (plain.shape[1], plain.shape[0]) == panel_size((60, 40))
    assert (noted.shape[1], noted.shape[0]) == panel_size((60, 40), note=True)
    assert noted.shape[0] > plain.shape[0]
    assert (noted[:26, :26] == FORWARD).all(axis=2).any()


def test_the_pixels_of_a_small_input_can_be_seen_as_they_are() -> None:
    frame = np.zeros((4, 6, 3), np.uint8)
    frame[:, ::2] = 200
    shown = panel(frame, history([0.0]), Headline("x"), sharp=True)[26 : 26 + 300]
    assert set(np.unique(shown)) == {0, 200}
