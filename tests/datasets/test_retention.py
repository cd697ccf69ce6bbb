"""What nobody needs goes, what somebody needs stays, and a kill in the middle leaves nothing that looks whole."""

from pathlib import Path

import pytest
from filelock import FileLock

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets import retention
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.frames_info import read_frames_info
from kart_pipeline.datasets.retention import dead_frames, remove


def found(root: Path, live: set[str], sessions: set[str]) -> dict[tuple[str, str], str]:
    dead = dead_frames(root, dict.fromkeys(live, "in use"), sessions)
    return {(item.folder.parent.name, item.folder.name): item.reason for item in dead}


@pytest.fixture
def built(record, contract, root: Path) -> str:
    """The frames of one session; the contract's hash."""
    build_frames(record(steer=[0.0] * 5), contract, root)
    return str(contract.hash)


def session_of(root: Path, built: str) -> str:
    return next(item.name for item in (root / "frames" / built).iterdir() if not item.name.startswith("."))


def test_frames_of_a_contract_in_force_and_a_session_that_is_there_stay(root: Path, built: str) -> None:
    name = session_of(root, built)
    assert found(root, {built}, {name}) == {}
    assert found(root, set(), {name}) == {(built, name): "its contract is in force nowhere"}
    assert found(root, {built}, set()) == {(built, name): "its session is not in the store"}
    assert found(root / "nowhere", {built}, {name}) == {}


def test_what_is_removed_is_gone_with_all_that_lay_around_it(root: Path, built: str) -> None:
    (dead,) = dead_frames(root, {}, set())
    assert dead.bytes > 0
    remove(dead)
    assert list((root / "frames").iterdir()) == []


def test_frames_that_are_being_built_are_left_alone(root: Path, built: str) -> None:
    (dead,) = dead_frames(root, {}, set())
    with FileLock(dead.folder.with_name(f".{dead.folder.name}.lock")), pytest.raises(KartError, match="left alone"):
        remove(dead)
    assert read_frames_info(root, built, dead.folder.name) is not None


def test_a_removal_that_was_killed_leaves_no_frames_and_is_finished_by_the_next(
    root: Path, built: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dead,) = dead_frames(root, {}, set())
    name = dead.folder.name

    def killed(folder: Path, **_: object) -> None:
        if folder.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(retention.shutil, "rmtree", killed)
        remove(dead)
    assert read_frames_info(root, built, name) is None
    assert found(root, {built}, {name}) == {(built, f".{name}.removing"): "it was left half removed"}
    remove(next(dead_frames(root, {built: ""}, {name})))
    assert found(root, set(), set()) == {}
