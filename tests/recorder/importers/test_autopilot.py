"""Autopilot-TensorFlow's data.txt: degrees of a steering wheel, and never radians by mistake."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from recorder.importers.autopilot import read_data


@pytest.fixture
def make_drive(tmp_path: Path, paint):
    """A folder as the published sets are, with a picture for each number up to `pictures`."""

    def make(text: str = "0.jpg 0.000000\n1.jpg -270.0\n2.jpg 33.28\n", pictures: int = 3) -> Path:
        folder = tmp_path / "driving_dataset"
        for n in range(pictures):
            paint(folder / f"{n}.jpg", n)
        (folder / "data.txt").write_bytes(text.encode())
        return folder

    return make


def test_degrees_become_a_share_of_the_full_lock(run, make_drive, store: Store) -> None:
    folder = make_drive()
    assert run("import", "autopilot", folder, "--id", "a")[0] == 0
    table = store.open("a").table()
    assert table["steer"].to_pylist() == pytest.approx([0, -0.5, 33.28 / 540])
    assert table["t_ns"].to_pylist() == [0, 33_333_333, 66_666_667]
    manifest = store.manifest("a")
    assert (manifest.spec.names, manifest.codec) == (("steer",), "jpeg")
    assert (manifest.source["full_lock_degrees"], manifest.source["unit"]) == (540, "degrees")
    run("delete", "a")
    assert run("import", "autopilot", folder, "--id", "b", "--full-lock", "270")[0] == 0
    assert store.open("b").table()["steer"].to_pylist() == pytest.approx([0, -1, 33.28 / 270])


def test_the_times_of_later_sets_are_kept(run, make_drive, store: Store) -> None:
    text = (
        "0.jpg 20.5,2018-07-01 17:09:44:912\n1.jpg 21,2018-07-01 17:09:44:962\n"
        "2.jpg 22,2018-07-01 17:09:45:12\n3.jpg 22,2018-07-01 17:09:45:112\n"
    )
    assert run("import", "autopilot", make_drive(text, 4))[0] == 0
    (session_id,) = store.ids()
    steps = list(store.open(session_id).steps())
    assert [step.frame.t_ns // 1_000_000 for step in steps] == [0, 50, 100, 200]
    assert [step.index for step in steps] == [0, 1, 2, 4]
    assert store.manifest(session_id).rate_hz == pytest.approx(20)


def test_numbers_that_could_be_radians_are_asked_about(run, make_drive, store: Store) -> None:
    folder = make_drive(f"0.jpg 0\n1.jpg {-math.pi / 2}\n2.jpg 0.3\n")
    status, _, err = run("import", "autopilot", folder)
    assert (status, err.count("\n"), store.ids()) == (2, 1, [])
    assert "Say --unit radians, or --unit degrees." in err
    assert run("import", "autopilot", folder, "--unit", "radians", "--id", "r")[0] == 0
    assert store.open("r").table()["steer"].to_pylist() == pytest.approx([0, -90 / 540, math.degrees(0.3) / 540])
    run("delete", "r")
    assert run("import", "autopilot", folder, "--unit", "degrees", "--id", "d")[0] == 0
    assert store.open("d").table()["steer"].to_pylist()[1] == pytest.approx(-math.pi / 2 / 540)


def test_degrees_that_are_called_radians_are_refused(run, make_drive, store: Store) -> None:
    status, _, err = run("import", "autopilot", make_drive(), "--unit", "radians")
    assert (status, store.ids()) == (2, [])
    assert "angles up to 270: no wheel turns so many radians" in err


def test_lines_that_cannot_be_used_are_named(run, make_drive, store: Store) -> None:
    text = "\ufeff0.jpg 50\r\n1.jpg\r\n2.jpg nan\r\n3.jpg 700\r\n4.jpg west\r\n5.jpg 20\r\n6.jpg 20\r\n7.jpg 1"
    folder = make_drive(text, 6)
    status, out, _ = run("import", "autopilot", folder)
    assert status == 0
    for line in (
        "line 2: not a picture and an angle: '1.jpg'",
        "line 3: the angle is nan",
        "line 4: the angle is 700 degrees, beyond 540 (--full-lock)",
        "line 5: not a picture and an angle: '4.jpg west'",
        "line 7: there is no picture 6.jpg",
        "line 8: the line breaks off: '7.jpg 1'",
    ):
        assert line in out
    assert [store.manifest(session_id).steps for session_id in store.ids()] == [2]


def test_of_many_lines_that_cannot_be_used_the_first_are_named(run, make_drive, store: Store) -> None:
    status, out, _ = run("import", "autopilot", make_drive("".join(f"{n}.jpg 20\n" for n in range(50)), 3))
    assert status == 0
    (session_id,) = store.ids()
    first = "  line 23: there is no picture 22.jpg\n"
    assert f"{first}  … and 27 more; `python -m recorder info {session_id}` names all" in out
    assert len(store.manifest(session_id).notes["left_out"]) == 47


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "is empty"),
        ("hello\n", "line 1 is 'hello', not a picture and an angle"),
        ("\x00", "bytes that are no text"),
    ],
)
def test_a_file_that_is_no_such_list_is_refused(run, make_drive, text: str, cause: str) -> None:
    status, _, err = run("import", "autopilot", make_drive(text))
    assert (status, err.count("\n")) == (2, 1)
    assert cause in err


@pytest.mark.parametrize("angle", ["0", "3601", "nan", "x"])
def test_a_wheel_that_cannot_be_is_refused(make_drive, run, angle: str) -> None:
    with pytest.raises(SystemExit):
        run("import", "autopilot", make_drive(), "--full-lock", angle)


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=20), st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_read_again(tmp_path: Path, angles: list[float], end: str, timed: bool) -> None:
    path = tmp_path / "data.txt"
    time = ",2018-07-01 17:09:44:912" if timed else ""
    path.write_bytes("".join(f"{n}.jpg {angle:f}{time}{end}" for n, angle in enumerate(angles)).encode())
    lines, left_out = read_data(path)
    assert left_out == []
    assert [line.angle for line in lines] == pytest.approx(angles, abs=1e-6)
    assert all((line.time_ns is not None) == timed for line in lines)


@given(st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.txt"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        lines, left_out = read_data(path)
    except KartError as error:
        assert str(error).startswith(str(path))
        return
    assert all(math.isfinite(line.angle) and line.picture for line in lines)
    assert len({item.line for item in [*lines, *left_out]}) == len(lines) + len(left_out) > 0
