"""Logs of Udacity's simulator: three cameras a line, other people's paths, and the times in the pictures' names."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from recorder.importers.udacity import SPEC, read_log

WINDOWS = "C:\\Users\\José\\Desktop\\track1data\\IMG\\"
MILLISECONDS = (287, 354, 421, 487)


@pytest.fixture
def make_log(tmp_path: Path, paint):
    """A folder as the simulator's car leaves it; its pictures lie in IMG, wherever the paths say that they lie."""

    def make(
        numbers=((0.0, 1.0, 0.0, 22.1), (-0.5, 0.4, 0.0, 25.0), (0.95, 0.0, 0.7, 20.0), (0.2, 0.5, 0.0, 9.0)),
        *,
        prefix: str = WINDOWS,
        header: str = "",
        end: str = "\n",
        encoding: str = "utf-8",
        tail: str = "",
    ) -> Path:
        folder = tmp_path / "track1data"
        lines = [header] if header else []
        for i, (row, ms) in enumerate(zip(numbers, MILLISECONDS, strict=False)):
            names = [f"{camera}_2016_12_01_13_30_48_{ms}.jpg" for camera in ("center", "left", "right")]
            for camera, name in enumerate(names):
                paint(folder / "IMG" / name, 3 * i + camera)
            lines.append(",".join([*(prefix + name for name in names), *(f"{value:g}" for value in row)]))
        (folder / "driving_log.csv").write_bytes((end.join(lines) + end + tail).encode(encoding))
        return folder

    return make


HEADER = "center,left,right,steering,throttle,brake,speed"


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"prefix": "/home/somebody/sim/IMG/"},
        {"prefix": " IMG/", "header": HEADER},
        {"header": HEADER.replace("brake", "reverse"), "end": "\r\n", "encoding": "utf-8-sig"},
        {"encoding": "cp1252"},
    ],
)
def test_a_log_becomes_a_session_with_the_times_of_its_pictures(run, make_log, store: Store, how: dict) -> None:
    folder = make_log(**how)
    status, out, err = run("import", "udacity", folder)
    assert (status, err) == (0, "")
    assert "The left and right cameras were left out; --side-offset 0.15 makes sessions of them." in out
    (session_id,) = store.ids()
    session = store.open(session_id)
    manifest = session.manifest
    assert (manifest.game, manifest.spec, manifest.steps, manifest.codec) == ("udacity", SPEC, 4, "jpeg")
    assert manifest.rate_hz == pytest.approx(1000 / 67)
    steps = list(session.steps())
    assert [step.frame.t_ns // 1_000_000 for step in steps] == [0, 67, 134, 200]
    assert [step.index for step in steps] == [0, 1, 2, 3]
    assert [step.choice.action.axes for step in steps] == [
        pytest.approx(axes) for axes in [(0, 1), (-0.5, 0.4), (0.95, -0.7), (0.2, 0.5)]
    ]
    assert [step.frame.state["speed_mph"] for step in steps] == [22.1, 25.0, 20.0, 9.0]
    assert next(session.encoded()) == (folder / "IMG" / "center_2016_12_01_13_30_48_287.jpg").read_bytes()


def test_side_cameras_become_sessions_beside_the_first_with_corrected_labels(run, make_log, store: Store) -> None:
    folder = make_log()
    assert run("import", "udacity", folder, "--side-offset", "0.15", "--id", "lap")[0] == 0
    assert store.ids() == ["lap", "lap-left", "lap-right"]
    assert {store.manifest(session_id).group for session_id in store.ids()} == {"lap"}
    for session_id, labels in (("lap-left", [0.15, -0.35, 1.0, 0.35]), ("lap-right", [-0.15, -0.65, 0.8, 0.05])):
        table = store.open(session_id).table()
        assert table["label_steer"].to_pylist() == pytest.approx(labels)
        assert table["steer"].to_pylist() == pytest.approx([0.0, -0.5, 0.95, 0.2])
    left = next(store.open("lap-left").encoded())
    assert left == (folder / "IMG" / "left_2016_12_01_13_30_48_287.jpg").read_bytes()


def test_side_cameras_that_come_later_are_held_out_with_the_first(run, make_log, store: Store) -> None:
    folder = make_log()
    assert run("import", "udacity", folder, "--id", "lap")[0] == 0
    status, out, _ = run("import", "udacity", folder, "--side-offset", "0.2")
    assert status == 0
    assert "is in the store already, as lap" in out
    assert store.ids() == ["lap", "lap-left", "lap-right"]
    assert {store.manifest(session_id).group for session_id in store.ids()} == {"lap"}


def test_a_pause_between_two_recordings_is_known_for_one(run, make_log, store: Store) -> None:
    folder = make_log()
    log = folder / "driving_log.csv"
    log.write_text(log.read_text().replace("48_487.jpg", "58_487.jpg"))
    for picture in folder.glob("IMG/*_487.jpg"):
        picture.rename(picture.with_name(picture.name.replace("48_487", "58_487")))
    assert run("import", "udacity", folder)[0] == 0
    (session_id,) = store.ids()
    steps = [step.index for step in store.open(session_id).steps()]
    assert steps[:3] == [0, 1, 2]
    assert steps[3] == pytest.approx(2 + 10.066 * 1000 / 67, abs=1)
    assert store.manifest(session_id).notes["marks"]["pauses"] == [[3, steps[3] - 1]]


def test_lines_that_cannot_be_used_are_named(run, make_log, store: Store) -> None:
    folder = make_log(
        ((0, 1, 0, 9), (1.5, 1, 0, 9), (0, 1, -2, 9), (0.1, 1, 0, 9)), tail="C:\\IMG\\center_x.jpg,C:\\IMG\\le"
    )
    (folder / "IMG" / "center_2016_12_01_13_30_48_487.jpg").unlink()
    status, out, _ = run("import", "udacity", folder)
    assert status == 0
    assert "line 2: steering is 1.5, outside [-1, 1]" in out
    assert "line 3: brake is -2, outside [0, 1]" in out
    assert f"line 4: there is no picture {WINDOWS}center_2016" in out
    assert "line 5: the line breaks off" in out
    assert [store.manifest(session_id).steps for session_id in store.ids()] == [1]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "is empty"),
        ("a.jpg,b.jpg,c.jpg,0,5,0,8,0,22,1\n", "its numbers seem to have decimal commas, put points there"),
        ("img_0.png,0,0,1,0,0\n", "line 1 has 6 columns instead of 7 (center, left, right, steering"),
        ("center,left,right,angle\n", "its header lacks brake, speed, steering, throttle"),
        ("\x00\x01", "holds bytes that are no text"),
    ],
)
def test_a_file_that_is_no_such_log_is_refused(run, tmp_path: Path, text: str, cause: str) -> None:
    (tmp_path / "driving_log.csv").write_text(text)
    status, _, err = run("import", "udacity", tmp_path)
    assert (status, err.count("\n")) == (2, 1)
    assert cause in err


def test_side_cameras_that_nobody_recorded_are_refused(run, tmp_path: Path, paint, store: Store) -> None:
    paint(tmp_path / "IMG" / "a.jpg")
    (tmp_path / "driving_log.csv").write_text("IMG/a.jpg,,,0,0,0,0\n")
    status, _, err = run("import", "udacity", tmp_path, "--side-offset", "0.2")
    assert (status, store.ids()) == (2, [])
    assert "names no pictures of side cameras" in err


unit = st.floats(0, 1)
logs = st.lists(st.tuples(st.floats(-1, 1), unit, unit, st.floats(0, 200)), min_size=1, max_size=10)


@given(logs, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_simulator_wrote_is_read_again(tmp_path: Path, rows, end: str, header: bool, bom: bool) -> None:
    path = tmp_path / "driving_log.csv"
    lines = [HEADER] * header + [f"c{i}.jpg,l{i}.jpg,r{i}.jpg,{s},{t},{b},{v}" for i, (s, t, b, v) in enumerate(rows)]
    path.write_bytes(("\ufeff" * bom + end.join(lines) + end).encode())
    found, left_out = read_log(path)
    assert left_out == []
    assert [(line.steer, line.throttle, line.speed) for line in found] == [
        pytest.approx((s, t - b, v)) for s, t, b, v in rows
    ]
    assert [line.pictures["right"] for line in found] == [f"r{i}.jpg" for i in range(len(rows))]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=8).map(",".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "driving_log.csv"
    path.write_text("c.jpg,l.jpg,r.jpg,0,0,0,0\n" + text, encoding="utf-8", newline="")
    try:
        lines, left_out = read_log(path)
    except KartError as error:
        assert str(error).startswith(str(path))
        return
    assert lines[0].line == 1
    assert len({item.line for item in [*lines, *left_out]}) == len(lines) + len(left_out)
