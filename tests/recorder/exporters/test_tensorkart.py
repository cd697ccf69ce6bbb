"""A session that goes to TensorKart and comes back is the same; what TensorKart cannot hold is refused."""

from pathlib import Path

import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.store import Store


def all_of(store: Store, session_id: str) -> list:
    session = store.open(session_id)
    return [
        (step.index, step.frame.t_ns, step.choice.action, step.choice.label, picture)
        for step, picture in zip(session.steps(), session.encoded(), strict=True)
    ]


@pytest.mark.parametrize("codec", ["png", "jpeg"])
def test_what_is_exported_and_imported_again_has_the_same_steps(
    run, make_session, store: Store, tmp_path: Path, codec: str
) -> None:
    make_session(steps=[0, 1, 2, 5, 6, 9], codec=codec)
    status, out, err = run("export", "s1", "--to", "tensorkart", tmp_path / "samples")
    assert (status, err) == (0, "")
    assert "s1: 6 rows; the format has no clock, the rate was 20 Hz (--rate)" in out
    assert run("import", "tensorkart", tmp_path / "samples", "--rate", "20", "--id", "again")[0] == 0
    assert all_of(store, "again") == all_of(store, "s1")


def test_the_columns_and_paths_are_those_of_tensorkarts_recorder(run, make_session, tmp_path: Path) -> None:
    action = next(make_session().steps()).choice.action
    run("export", "s1", "--to", "tensorkart", tmp_path / "samples")
    first = (tmp_path / "samples" / "s1" / "data.csv").read_text().splitlines()[0].split(",")
    assert first[0] == "samples/s1/img_0.png"
    assert (tmp_path / first[0]).is_file()
    assert [float(cell) for cell in first[1:]] == pytest.approx([*action.axes, *map(int, action.buttons)])


def test_the_video_of_a_session_becomes_pictures(run, make_session, tmp_path: Path) -> None:
    make_session(codec="h264")
    assert run("export", "s1", "--to", "tensorkart", tmp_path / "samples")[0] == 0
    pictures = sorted((tmp_path / "samples" / "s1").glob("img_*.png"))
    assert len(pictures) == 6
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_steps_of_a_policy_are_left_out_and_counted(run, make_session, tmp_path: Path) -> None:
    make_session(alone=[1, 2])
    status, out, _ = run("export", "s1", "--to", "tensorkart", tmp_path / "samples")
    assert status == 0
    assert "s1: 4 rows, 2 without a label left out" in out
    assert not (tmp_path / "samples" / "s1" / "img_1.png").exists()


def test_what_tensorkart_has_no_columns_for_is_refused(run, make_session, tmp_path: Path) -> None:
    make_session("car", spec=ActionSpec(("steer", "gas")))
    make_session("alone", alone=range(6))
    for session_id, cause in (("car", "session car has steer, gas"), ("alone", "Session alone has no labels")):
        status, _, err = run("export", session_id, "--to", "tensorkart", tmp_path / "samples")
        assert (status, err.count("\n")) == (2, 1)
        assert cause in err
    assert not (tmp_path / "samples").exists()


def test_several_sessions_are_a_folder_each(run, make_session, tmp_path: Path) -> None:
    make_session("s1")
    make_session("s2", steps=range(3))
    assert run("export", "s1", "s2", "--to", "tensorkart", tmp_path / "deep" / "samples")[0] == 0
    assert sorted(path.name for path in (tmp_path / "deep" / "samples").iterdir()) == ["s1", "s2"]
