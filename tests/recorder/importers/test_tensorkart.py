"""TensorKart's format: which files are taken for it, which rows are usable, and which picture a path means."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.controls import N64_SPEC
from recorder.importers.base import LeftOut, Row
from recorder.importers.pictures import find_picture
from recorder.importers.tensorkart import TensorKart, read_csv, ticks

GOOD = "img_0.png,0.5,-0.25,1,0,0\n"


def write(folder: Path, data: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_a_row_is_a_picture_and_what_the_driver_did(tmp_path: Path) -> None:
    rows, left_out = read_csv(write(tmp_path, GOOD))
    assert left_out == []
    assert rows == [Row(1, "img_0.png", N64_SPEC.action(steer=0.5, pitch=-0.25, A=True))]


axis = st.floats(-1, 1)
button = st.integers(0, 1)
paths = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(paths, axis, axis, button, button, button), min_size=1, max_size=20), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_csv_writer_wrote_is_read_again(tmp_path: Path, written: list[tuple], windows: bool) -> None:
    path = tmp_path / "data.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\r\n" if windows else "\n").writerows(written)
    rows, left_out = read_csv(path)
    assert left_out == []
    assert [(row.picture, *row.action.axes, *map(int, row.action.buttons)) for row in rows] == written


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("path,x,y,a,b,rb\n" + GOOD, "begins with a header ('path,x,y,a,b,rb')"),
        ("image,steer\n", "line 1 has 2 columns instead of 6"),
        (
            GOOD + "img_1.png,0.5,1\n" + GOOD,
            "line 2 has 3 columns instead of 6 (path, x, y, A, B, RB): 'img_1.png,0.5,1'",
        ),
        (GOOD.replace(",", ";"), "line 1 has 1 columns instead of 6"),
        (GOOD + "img_1.png,0.5,0,1,0,0,0\n", "line 2 has 7 columns"),
        (GOOD.encode() + b"\x89PNG\r\n\x1a\n\x00\x00", "line 3 holds bytes that are no text"),
        (GOOD.encode("utf-16"), "line 1 holds bytes that are no text"),
        ('"' + "x" * 200_000 + '",0,0,0,0,0\n', "line 1 cannot be read"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused_with_its_line(tmp_path: Path, data: str | bytes, cause: str) -> None:
    path = write(tmp_path, data)
    with pytest.raises(KartError) as error:
        read_csv(path)
    assert str(error.value).startswith(str(path))
    assert cause in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("img_1.png,1.5,0,1,0,0", "steer is 1.5, outside [-1, 1]"),
        ("img_1.png,0,-2,1,0,0", "pitch is -2, outside [-1, 1]"),
        ("img_1.png,nan,0,1,0,0", "steer is nan, outside [-1, 1]"),
        ("img_1.png,0,inf,1,0,0", "pitch is inf, outside [-1, 1]"),
        ("img_1.png,0,0,1,0.5,0", "B is 0.5, neither 0 nor 1"),
        ("img_1.png,0,0,1,0,2", "RB is 2, neither 0 nor 1"),
        ("img_1.png,0,left,1,0,0", "a label is no number: '0,left,1,0,0'"),
        ("img_1.png,0,0,1,,0", "a label is no number: '0,0,1,,0'"),
    ],
)
def test_a_row_with_an_impossible_label_is_left_out_by_its_number(tmp_path: Path, row: str, reason: str) -> None:
    rows, left_out = read_csv(write(tmp_path, GOOD + row + "\n" + GOOD))
    assert [item.line for item in rows] == [1, 3]
    assert left_out == [LeftOut(2, reason)]


def test_the_last_line_of_a_recorder_that_died_is_left_out(tmp_path: Path) -> None:
    rows, left_out = read_csv(write(tmp_path, GOOD + "img_1.png,0.5,"))
    assert len(rows) == 1
    assert left_out == [LeftOut(2, "the line breaks off")]


def test_a_full_deflection_that_rounding_put_beyond_the_end_is_full(tmp_path: Path) -> None:
    rows, left_out = read_csv(write(tmp_path, f"img_0.png,{-32768 / 32767},0,0,0,0\n"))
    assert left_out == []
    assert rows[0].action["steer"] == -1.0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_names_of_people_in_paths_do_no_harm(tmp_path: Path, encoding: str) -> None:
    rows, _ = read_csv(write(tmp_path, ("C:\\Users\\José\\" + GOOD).encode(encoding)))
    assert rows[0].picture == "C:\\Users\\José\\img_0.png"


@pytest.mark.parametrize(
    "written",
    [
        "img_7.png",
        "samples/2021/img_7.png",
        "./samples/2021/img_7.png",
        "../elsewhere/img_7.png",
        "/home/somebody/TensorKart/samples/2021/img_7.png",
        "samples\\2021\\img_7.png",
        "D:\\TensorKart\\samples\\2021\\img_7.png",
        " samples/2021/img_7.png",
    ],
)
def test_a_picture_beside_the_csv_is_found_whatever_its_path_was(tmp_path: Path, written: str) -> None:
    (tmp_path / "img_7.png").touch()
    assert find_picture(written, tmp_path) == tmp_path / "img_7.png"


def test_the_longest_end_of_the_path_wins(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for picture in ("img_0.png", "a/img_0.png"):
        (tmp_path / picture).touch()
    assert find_picture("samples/a/img_0.png", tmp_path) == tmp_path / "a" / "img_0.png"
    assert find_picture("samples/b/img_0.png", tmp_path) == tmp_path / "img_0.png"


def test_a_picture_elsewhere_is_found_by_the_path_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "img_0.png").touch()
    (tmp_path / "csv").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_picture("samples/img_0.png", tmp_path / "csv") == Path("samples/img_0.png")
    assert find_picture("samples\\img_0.png", tmp_path / "csv") == Path("samples/img_0.png")
    assert find_picture(str(tmp_path / "samples" / "img_0.png"), tmp_path / "csv") == tmp_path / "samples" / "img_0.png"


@pytest.mark.parametrize("written", ["img_9.png", "", "..", "/", "C:\\", "a" * 5000])
def test_a_picture_that_is_nowhere_is_none(tmp_path: Path, written: str) -> None:
    assert find_picture(written, tmp_path) is None


def rows_of(*names: str) -> list[Row]:
    return [Row(i, name, N64_SPEC.neutral()) for i, name in enumerate(names, 1)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a/img_0.png", "a/img_1.png", "a/img_5.png"], [0, 1, 5]),  # pictures were taken out
        (["a\\img_3.png", "a\\img_4.png"], [3, 4]),
        (["img_1.png", "img_0.png"], [0, 1]),  # not in order: counted
        (["img_2.png", "img_2.png"], [0, 1]),
        (["img_2.png", "flipped.png"], [0, 1]),
    ],
)
def test_the_numbers_in_the_names_are_the_ticks_where_they_grow(names: list[str], expected: list[int]) -> None:
    assert ticks(rows_of(*names)) == expected


def test_recordings_are_found_one_by_one_or_in_the_checkout_they_were_made_in(tmp_path: Path, make_lap) -> None:
    first, second = make_lap("one"), make_lap("two")
    assert TensorKart().find(first) == [first]
    assert TensorKart().find(first / "data.csv") == [first]
    assert TensorKart().find(first.parent) == [first, second]
    assert TensorKart().find(tmp_path) == [first, second]
    with pytest.raises(KartError, match=r"holds no data\.csv"):
        TensorKart().find(tmp_path / "nowhere")
