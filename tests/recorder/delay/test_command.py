"""`python -m recorder calibrate` on a real window, and the sessions that come after it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kart_pipeline.core.store import Store
from recorder.delay import measuring

CALIBRATE = ("calibrate", "--window", "racing", "--game", "mario_kart_64", "--times", "5")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of half a minute."""
    for name in ("QUIET_S", "SEARCH_S", "_SETTLE_S"):
        monkeypatch.setattr(measuring, name, 0.3)
    monkeypatch.setattr(measuring, "WIDEST_MS", 1000.0)  # this machine may be busy


@pytest.mark.e2e
def test_a_key_that_the_program_presses_is_seen_and_later_sessions_carry_the_delay(
    make_window, run, store: Store, home: Path, quick: None
) -> None:
    make_window(delay_s=0.06)
    status, out, err = run(*CALIBRATE, "--press", "x", "--json")
    assert status == 0, err
    told = json.loads(out)
    assert (told["game"], told["size"], told["asked"]) == ("mario_kart_64", "320x240", 5)
    assert told["delay_ms"] >= 60 - told["look_ms"]
    assert told["pressed_by"] == "the program, key x"
    assert json.loads((home / "delays.json").read_text())["mario_kart_64"]["320x240"]["delay_ms"] == told["delay_ms"]

    capture = ("capture", "--window", "racing", "--game", "mario_kart_64", "--pad", "keyboard", "--max-steps", "3")
    assert run(*capture)[0] == 0
    (session_id,) = store.ids()
    assert store.manifest(session_id).delay_ms == told["delay_ms"]
    assert f"{told['delay_ms']:g} ms from a press to its first pixel, spread" in run("info", session_id)[1]


@pytest.mark.e2e
def test_a_person_presses_when_asked(make_window, hands, desktop: str, home: Path) -> None:
    make_window(delay_s=0.06)
    command = [sys.executable, "-m", "recorder", *CALIBRATE, "--pad", "keyboard"]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("press a button"):
                time.sleep(0.1)
                hands.key("x", True)
                time.sleep(0.2)
                hands.key("x", False)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, out
    assert re.search(r"changed pixel: \d+ ms, spread \d+ ms \(5 of 5 presses by a person on the keyboard", out)


def test_a_window_that_has_not_the_focus_answers_to_nothing_and_nothing_is_kept(
    make_window, run, home: Path, quick: None
) -> None:
    make_window()
    make_window("In Front", (450, 300, 200, 200))
    status, out, err = run(*CALIBRATE, "--press", "x")
    assert status == 2
    assert out == ""
    assert "Nothing changed on the screen after 5 presses." in err
    assert not (home / "delays.json").exists()


@pytest.mark.e2e
@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="needs signals")
def test_a_key_is_let_go_of_when_it_is_asked_to_end(make_window, hands, start) -> None:
    from Xlib.display import Display

    make_window()
    process = start(*CALIBRATE, "--press", "x")
    display = Display()

    def held() -> bool:
        return any(display.query_keymap())

    end = time.monotonic() + 60
    while not held():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not held()
    display.close()


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--window", "nobody", "--game", "kart", "--press", "x"), "No window has 'nobody' in its title"),
        (("--monitor", "1", "--game", "kart", "--press", "hyper"), "'hyper' is no key"),
        (("--monitor", "1", "--game", "a b", "--press", "x"), "cannot be a game name"),
        (("--monitor", "1", "--game", "kart", "--pad", "wheel"), "'wheel' is no way to read a pad"),
        (("--game", "kart"), "Say what of the screen shows the game"),
        (("--region", "here", "--game", "kart"), "'here' is no region"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(desktop: str, run, argv: tuple[str, ...], sentence: str) -> None:
    status, out, err = run("calibrate", *argv)
    assert (status, out) == (2, "")
    assert re.search(sentence, err), err


@pytest.mark.parametrize("argv", [("--monitor", "1", "--game", "kart", "--times", "3"), ("--monitor", "1")])
def test_an_option_that_is_missing_or_wrong_is_refused(run, argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        run("calibrate", *argv)
