"""Whole recorder processes that are stopped, politely or not, in the middle of a drive."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.recording import STREAM, recorded_batches
from kart_pipeline.core.session_writer import FLUSH_S
from kart_pipeline.core.store import Store

pytestmark = pytest.mark.e2e
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to one process from another")

DRIVE = ("capture", "--game", "car_racing", "--episodes", "4")


def until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def rows(folder: Path) -> int:
    """Steps on disk of a session that is being recorded."""
    try:
        return sum(batch.num_rows for batch in recorded_batches(folder / STREAM))
    except (FileNotFoundError, KartError):  # not yet, or finished by now
        return 0


def recording(store: Store, sessions: int, steps: int) -> Callable[[], bool]:
    """Whether so many sessions are being recorded, each with so many steps on disk."""

    def ask() -> bool:
        running = store.unfinished()
        return len(running) >= sessions and all(rows(Path(store.url) / name) >= steps for name in running)

    return ask


def alive(group: int) -> bool:
    """Whether a process of this group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@posix
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_closes_the_running_sessions(start, store: Store, workers: int, number: int) -> None:
    process = start(*DRIVE, "--workers", workers)
    until(recording(store, workers, 64), "the recording to begin")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: to the workers too
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert f"Stopped on request: {workers} of 4 sessions saved." in err
    assert store.unfinished() == []
    assert len(store.ids()) == workers
    for session_id in store.ids():
        assert session_id in out
        assert store.manifest(session_id).ended == "interrupted"
        store.open(session_id).verify()
    until(lambda: not alive(process.pid), "the workers to go")


@posix
def test_a_second_ctrl_c_still_leaves_a_whole_session(start, store: Store) -> None:
    process = start(*DRIVE)
    until(recording(store, 1, 64), "the recording to begin")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert store.unfinished() == []
    (session_id,) = store.ids()
    store.open(session_id).verify()


def test_a_killed_recorder_loses_less_than_a_second_and_is_repaired(start, store: Store, run) -> None:
    process = start(*DRIVE)
    until(recording(store, 1, 128), "the recording to begin")
    (session_id,) = store.unfinished()
    folder = Path(store.url) / session_id
    assert run("repair", "--all")[1] == f"{session_id} is being recorded; left alone.\n"
    assert f"{session_id} is being recorded" in run("list")[1]
    assert run("delete", session_id)[0] == 2

    before = time.time()
    process.kill()
    process.wait(timeout=30)
    # All steps made until the last flush are on disk: nothing older than it can be lost.
    assert before - (folder / STREAM).stat().st_mtime < 1.0
    assert FLUSH_S < 1.0
    on_disk = rows(folder)
    assert on_disk >= 128

    assert f"{session_id} is unfinished" in run("list")[1]
    status, out, _ = run("repair", "--all")
    assert (status, out) == (0, f"{session_id} repaired: {on_disk} steps, {on_disk / 50:.1f} s saved.\n")
    session = store.open(session_id)
    session.verify()
    assert (session.manifest.steps, session.manifest.ended) == (on_disk, "repaired")
    assert [step.index for step in session.steps()] == list(range(on_disk))
    assert session_id in run("list")[1]
    assert run("repair", "--all")[:2] == (0, "There is nothing to repair.\n")


@posix
def test_when_the_parent_is_killed_its_workers_close_their_sessions_and_go(start, store: Store) -> None:
    process = start(*DRIVE, "--workers", "2")
    until(recording(store, 2, 64), "the recording to begin")
    process.kill()
    process.wait(timeout=30)
    until(lambda: not alive(process.pid), "the workers to go")
    assert store.unfinished() == []
    assert [store.manifest(session_id).ended for session_id in store.ids()] == ["interrupted"] * 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
def test_when_a_worker_is_killed_the_others_finish_and_it_is_told(start, store: Store, run) -> None:
    process = start(*DRIVE, "--workers", "2")
    until(recording(store, 2, 64), "the recording to begin")
    victim = next(pid for pid in children(process) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(victim, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "died (exit status -9); `python -m recorder repair --all` saves what it had recorded." in err
    (whole,) = store.ids()
    assert whole in out
    assert store.manifest(whole).ended not in ("interrupted", "repaired")
    assert run("repair", "--all")[0] == 0
    assert len(store.ids()) == 2
    listed = json.loads(run("list", "--json")[1])
    assert listed["unfinished"] == listed["recording"] == []


def children(process: subprocess.Popen[str]) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it ended just now
        if int(parent) == process.pid:
            found.append(int(stat.parent.name))
    return found
