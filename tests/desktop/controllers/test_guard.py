"""Whatever happens to a process that holds keys down, they do not stay down."""

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desktop_fixtures import Hands, KeyWatch

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers import guard, uinput
from kart_pipeline.desktop.controllers.choose import ControllerChoice, open_controller
from kart_pipeline.desktop.controllers.dry import DryRun
from kart_pipeline.desktop.controllers.guarded import Guarded
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState

KEYS = KeyLayout()
HELD = {"Up", "x"}  # Left comes and goes

Player = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def player(desktop: str, key_watch: KeyWatch, soon) -> Iterator[Player]:
    """Starts a process that drives, in a process group of its own as a terminal would have it; its keys are down."""
    begun: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("drive_forever.py")), "keyboard", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        assert process.stdout
        assert process.stdout.readline() == "driving\n"
        soon(lambda: key_watch.down() >= HELD)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def stays_free(key_watch: KeyWatch) -> bool:
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        if key_watch.down():
            return False
        time.sleep(0.01)
    return True


@pytest.mark.skipif("sys.platform == 'win32'", reason="signals of POSIX")
@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_keys_of_a_player_that_is_killed_are_let_go_of(player: Player, key_watch: KeyWatch, soon, end: str) -> None:
    os.killpg(player("60").pid, getattr(signal, end))  # to the whole group, as when a terminal is closed
    soon(lambda: not key_watch.down())
    assert stays_free(key_watch)


@pytest.mark.skipif("sys.platform == 'win32'", reason="signals of POSIX")
def test_keys_of_a_player_that_is_stopped_are_let_go_of_until_it_goes_on(
    player: Player, key_watch: KeyWatch, soon
) -> None:
    process = player("0.3")
    process.send_signal(signal.SIGSTOP)
    soon(lambda: not key_watch.down())
    assert stays_free(key_watch)
    process.send_signal(signal.SIGCONT)
    soon(lambda: key_watch.down() >= HELD)
    process.kill()
    soon(lambda: not key_watch.down())


def test_keys_of_a_player_that_hangs_are_let_go_of(player: Player, key_watch: KeyWatch, soon) -> None:
    player("0.3", "hang")
    soon(lambda: not key_watch.down())
    assert stays_free(key_watch), "the pulses have ended too"


def test_a_player_that_ends_in_peace_leaves_no_guard_behind(desktop: str, key_watch: KeyWatch) -> None:
    choice = ControllerChoice("keyboard")
    guarded = Guarded(open_controller(choice, KEYS).controller, choice, KEYS)
    guarded.apply(PadState({"left_x": 1.0}))
    assert key_watch.down() == {"Right"}
    guarded.neutral()
    assert key_watch.down() == set()
    guarded.close()
    guarded.close()
    assert guarded._process.returncode == 0


def test_a_persons_keys_are_not_touched_where_the_player_rests(desktop: str, key_watch: KeyWatch, hands: Hands) -> None:
    choice = ControllerChoice("keyboard")
    guarded = Guarded(open_controller(choice, KEYS).controller, choice, KEYS, stall_s=0.2)
    guarded.apply(PadState({"left_x": 1.0}))
    guarded.neutral()
    hands.key("Left", True)
    time.sleep(0.5)
    assert key_watch.down() == {"Left"}
    guarded.close()
    assert key_watch.down() == {"Left"}


def test_a_guard_that_is_gone_is_told_before_anything_else_is_pressed(soon) -> None:
    inner = DryRun()
    guarded = Guarded(inner, ControllerChoice("none"), KEYS, stall_s=0.2)
    guarded.apply(PadState({"left_x": 1.0}))
    guarded._process.kill()

    def told() -> bool:
        try:
            guarded.apply(PadState({"left_x": 1.0}))
        except KartError as error:
            return "The guard of the controls has ended" in str(error)
        return False

    soon(told)
    guarded.close()
    assert inner.state == PadState()


@pytest.mark.skipif("sys.platform != 'linux'", reason="there is no /dev/uinput elsewhere")
def test_the_guard_brings_a_players_uinput_pad_to_rest_through_the_file_that_it_inherited(tmp_path: Path) -> None:
    with (tmp_path / "uinput").open("w+b", buffering=0) as node:
        guard.releaser(guard.Order("uinput", {}, 1.0, node.fileno()))()
        written = (tmp_path / "uinput").read_bytes()
    told = [event[2:] for event in struct.iter_unpack("llHHi", written)]
    assert told == [*uinput.events(PadState()), (0, 0, 0)]


def test_a_guard_that_cannot_reach_the_screen_says_why(monkeypatch: pytest.MonkeyPatch, desktop: str) -> None:
    choice = ControllerChoice("keyboard")
    controller = open_controller(choice, KEYS).controller
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(KartError, match=r"The guard of the controls does not start: .*DISPLAY is not set"):
        Guarded(controller, choice, KEYS)
    controller.close()


def test_a_player_that_is_late_is_told_and_goes_on(soon) -> None:
    inner, told = DryRun(), []
    guarded = Guarded(inner, ControllerChoice("none"), KEYS, stall_s=0.2, late=lambda: told.append(1))
    guarded.apply(PadState({"left_x": 1.0}))
    soon(lambda: told == [1])
    assert inner.state == PadState()
    guarded.apply(PadState({"left_x": 1.0}))
    assert inner.state == PadState({"left_x": 1.0})
    guarded.neutral()
    time.sleep(0.4)
    assert guarded.times_late == 1, "who holds nothing is not late"
    guarded.close()
