"""A window of ours never lies over what is recorded."""

from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.desktop.rect import Rect
from recorder.live.placing import beside, framed, overlap

FULL_HD = Rect(0, 0, 1920, 1080)
sides = st.integers(16, 2500)
rects = st.builds(Rect, st.integers(-500, 2000), st.integers(-500, 1200), sides, sides)


@given(recorded=rects, second=st.booleans(), size=st.tuples(st.integers(100, 900), st.integers(100, 900)))
def test_a_place_is_on_a_monitor_and_free_with_its_frame(recorded: Rect, second: bool, size: tuple[int, int]) -> None:
    monitors = [FULL_HD, *([Rect(1920, 0, 1280, 1024)] if second else [])]
    found = beside(recorded, monitors, size)
    if found is None:
        return
    place, scale = found
    assert (place.width, place.height) == (round(size[0] * scale), round(size[1] * scale))
    assert not overlap(place, recorded)
    assert any(framed(place).within(monitor) == framed(place) for monitor in monitors)


def test_the_whole_of_the_only_monitor_leaves_no_room_and_a_second_one_does() -> None:
    assert beside(FULL_HD, [FULL_HD], (480, 500)) is None
    assert beside(FULL_HD, [FULL_HD, Rect(1920, 0, 1280, 1024)], (480, 500)) == (Rect(1928, 40, 480, 500), 1.0)


def test_a_smaller_window_is_shown_where_there_is_no_room_for_a_whole_one() -> None:
    found = beside(Rect(0, 0, 1500, 1080), [FULL_HD], (480, 500))
    assert found == (Rect(1508, 40, 360, 375), 0.75)


def test_a_title_bar_that_reaches_into_the_picture_is_an_overlap() -> None:
    recorded = Rect(0, 0, 320, 240)
    assert overlap(Rect(100, 250, 100, 100), recorded)
    assert not overlap(Rect(100, 280, 100, 100), recorded)
