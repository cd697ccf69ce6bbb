"""Trimming, deleting and bringing back, from the command line: nothing is lost by any of them."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from kart_pipeline.core.store import Store

CAPTURE = ("capture", "--game", "car_racing", "--max-steps", "60")


@pytest.fixture
def session_id(run, store: Store) -> str:
    """A session of 60 steps, 50 a second."""
    assert run(*CAPTURE)[0] == 0
    (found,) = store.ids()
    return found


def test_seconds_are_left_out_and_brought_back_and_the_recording_stays_as_it_is(run, store, session_id: str) -> None:
    status, out, _ = run("trim", session_id, "--leave-out", "0.2-0.4", "--leave-out", "1-")
    assert status == 0
    assert "left out: 0.20 to 0.40 s (steps 10 to 20)" in out
    assert f"21 of 60 steps of {session_id} are left out" in out
    assert store.open(session_id).edits.left_out == ((10, 20), (50, 59))
    assert "steps 10 to 20 left out, steps 50 to 59 left out" in run("info", session_id)[1]
    run("trim", session_id, "--bring-back", "12-14", "--steps")
    assert store.open(session_id).edits.left_out == ((10, 11), (15, 20), (50, 59))
    run("trim", session_id, "--undo")
    assert store.open(session_id).edits.left_out == ((10, 20), (50, 59))
    assert f"Nothing is left out of {session_id}." in run("trim", session_id, "--clear")[1]
    store.open(session_id).verify()
    run("trim", session_id, "--undo")
    assert "21 of 60" in run("trim", session_id)[1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--leave-out", "soon"), "'soon' is no range; write it as 12.5-15 in seconds"),
        (("--leave-out", "7-9"), "The session has no step from 7 to 9 s; it lasts 1.2 s."),
        (("--leave-out", "70-90", "--steps"), "no step from 70 to 90; its steps go from 0 to 59"),
        (("--undo",), "There is no change to take back."),
    ],
)
def test_what_cannot_be_trimmed_is_said(run, session_id: str, options, sentence: str) -> None:
    status, _, err = run("trim", session_id, *options)
    assert status == 2
    assert sentence in err


def test_an_export_leaves_out_what_was_left_out_and_says_so(run, make_lap, store: Store, tmp_path: Path) -> None:
    run("import", "tensorkart", make_lap(), "--id", "s1")
    steps = store.manifest("s1").steps
    run("trim", "s1", "--leave-out", "0-1", "--steps")
    status, out, _ = run("export", "s1", "--to", "tensorkart", tmp_path / "out")
    assert status == 0
    assert "2 steps of s1 are left out" in out
    pictures = [*(tmp_path / "out").rglob("*.png")]
    assert len(pictures) == steps - 2
    Image.open(pictures[0]).load()


def test_what_is_deleted_comes_back_as_it_was(run, store: Store, session_id: str) -> None:
    run("trim", session_id, "--leave-out", "0-0.5")
    before = {path.name: path.read_bytes() for path in (Path(store.url) / session_id).iterdir()}
    assert "`python -m recorder restore " in run("delete", session_id)[1]
    assert store.ids() == []
    assert store.unfinished() == []
    assert run("trash")[1].startswith(session_id)
    assert f"{session_id} is back in" in run("restore", session_id)[1]
    assert {path.name: path.read_bytes() for path in (Path(store.url) / session_id).iterdir()} == before
    assert "The trash is empty." in run("trash")[1]


def test_two_deletions_of_one_name_are_both_kept_and_nothing_is_overwritten(run, store, session_id: str) -> None:
    folder, copy = Path(store.url) / session_id, Path(store.url) / "aside"
    shutil.copytree(folder, copy)
    run("delete", session_id)
    copy.rename(folder)
    assert "The store has a session" in run("restore", session_id)[2]
    run("delete", session_id)
    assert [line.split()[0] for line in run("trash")[1].splitlines()] == [session_id, f"{session_id}.2"]
    assert run("restore", f"{session_id}.2")[0] == 0
    store.open(session_id).verify()
    assert "deleted for good" in run("trash", "--empty")[1]
    assert "There is no" in run("restore", session_id)[2]
    assert store.ids() == [session_id]
