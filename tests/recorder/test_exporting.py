"""Exports are whole or not there, and nothing that exists is written over."""

from pathlib import Path

import pytest

from recorder.exporters.lerobot import LeRobot


@pytest.fixture
def session(run, make_lap) -> str:
    run("import", "tensorkart", make_lap(), "--id", "s1")
    return "s1"


@pytest.mark.parametrize("form", ["tensorkart", "lerobot"])
@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_a_target_that_exists_is_refused(run, session: str, tmp_path: Path, form: str, kind: str) -> None:
    target = tmp_path / "there"
    if kind == "folder":
        target.mkdir()
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "nowhere")
    status, _, err = run("export", session, "--to", form, target)
    assert status == 2
    assert err == f"{target} exists already; an export makes a new folder, so name one that is not there.\n"
    assert kind != "file" or target.read_text() == "mine"


@pytest.mark.parametrize(
    ("argv", "cause"),
    [
        (["s2", "--to", "lerobot", "d"], "no finished session s2"),
        (["s1", "s1", "--to", "lerobot", "d"], "named twice"),
        (["s1", "--to", "rlds", "d"], "no format 'rlds' to export to; it is tensorkart or lerobot"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(
    run, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], cause: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = run("export", *argv)
    assert (status, err.count("\n")) == (2, 1)
    assert cause in err
    assert not Path("d").exists()


def test_an_export_that_is_interrupted_leaves_nothing(
    run, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())

    def interrupted(self, sessions, folder: Path, told) -> list[str]:
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(LeRobot, "write", interrupted)
    assert run("export", session, "--to", "lerobot", tmp_path / "d")[0] == 130
    assert sorted(tmp_path.iterdir()) == before


def test_a_target_that_came_meanwhile_is_not_replaced(
    run, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self, sessions, folder: Path, told) -> list[str]:
        self.target.mkdir()
        return []

    monkeypatch.setattr(LeRobot, "write", slow)
    status, _, err = run("export", session, "--to", "lerobot", tmp_path / "d")
    assert status == 2
    assert "exists already" in err
    assert list((tmp_path / "d").iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(run, make_lap, session: str, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(1_040_000))
    status, _, err = run("export", session, "--to", "tensorkart", small_disk / "d")
    assert (status, err.count("\n")) == (2, 1)
    assert "cannot be written" in err
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
