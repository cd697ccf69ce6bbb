"""Whatever ends the player, no key stays pressed, and what was recorded is whole."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kart_pipeline.core.store import Store

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX, keys of X11"),
]

Player = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def start(racer, toy, home: Path, soon) -> Iterator[Player]:
    """Starts a player in a session of its own, as a terminal would; it drives when it is back."""
    begun: list[subprocess.Popen[str]] = []

    def go(*arguments: str, how: str = "drive", script: bool = True, **streams: int) -> "subprocess.Popen[str]":
        environ = {**os.environ, "KART_HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        player = [str(Path(__file__).with_name("drive_toy.py")), str(racer.folder), how]
        if not script:
            player = ["-m", "player", "--model-uri", str(racer.folder), "--window", "Toy road"]  # it knows its game
            player += ["--controller", "keyboard", "--pad", "none"]
        process = subprocess.Popen(
            [sys.executable, *player, *arguments],
            env=environ,
            text=True,
            start_new_session=True,
            **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE} | streams,
        )
        begun.append(process)
        end = time.monotonic() + 120
        while "U" not in toy.held[-1]:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.01)
        return process

    yield go
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_kill_9_of_the_player_itself_with_keys_down(start: Player, toy, keys_down, soon) -> None:
    process = start(script=False)
    process.kill()
    soon(lambda: not keys_down())
    soon(lambda: toy.held[-1] == "")
    time.sleep(0.3)
    assert not keys_down()


@pytest.mark.parametrize(
    ("number", "status", "ended"),
    [("SIGINT", 0, "stopped"), ("SIGTERM", 143, "interrupted"), ("SIGHUP", 129, "interrupted")],
)
def test_signals_end_it_in_order(start: Player, keys_down, home: Path, number: str, status: int, ended: str) -> None:
    process = start("--record", "all")
    time.sleep(1.5)
    process.send_signal(getattr(signal, number))
    _, err = process.communicate(timeout=30)
    assert process.returncode == status, err
    assert "Traceback" not in err
    assert not keys_down()
    store = Store(home / "sessions")
    assert store.unfinished() == []
    (session,) = store.ids()
    assert store.manifest(session).ended == ended
    store.open(session).verify()


def test_a_terminal_that_is_closed_ends_it_in_order(start: Player, keys_down, home: Path) -> None:
    master, slave = pty.openpty()
    process = start("--record", "all", stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    time.sleep(1.5)
    os.close(master)
    process.send_signal(signal.SIGHUP)  # as the kernel does for the terminal that a session belongs to
    process.wait(30)
    assert not keys_down()
    store = Store(home / "sessions")
    assert store.unfinished() == []
    (session,) = store.ids()
    store.open(session).verify()


def test_a_network_that_breaks_lets_go_and_ends(start: Player, keys_down, home: Path) -> None:
    process = start("--record", "all", how="break")
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "the network broke" in err
    assert not keys_down()
    (session,) = Store(home / "sessions").ids()
    assert Store(home / "sessions").manifest(session).ended == "interrupted"


def test_a_network_that_hangs_is_let_go_of_and_killed_in_peace(start: Player, keys_down, toy) -> None:
    process = start("--hold", "0.3", how="hang")
    end = time.monotonic() + 20
    while toy.held[-1]:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert process.poll() is None
    time.sleep(0.5)
    assert not keys_down()
    process.kill()
    _, err = process.communicate(timeout=10)
    assert "Let go: no action came for 0.3 s." in err
    assert not keys_down()
