"""What a tick finds to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.orchestration.reconcile import Changes, Known, Memory, reconcile


class CountingStore(Store):
    """A store that knows which manifests were read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.read: list[str] = []

    def manifest(self, session_id: str) -> Manifest:
        self.read.append(session_id)
        return super().manifest(session_id)


@pytest.fixture
def tick(settings: Settings) -> Callable[..., Changes]:
    """Reconcile with what an earlier tick knew, and the contracts as they are on disk."""

    def run(before: Changes | None = None, store: Store | None = None, **limits: int) -> Changes:
        known = before.known if before else {}
        return reconcile(store or Store(settings.store_url), Contracts.load(settings.home), known, **limits)

    return run


def test_an_empty_store_asks_for_nothing(tick):
    changes = tick()
    assert (changes.known, changes.requests, changes.gone, changes.games) == ({}, [], [], set())


def test_a_new_session_is_asked_for_once(tick, record):
    record("a")
    first = tick()
    assert [(request.session, request.game) for request in first.requests] == [("a", "drawn")]
    assert first.games == {"drawn"}
    assert tick(first).requests == []


def test_known_sessions_are_not_opened_again(tick, record, settings):
    record("a")
    record("b")
    before = tick()
    record("c")
    store = CountingStore(settings.store_url)
    assert [request.session for request in tick(before, store).requests] == ["c"]
    assert store.read == ["c"]


def test_a_session_that_was_replaced_is_asked_for_under_another_key(tick, record, store):
    record("a", 5)
    before = tick()
    store.remove("a")
    record("a", 7)
    after = tick(before)
    assert [request.session for request in after.requests] == ["a"]
    assert after.requests[0].key != before.requests[0].key


def test_a_changed_contract_asks_for_the_sessions_of_its_game_only(tick, record, set_contracts):
    record("a", game="drawn")
    record("b", game="other")
    before = tick()
    set_contracts("[drawn]\nwidth = 100\n")
    after = tick(before)
    assert [request.session for request in after.requests] == ["a"]
    assert after.requests[0].contract != before.requests[0].contract


def test_a_contract_that_is_changed_back_is_asked_for_again_under_a_key_of_its_own(tick, record, set_contracts):
    record("a")
    keys, changes = [], None
    for text in ("", "[drawn]\nwidth = 100\n", "", "[drawn]\nwidth = 100\n"):
        set_contracts(text)
        changes = tick(changes)
        keys += [request.key for request in changes.requests]
    assert len(set(keys)) == 4


def test_a_change_of_the_file_that_changes_no_contract_asks_for_nothing(tick, record, set_contracts):
    record("a")
    before = tick()
    set_contracts("[drawn]\nwidth = 200\n")  # which it is by default
    assert tick(before).requests == []


def test_requests_are_bounded_and_the_rest_follows(tick, record):
    for number in range(5):
        record(f"s{number}", 2)
    seen, changes = [], None
    for waiting in (3, 1, 0):
        changes = tick(changes, most_requests=2)
        assert changes.waiting == waiting
        assert len(changes.requests) <= 2
        seen += [request.session for request in changes.requests]
    assert seen == [f"s{number}" for number in range(5)]
    assert tick(changes, most_requests=2).requests == []


def test_reading_is_bounded_too(tick, record, settings):
    for number in range(4):
        record(f"s{number}", 2)
    store = CountingStore(settings.store_url)
    assert tick(store=store, most_read=3).waiting == 1
    assert len(store.read) == 3


def test_a_deleted_session_is_gone_and_its_game_with_it(tick, record, store):
    record("a", game="drawn")
    record("b", game="other")
    before = tick()
    store.remove("b")
    after = tick(before)
    assert after.gone == ["b"]
    assert after.games == {"drawn"}


def test_a_session_that_is_being_recorded_is_not_seen(tick, record, settings):
    record("a")
    folder = settings.recordings / "b"
    folder.mkdir()
    (folder / "recording.arrows").write_bytes(b"not whole yet")
    assert set(tick().known) == {"a"}


def test_a_session_with_a_damaged_manifest_is_asked_for_so_that_its_run_says_so(tick, record, settings):
    record("a")
    record("b")
    (settings.recordings / "a" / "manifest.json").write_text("{", encoding="utf-8")
    changes = tick()
    assert [(request.session, request.game) for request in changes.requests] == [("a", ""), ("b", "drawn")]
    assert changes.games == {"drawn"}


def test_memory_gives_back_what_was_saved(tmp_path: Path):
    known = {"a": Known("stamp", "drawn", "rule", "contract", 2), "b": Known("other", "", "rule", "", 1)}
    memory = Memory(tmp_path)
    cursor = memory.save(known)
    assert memory.load(cursor) == known
    assert memory.save(known) == cursor
    assert len(list(tmp_path.iterdir())) == 1


def test_memory_keeps_what_is_in_force_and_some_of_what_was(tmp_path: Path):
    def known(number: int) -> dict[str, Known]:
        return {"a": Known(f"stamp {number}", "drawn", "rule", "contract", 2)}

    memory = Memory(tmp_path)
    cursors = [memory.save(known(number)) for number in range(15)]
    for number in range(100, 115):
        memory.save(known(0))  # again in force, and stays so where the next tick fails
        cursors.append(memory.save(known(number)))
    assert memory.load(cursors[0]) == known(0)
    assert memory.load(cursors[-1]) == known(114)
    assert memory.load(cursors[1]) == {}
    assert len(list(tmp_path.iterdir())) == 20


@pytest.mark.parametrize("cursor", [None, "", "unknown", "../secret"])
def test_memory_without_its_file_knows_nothing(tmp_path: Path, cursor: str | None):
    (tmp_path / "secret.json").write_text('{"version": 1, "sessions": {"x": {}}}', encoding="utf-8")
    assert Memory(tmp_path / "seen").load(cursor) == {}


def test_memory_of_another_release_is_forgotten(tmp_path: Path):
    (tmp_path / "abc.json").write_text('{"version": 0, "sessions": {"a": 1}}', encoding="utf-8")
    assert Memory(tmp_path).load("abc") == {}
