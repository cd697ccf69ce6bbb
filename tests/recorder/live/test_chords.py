"""Commands by pad, by keys in another program's window, and by what is typed in a terminal."""

import os
import sys
import time
from pathlib import Path

import pytest

from recorder.devices.sdl import SdlPad
from recorder.live.chords import Chords, Hotkeys, PadChords
from recorder.live.commands import Command, Commands

BACK, START, DPAD_UP = 4, 6, 11  # buttons of SDL's virtual pad


@pytest.fixture
def heard() -> list[Command]:
    return []


def test_a_chord_is_given_once_when_it_has_been_held_long_enough() -> None:
    chords = Chords({Command.PAUSE: {"back", "start"}, Command.LAP: set()}, hold_s=0.5)
    both = {"back", "start", "a"}
    assert chords.parts == {"back", "start"}
    times = [(0, {"back"}), (1, both), (1.4, both), (1.5, both), (1.6, both), (2.5, both), (2.6, {"start"}), (3, both)]
    given = [chords.given(round(t * 1e9), held) for t, held in times]
    assert given == [[], [], [], [Command.PAUSE], [], [], [], []]
    assert chords.given(round(3.5e9), both) == [Command.PAUSE]


def test_a_pad_gives_commands_while_it_is_driven_with(virtual, home: Path, soon, heard: list[Command]) -> None:
    pad = SdlPad(home=home)
    try:
        with PadChords(pad, Commands(hold_s=0.1), heard.append):
            virtual.button(BACK, True)
            virtual.button(START, True)
            soon(lambda: heard == [Command.PAUSE])
            virtual.button(START, False)
            time.sleep(0.1)
            virtual.button(DPAD_UP, True)
            soon(lambda: heard == [Command.PAUSE, Command.LAP])
            virtual.button(BACK, False)
            virtual.unplug()
            time.sleep(0.2)
            virtual.plug_in()
            time.sleep(0.5)
            assert len(heard) == 2
    finally:
        pad.close()


def test_buttons_that_are_pressed_for_a_moment_only_give_nothing(virtual, home: Path, heard: list[Command]) -> None:
    pad = SdlPad(home=home)
    try:
        with PadChords(pad, Commands(hold_s=5.0), heard.append):
            for down in (True, False):
                virtual.button(BACK, down)
                virtual.button(START, down)
                time.sleep(0.2)
    finally:
        pad.close()
    assert heard == []


def test_keys_in_another_window_give_commands(make_window, hands, soon, heard: list[Command]) -> None:
    make_window()
    with Hotkeys(Commands(), heard.append):
        for key, command in (("p", Command.PAUSE), ("d", Command.DROP)):
            before = len(heard)
            for name in ("Control_L", "Alt_L", key):
                hands.key(name, True)
            soon(lambda before=before: len(heard) > before)
            for name in (key, "Alt_L", "Control_L"):
                hands.key(name, False)
            assert heard[before:] == [command]
        hands.key("p", True)  # a letter alone is the game's
        hands.key("p", False)
        time.sleep(0.2)
    assert len(heard) == 2


PROGRAM = """
import termios, time
from recorder.live.commands import Commands
from recorder.live.terminal import TerminalKeys, typing_possible
assert typing_possible()
with TerminalKeys(Commands(), lambda command: print("heard", command, flush=True)):
    print("ready", flush=True)
    time.sleep(1.5)
print("echoes", bool(termios.tcgetattr(0)[3] & termios.ECHO))
"""


def test_single_characters_in_the_terminal_give_commands_and_arrows_do_not(terminal) -> None:
    program = terminal("-c", PROGRAM)
    program.wait_for("ready")
    program.type(" lxS")
    program.wait_for("heard stop")
    program.type("\x1b[D")  # the left arrow, which ends with a D
    assert program.ended() == 0
    assert program.seen.split() == ["ready", "heard", "pause", "heard", "lap", "heard", "stop", "echoes", "True"]


def test_nobody_types_where_stdin_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from recorder.live.terminal import typing_possible

    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert not typing_possible()
    monkeypatch.setattr(sys, "stdin", None)  # a program without a console, on Windows
    assert not typing_possible()
