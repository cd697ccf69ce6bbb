"""`python -m recorder capture` on a real screen, as a process of its own; and what it says where it cannot."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.recording import STREAM, recorded_batches
from kart_pipeline.core.store import Store
from kart_pipeline.desktop.windows import matching, open_windows
from recorder.screen.draw import _HELP

GAME = ("--game", "mario_kart_64", "--track", "luigi-raceway", "--pad", "keyboard")
CAPTURE = ("capture", "--window", "racing", *GAME, "--rate", "10", "--height", "64")


def until(condition: Callable[[], object], what: str, *processes: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while not condition():
        for process in processes:
            assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"waited a minute for {what}"
        time.sleep(0.05)


def recorded(store: Store, sessions: int, steps: int) -> Callable[[], bool]:
    """Whether so many sessions are being recorded, each with so many steps on disk."""

    def rows(name: str) -> int:
        try:
            return sum(batch.num_rows for batch in recorded_batches(Path(store.url) / name / STREAM))
        except (FileNotFoundError, KartError):
            return 0

    return lambda: sum(rows(name) >= steps for name in store.unfinished()) >= sessions


@pytest.mark.e2e
def test_two_recorders_at_once_each_make_a_session_until_ctrl_c(make_window, hands, start, store: Store) -> None:
    make_window()
    processes = [start(*CAPTURE), start(*CAPTURE, "--codec", "h264")]
    until(recorded(store, 2, 12), "both recordings to begin", *processes)
    hands.key("Left", True)
    hands.key("x", True)
    time.sleep(1)
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Recording Racing Game (320x240, kept as 84x64 in" in err
        assert "as --pad keyboard asks for" in err
        for word in ("luigi-raceway", "of 10 Hz", "grab", "encode", "write", "mean ms", "worst ms", "frames dropped"):
            assert word in out
    assert store.unfinished() == []
    assert sorted(store.manifest(session_id).codec for session_id in store.ids()) == ["h264", "jpeg"]
    for session_id in store.ids():
        session = store.open(session_id)
        session.verify()
        manifest = session.manifest
        assert (manifest.ended, manifest.game, manifest.track) == ("stopped", "mario_kart_64", "luigi-raceway")
        assert manifest.spec.names == ("steer", "pitch", "A", "B", "RB")
        assert (manifest.width, manifest.height) == (84, 64)
        table = session.table(["label_steer", "label_A"])
        assert table["label_steer"][-1].as_py() == -1
        assert table["label_A"][-1].as_py()
        assert not table["label_A"][0].as_py()


@pytest.mark.e2e
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_a_recording_whose_terminal_is_closed_is_whole(make_window, start, store: Store, number: str) -> None:
    make_window()
    process = start(*CAPTURE)
    until(recorded(store, 1, 12), "the recording to begin", process)
    process.send_signal(signal.Signals[number])
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.Signals[number]
    assert "Traceback" not in err
    (session_id,) = store.ids()
    assert store.manifest(session_id).ended == "interrupted"
    store.open(session_id).verify()


@pytest.mark.e2e
def test_after_a_kill_the_next_recording_offers_what_can_be_saved(make_window, start, store: Store, run) -> None:
    make_window()
    process = start(*CAPTURE)
    until(recorded(store, 1, 12), "the recording to begin", process)
    process.kill()
    process.wait(30)
    (session_id,) = store.unfinished()
    status, _, err = run(*CAPTURE, "--max-steps", "5")
    assert (status, f"{session_id} broke off; `python -m recorder repair --all`" in err) == (0, True), err
    assert run("repair", "--all")[0] == 0
    assert store.manifest(session_id).ended == "repaired"


@pytest.mark.e2e
def test_a_region_is_drawn_with_the_mouse(desktop: str, hands) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "SDL_VIDEODRIVER"} | {"DISPLAY": desktop}
    program = "from recorder.screen.draw import draw_region; print(draw_region())"
    drawing = subprocess.Popen(
        [sys.executable, "-c", program], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    windows = open_windows()
    try:
        until(lambda: matching(windows.all(), _HELP), "the window to draw in", drawing)
        hands.mouse(500, 400)
        hands.button(True)
        hands.mouse(300, 300)
        hands.mouse(180, 220)  # from the lower right to the upper left
        hands.button(False)
        time.sleep(0.3)
        hands.key("Return", True)
        out, err = drawing.communicate(timeout=30)
    finally:
        drawing.kill()
        windows.close()
    assert out.strip().endswith("180,220,320,180"), err


def test_a_black_picture_is_recorded_with_a_word(desktop: str, run, store: Store) -> None:
    status, out, err = run("capture", "--monitor", "1", *GAME, "--max-steps", "3", "--height", "0", "--codec", "png")
    assert status == 0
    assert "All that is seen there is black." in err
    (session_id,) = store.ids()
    assert session_id in out
    manifest = store.manifest(session_id)
    assert (manifest.steps, manifest.width, manifest.height, manifest.rate_hz) == (3, 800, 600, 30)
    assert manifest.source["monitor"] == 1


def test_screens_lists_what_can_be_recorded(make_window, run) -> None:
    make_window("Racing Game", (50, 40, 320, 240))
    status, out, _ = run("screens")
    assert status == 0
    assert "--monitor 1" in out
    assert "800x600" in out
    assert '--window "Racing Game"' in out
    assert "320x240" in out
    assert '"title": "Racing Game"' in run("screens", "--json")[1]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--game", "mario_kart_64"), "There is no game 'mario_kart_64' that opens here.*--window TITLE"),
        (("--game", "car_racing", "--rate", "30"), "--rate records the screen: say what of it"),
        (("--game", "car_racing", "--pad", "auto"), "--pad records the screen"),
        (("--monitor", "1", "--game", "doom"), "controls of doom .* list them, as --axes steer,throttle"),
        (("--monitor", "1", "--game", "doom", "--axes", "steer,steer"), "names a channel twice"),
        (("--monitor", "1", "--game", "mario_kart_64", "--driver", "expert"), "--driver is for games that open here"),
        (("--monitor", "1", "--game", "mario_kart_64", "--pad", "wheel"), "'wheel' is no way to read a pad"),
        (("--monitor", "1", "--game", "mario_kart_64", "--track", "a/b"), "'a/b' cannot be a track"),
        (("--monitor", "4", *GAME), "There is no monitor 4"),
        (("--region", "0,0,900,100", *GAME), "reaches beyond the screen"),
        (("--region", "here", *GAME), "'here' is no region"),
        (("--window", " ", *GAME), "--window needs a part"),
        (("--window", "nobody", *GAME), "No window has 'nobody' in its title"),
        (("--monitor", "1", *GAME, "--rate", "999"), "it can hold .* Hz, not 999. Record with --rate"),
    ],
)
def test_what_cannot_be_recorded_is_said_in_a_sentence(
    desktop: str, run, store: Store, argv: tuple[str, ...], sentence: str
) -> None:
    status, out, err = run("capture", *argv)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(sentence, err), err
    assert store.ids() == store.unfinished() == []


@pytest.mark.parametrize("height", ["31", "241", "-2", "x"])
def test_a_height_that_no_video_could_have_is_refused(run, height: str) -> None:
    with pytest.raises(SystemExit):
        run("capture", "--monitor", "1", "--game", "mario_kart_64", "--height", height)
