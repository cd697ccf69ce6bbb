"""What is said before a page opens."""

from pathlib import Path

import pytest

from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from recorder.stores import Stores
from recorder.view import command


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions that a page was opened for, in place of a server that runs until Ctrl-C."""
    offered: list[str] = []

    def stop(self) -> None:
        offered.extend(self.ids)
        raise KeyboardInterrupt

    monkeypatch.setattr(command.ViewServer, "serve_forever", stop)
    return offered


def test_the_address_is_told_and_ctrl_c_closes(record, tmp_path: Path, served, capsys) -> None:
    record("a", 5)
    record("b", 5)
    assert command.view(Stores.open(str(tmp_path / "sessions")), [], browser=False) == 0
    out = capsys.readouterr().out
    assert out.startswith("http://127.0.0.1:")
    assert out.endswith("Closed.\n")
    assert served == ["b", "a"]


def test_what_cannot_be_viewed_is_said(run, record, home: Path, tmp_path: Path, served) -> None:
    store = ("--store", str(tmp_path / "sessions"), "--no-browser")
    assert "There are no sessions in" in run("view", *store)[2]
    record("a", 5)
    assert "There is no session b in" in run("view", "b", *store)[2]
    (tmp_path / "sessions" / "a" / "edits.json").write_text('{"format": 9}')
    assert "are of format 9" in run("view", "a", *store)[2]
    (tmp_path / "sessions" / "a" / "manifest.json").write_text("{")
    assert "The manifest of session a is damaged" in run("view", "a", *store)[2]
    assert served == []


def test_a_session_that_is_being_recorded_is_told_from_one_that_broke_off(run, record, tmp_path: Path, served) -> None:
    session = record("a", 5)
    store = Store(tmp_path / "sessions")
    header = SessionHeader(id="b", game="road", rate_hz=20, spec=session.manifest.spec)
    writer = store.create(header)
    writer.append(next(session.steps()))
    writer.flush()
    assert "Session b is being recorded" in run("view", "b", "--store", store.url)[2]
    writer._release()  # as its process does when it dies
    told = run("view", "b", "--store", store.url)[2]
    assert "Session b is unfinished; `python -m recorder repair --all` finishes it" in told
