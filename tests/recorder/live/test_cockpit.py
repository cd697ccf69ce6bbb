"""A whole recording with its person: commands from the terminal and from the game's window, and what is seen."""

import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest

from kart_pipeline.core.store import Store

pytestmark = pytest.mark.e2e

GAME = ("--game", "mario_kart_64", "--track", "luigi-raceway", "--pad", "keyboard", "--signals", "off")
CAPTURE = ("-m", "recorder", "capture", "--window", "racing", *GAME, "--rate", "20", "--height", "64", "--codec", "png")


@pytest.fixture(autouse=True)
def size_of_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def store(home) -> Store:
    return Store(home / "sessions")


def test_a_recording_is_paused_cut_marked_and_ended_without_leaving_the_game(
    make_window, hands, terminal, store: Store
) -> None:
    make_window()
    recorder = terminal(*CAPTURE)
    recorder.wait_for("● recording")
    hands.key("Left", True)
    recorder.wait_for("steer █──")
    hands.key("Left", False)
    time.sleep(1.5)
    recorder.type("l")
    recorder.wait_for("Lap 1.")
    for name in ("Control_L", "Alt_L", "p"):
        hands.key(name, True)
    recorder.wait_for("‖ you paused")
    for name in ("p", "Alt_L", "Control_L"):
        hands.key(name, False)
    time.sleep(1.0)
    recorder.type(" ")
    recorder.wait_for("Recording goes on.")
    time.sleep(1.5)
    recorder.type("s")
    assert recorder.ended() == 0
    for word in (
        "pause, go on",
        "left ctrl + left alt + d",
        "rate ",
        " of 20 Hz",
        "on time",
        "headroom",
        "queue",
        "dropped",
        "disk",
        "1 lap",
        "mario_kart_64 luigi-raceway",
        "mean ms",
    ):
        assert word in recorder.seen, word
    (session_id,) = store.ids()
    manifest = store.manifest(session_id)
    assert manifest.ended == "stopped"
    marks = manifest.notes["marks"]
    assert len(marks["laps"]) == len(marks["pauses"]) == 1
    steps = store.open(session_id).table(["step"])["step"].to_pylist()
    first, last = marks["pauses"][0]
    assert last - first >= 15
    assert any(before < first <= last < after for before, after in pairwise(steps))


def test_a_botched_corner_is_dropped(make_window, terminal, store: Store, home: Path) -> None:
    home.mkdir()
    (home / "pads.toml").write_text('[commands]\ndrop_s = 1\ndrop = { terminal = "x" }\n')
    make_window()
    recorder = terminal(*CAPTURE)
    recorder.wait_for("● recording  00:03")
    recorder.type("x")
    recorder.wait_for("The last 1.0 s are cut")
    recorder.type("s")
    assert recorder.ended() == 0
    (session_id,) = store.ids()
    ((first, last),) = store.manifest(session_id).notes["marks"]["cuts"]
    assert last - first >= 19
    steps = store.open(session_id).table(["step"])["step"].to_pylist()
    assert not [step for step in steps if first <= step <= last]


def test_a_recording_begins_with_the_first_throttle_after_the_countdown(
    make_window, hands, terminal, store: Store
) -> None:
    make_window()
    recorder = terminal(*CAPTURE, "--countdown", "1", "--autostart")
    recorder.wait_for("‖ 1 …")
    recorder.wait_for("‖ waiting for the first throttle  00:00")
    hands.key("Left", True)
    time.sleep(0.5)
    hands.key("Left", False)
    hands.key("x", True)
    recorder.wait_for("● recording  00:02")
    hands.key("x", False)
    recorder.type("s")
    assert recorder.ended() == 0
    (session_id,) = store.ids()
    table = store.open(session_id).table(["step", "label_A"])
    assert table["label_A"][0].as_py()
    assert table["step"][0].as_py() > 20


def test_a_recording_that_never_began_is_not_kept_and_no_mistake(make_window, terminal, store: Store) -> None:
    make_window()
    recorder = terminal(*CAPTURE, "--paused")
    recorder.wait_for("‖ waiting for you")
    recorder.type("s")
    assert recorder.ended() == 0
    assert "was not kept" in recorder.seen
    assert store.ids() == store.unfinished() == []


def test_a_terminal_that_is_closed_leaves_a_whole_session(make_window, terminal, store: Store) -> None:
    make_window()
    recorder = terminal(*CAPTURE)
    recorder.wait_for("● recording  00:02")
    recorder.close()
    recorder.ended()
    (session_id,) = store.ids()
    assert store.manifest(session_id).ended == "interrupted"
    store.open(session_id).verify()


def test_what_broke_off_is_saved_before_the_next_recording_if_the_person_wants_it(
    make_window, terminal, store: Store
) -> None:
    make_window()
    killed = terminal(*CAPTURE)
    killed.wait_for("● recording  00:02")
    os.kill(killed.pid, signal.SIGKILL)
    killed.ended()
    (session_id,) = store.unfinished()
    refused = terminal(*CAPTURE, "--max-steps", "20")
    refused.wait_for("broke off. Save what was recorded now?")
    refused.type("n\n")
    assert refused.ended() == 0
    assert store.unfinished() == [session_id]
    accepted = terminal(*CAPTURE, "--max-steps", "20")
    accepted.wait_for("Save what was recorded now?")
    accepted.type("\n")
    assert accepted.ended() == 0
    assert f"{session_id} repaired" in accepted.seen
    assert store.unfinished() == []
    assert store.manifest(session_id).ended == "repaired"


def test_where_nobody_looks_there_are_plain_lines(make_window, hands, start, store: Store) -> None:
    make_window()
    recorder = start(*CAPTURE[2:])
    said = []
    while not said or "on time" not in said[-1]:  # within ten seconds of its beginning
        said.append(recorder.stderr.readline())
        assert said[-1], "the recorder has ended"
    recorder.send_signal(signal.SIGINT)
    assert recorder.communicate(timeout=60)[1] == ""
    assert recorder.returncode == 0
    for word in ("recording: ", " of 20 Hz", " waiting, 0 dropped", "GB free"):
        assert word in said[-1]
    assert "\x1b" not in "".join(said)
