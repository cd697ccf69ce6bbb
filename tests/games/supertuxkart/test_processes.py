"""Processes end with us, however we end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.supertuxkart.processes import Child, OwnScreen

Soon = Callable[[Callable[[], object]], None]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the game is started on Linux only")


def test_a_child_that_ignores_the_friendly_signal_is_ended_all_the_same() -> None:
    child = Child(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"])
    assert child.output.readline() == b"ready\n"
    assert child.alive
    child.end()
    child.end()
    assert not child.alive
    assert child.process.returncode == -signal.SIGKILL
    child.output.close()


def test_a_child_ends_when_its_parent_is_killed(soon: Soon, gone: Callable[[int], bool]) -> None:
    code = (
        "import sys, time\n"
        "from kart_pipeline.games.supertuxkart.processes import Child\n"
        "child = Child(['sh', '-c', 'echo $$; sleep 600'])\n"
        "sys.stdout.buffer.write(child.output.readline())\n"
        "sys.stdout.flush()\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
        parent.wait()
        soon(lambda: gone(pid))


def test_what_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(KartError, match="cannot be started"):
        Child(["true"], folder=tmp_path / "nowhere")


def test_ctrl_c_in_our_terminal_does_not_reach_a_child() -> None:
    child = Child(["sleep", "60"])
    assert os.getpgid(child.process.pid) != os.getpgid(0)
    child.end()
    child.output.close()


def test_without_xvfb_there_is_no_screen_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(KartError, match=r"There is no screen to show SuperTuxKart on.*install xvfb"):
        OwnScreen(320, 240)
