"""The course of a track: read from its files, and where on it a kart is."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.supertuxkart.line import DriveLine, read_line

SQUARE = DriveLine(
    np.array([[0, 0, 0], [0, 0, 100], [100, 0, 100], [100, 0, 0]], np.float64), np.array([5.0, 5.0, 5.0, 5.0])
)
# An eight: the way back crosses the way there on a bridge 8 m above it.
EIGHT = DriveLine(
    np.array([[-100, 0, 0], [100, 0, 0], [100, 0, 100], [0, 8, 100], [0, 8, -100], [-100, 0, -100]], np.float64),
    np.full(6, 4.0),
)


def test_the_middle_of_the_road_and_its_width_come_from_the_quads(square: Path) -> None:
    line = read_line(square)
    assert line.point(50.0) == pytest.approx([0, 0, 50], abs=0.1)
    assert line.length == pytest.approx(390, abs=15)
    place = line.place(np.array([3.0, 0.0, 50.0]))
    assert place.beside == pytest.approx(3.0, abs=0.1)
    assert 5 <= place.half_width <= 8


def test_a_fork_is_taken_the_main_way(square: Path) -> None:
    whole = read_line(square)
    graph = """<graph>
      <node-list from-quad="0" to-quad="3"/>
      <edge-line from="0" to="3"/>
      <edge from="3" to="0"/>
      <edge from="0" to="2"/>
    </graph>"""
    (square / "graph.xml").write_text(graph, encoding="utf-8")
    assert read_line(square).length == whole.length


def test_the_other_way_round_begins_at_the_same_point_and_is_as_long(square: Path) -> None:
    line = read_line(square)
    back = line.reversed()
    assert back.length == pytest.approx(line.length)
    for along in (0.0, 10.0, 123.0):
        assert back.point(along) == pytest.approx(line.point(line.length - along))
    assert back.place(line.point(100.0)).half_width == pytest.approx(line.place(line.point(100.0)).half_width)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("quads.xml", "<quads><quad", "cannot be read"),
        ("quads.xml", '<quads><quad p0="1 2"/></quads>', "cannot be read"),
        ("quads.xml", '<quads><quad p0="7:1" p1="0 0 0" p2="0 0 0" p3="0 0 0"/></quads>', "cannot be read"),
        ("graph.xml", '<graph><node-list from-quad="0" to-quad="3"/></graph>', "cannot be read"),
        ("graph.xml", '<graph><node-list from-quad="0" to-quad="9"/><edge-loop from="0" to="9"/></graph>', "cannot be"),
        (
            "graph.xml",
            '<graph><node-list from-quad="0" to-quad="3"/><edge from="0" to="1"/><edge from="1" to="1"/></graph>',
            "does not lead back",
        ),
    ],
)
def test_a_damaged_track_is_named(square: Path, file: str, text: str, said: str) -> None:
    (square / file).write_text(text, encoding="utf-8")
    with pytest.raises(KartError, match=said) as caught:
        read_line(square)
    assert str(square) in str(caught.value)


def test_a_track_without_a_course_is_named(square: Path) -> None:
    (square / "quads.xml").unlink()
    with pytest.raises(KartError, match="no course to drive along"):
        read_line(square)


@given(st.floats(0, 399.99), st.floats(-20, 20))
def test_a_point_of_the_line_is_found_again_however_high_the_kart_jumps(along: float, up: float) -> None:
    point = SQUARE.point(along) + np.array([0, up, 0])
    place = SQUARE.place(point, near=along)
    apart = abs(place.along - along)
    assert min(apart, 400 - apart) < 1e-6
    assert place.beside < 1e-6


def test_the_line_goes_on_beyond_a_lap() -> None:
    assert SQUARE.point(400 + 30) == pytest.approx(SQUARE.point(30))
    assert SQUARE.point(-30) == pytest.approx(SQUARE.point(370))


def test_where_the_kart_was_before_says_which_of_two_roads_it_is_on() -> None:
    here = np.array([0.0, 5.0, 0.0])  # in a jump below the bridge, and nearer to that
    assert EIGHT.place(here).along == pytest.approx(500, abs=1)
    assert EIGHT.place(here, near=90.0).along == pytest.approx(100, abs=1)
    assert EIGHT.place(here, near=490.0).along == pytest.approx(500, abs=1)


def test_a_kart_that_was_put_elsewhere_is_found_there() -> None:
    assert SQUARE.place(np.array([100.0, 0, 50.0]), near=10.0).along == pytest.approx(250)
