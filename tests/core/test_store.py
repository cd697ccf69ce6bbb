"""Stores: folders and fsspec URLs hold the same sessions; names cannot leave them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store

Header = Callable[..., SessionHeader]
Steps = Callable[..., Iterator[Step]]


@pytest.fixture
def recorded(tmp_path: Path, header: Header, steps: Steps) -> Path:
    with Store(tmp_path / "here").create(header()) as writer:
        for step in steps(5):
            writer.append(step)
    return writer.folder


@pytest.fixture(params=["memory", "file"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = Store("memory://kart-test/sessions" if request.param == "memory" else (tmp_path / "there").as_uri())
    yield store
    for session_id in store.ids():
        store.remove(session_id)


def test_a_published_session_reads_the_same(recorded: Path, remote: Store) -> None:
    assert remote.ids() == []
    remote.publish(recorded)
    assert remote.ids() == ["s1"]
    session = remote.open("s1")
    session.verify()
    assert session.manifest == Store(recorded.parent).manifest("s1")
    assert [step.index for step in session.steps()] == [0, 1, 2, 3, 4]
    assert list(session.encoded()) == list(Store(recorded.parent).open("s1").encoded())


def test_publishing_again_changes_nothing_and_another_session_is_refused(
    recorded: Path, remote: Store, tmp_path: Path, header: Header, steps: Steps
) -> None:
    remote.publish(recorded)
    stamp = remote.stamp("s1")
    remote.publish(recorded)
    assert remote.stamp("s1") == stamp
    with Store(tmp_path / "other").create(header()) as writer:
        for step in steps(6):
            writer.append(step)
    with pytest.raises(KartError, match="already holds another session s1"):
        remote.publish(writer.folder)


def test_a_removed_session_is_gone(recorded: Path, remote: Store) -> None:
    remote.publish(recorded)
    remote.remove("s1")
    assert remote.ids() == []
    with pytest.raises(KartError, match="There is no session s1"):
        remote.remove("s1")
    with pytest.raises(KartError, match="There is no finished session s1"):
        remote.manifest("s1")


def test_the_stamp_of_a_replaced_session_differs(tmp_path: Path, header: Header, steps: Steps) -> None:
    store = Store(tmp_path)
    stamps = set()
    for count in (3, 4):
        with store.create(header()) as writer:
            for step in steps(count):
                writer.append(step)
        stamps.add(store.stamp("s1"))
        store.remove("s1")
    assert len(stamps) == 2


@pytest.mark.parametrize("name", ["../s1", "..", "a/b", "C:x", ""])
def test_a_name_that_leaves_the_store_is_refused(recorded: Path, name: str) -> None:
    store = Store(recorded.parent)
    for use in (store.open, store.remove, store.stamp):
        with pytest.raises(KartError, match="cannot be a session id"):
            use(name)
    assert recorded.exists()


def test_only_a_local_store_records(header: Header) -> None:
    store = Store("memory://kart-test/sessions")
    assert store.local_path is None
    with pytest.raises(KartError, match="record locally and publish"):
        store.create(header())


def test_only_a_local_session_is_mapped(recorded: Path, remote: Store) -> None:
    remote.publish(recorded)
    session = remote.open("s1")
    if remote.local_path is None:
        with pytest.raises(KartError, match="only a local one can be mapped"):
            session.map()
    else:
        assert len(session.map()) == 5


def test_an_unfinished_session_cannot_be_published(tmp_path: Path, remote: Store) -> None:
    (tmp_path / "s9").mkdir()
    with pytest.raises(KartError, match="holds no finished session"):
        remote.publish(tmp_path / "s9")


def test_an_unknown_kind_of_store_is_refused() -> None:
    with pytest.raises(KartError, match="cannot be opened"):
        Store("nosuch://bucket")


def test_a_local_store_is_listed_once_however_many_sessions_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        folder = tmp_path / f"s{number:02}"
        folder.mkdir()
        (folder / ("manifest.json" if number % 2 else "recording.arrows")).touch()
    listed: list[str] = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or real(path))
    assert Store(tmp_path).ids() == [f"s{number:02}" for number in range(1, 20, 2)]
    assert listed == [str(tmp_path)]
    assert Store(tmp_path).unfinished() == [f"s{number:02}" for number in range(0, 20, 2)]


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("nowhere", "file"):
        assert Store(tmp_path / name).ids() == []


def test_manifests_are_those_that_can_be_read(tmp_path: Path, header: Header, steps: Steps) -> None:
    store = Store(tmp_path)
    for name in ("s1", "s2", "s3"):
        with store.create(header(id=name)) as writer:
            writer.append(next(steps(1)))
    (tmp_path / "s2" / "manifest.json").write_text("{")
    assert store.ids() == ["s1", "s2", "s3"]
    assert [manifest.id for manifest in store.manifests()] == ["s1", "s3"]
