"""The preview of a drive on a real screen: what it shows, whom the keys reach, and what it must not cover."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.desktop.pixels import Pixels
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.windows import matching, open_windows
from kart_pipeline.driving.instruments import ALARM, FORWARD, STEER, Colour
from kart_pipeline.learning.saliency import GRID
from player.live.preview import COVERED
from player.live.saliency import Saliency

pytestmark = pytest.mark.e2e


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, f"waited five minutes for {what}"
        time.sleep(0.05)


class Player:
    """The player, driving the toy game, and what it says."""

    def __init__(self, model: Path, home: Path, *arguments: str) -> None:
        environ = {**os.environ, "KART_HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        script = str(Path(__file__).with_name("drive_toy.py"))
        self.process = subprocess.Popen(
            [sys.executable, script, str(model), "drive", *arguments],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.told: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr
        self.told.extend(line.rstrip() for line in self.process.stderr)

    def said(self, what: str) -> bool:
        return any(what in line for line in self.told)


@pytest.fixture
def beside(desktop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The game opens where there is room beside it."""
    monkeypatch.setenv("SDL_VIDEO_WINDOW_POS", "8,60")
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)


@pytest.fixture
def player(racer, beside, toy, tmp_path: Path) -> Iterator[Player]:
    made = Player(racer.folder, tmp_path / "home", "--preview")
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def place(desktop: str) -> Iterator[Callable[[], Rect | None]]:
    """Where the preview is."""
    windows = open_windows()

    def find() -> Rect | None:
        found = matching(windows.all(), "Preview: toy_road")
        return found[0].inside if found else None

    yield find
    windows.close()


def has(place: Rect | None, colour: Colour) -> bool:
    """Whether the lamp of the window has a colour."""
    if place is None:
        return False
    with Pixels() as pixels:
        shown = pixels.grab(place)[:60, :, 2::-1]
    return bool((np.abs(shown.astype(int) - colour).max(axis=2) < 30).any())


def test_who_drives_is_seen_and_the_game_keeps_the_keys(player: Player, toy, place, hands) -> None:
    until(lambda: has(place(), STEER), "the model's lamp")
    assert place().left >= 8 + 320
    until(lambda: "U" in toy.held[-1], "the model's throttle, which reaches the game")
    hands.own_key("Right", True)
    until(lambda: has(place(), FORWARD), "the person's lamp")
    hands.own_key("Right", False)
    player.process.kill()
    until(lambda: place() is None, "the preview to end with the player that was killed")


def test_the_model_lets_go_while_the_preview_lies_over_what_it_sees(player: Player, toy, place, desktop: str) -> None:
    from Xlib.display import Display

    until(lambda: has(place(), STEER), "the model's lamp")
    windows = open_windows()
    (preview,) = matching(windows.all(), "Preview: toy_road")
    windows.close()
    server = Display(desktop)

    def move(x: int, y: int) -> None:
        server.create_resource_object("window", preview.handle).configure(x=x, y=y)
        server.sync()

    move(100, 100)
    until(lambda: player.said(f"Let go: {COVERED}"), "the word")
    until(lambda: toy.held[-1] == "", "the keys to be let go of")
    until(lambda: has(place(), ALARM), "the warning")
    move(400, 100)
    until(lambda: player.said("It drives on."), "the drive to go on")
    until(lambda: "U" in toy.held[-1], "the throttle")
    server.close()


def test_what_the_network_looks_at_comes_from_a_process_of_its_own(racer, contract) -> None:
    told: list[str] = []
    saliency = Saliency(racer.folder, contract.spec, told.append)
    image = np.zeros(contract.input_shape, np.uint8)
    saliency.ask(image)
    assert (saliency.strength, saliency.state) == (None, "")
    saliency.toggle()
    try:

        def answered() -> bool:
            saliency.ask(image)
            assert not told
            return saliency.strength is not None

        until(answered, "an answer")
    finally:
        saliency.close()
    assert saliency.strength is not None
    assert saliency.strength.shape == (GRID, GRID)
    assert saliency.strength.max() == 1
    assert saliency.state.startswith("saliency up to ")


def test_a_model_that_cannot_be_asked_is_said_once_and_the_drive_goes_on(contract, tmp_path: Path) -> None:
    told: list[str] = []
    saliency = Saliency(tmp_path / "nothing", contract.spec, told.append, wished=True)

    def said() -> bool:
        saliency.ask(np.zeros(contract.input_shape, np.uint8))
        return bool(told)

    until(said, "a sentence")
    assert len(told) == 1
    assert told[0].startswith("What the network looks at cannot be shown: ")
    assert not saliency.wished


def test_the_film_of_a_drive_on_the_screen_has_the_controls_below_the_picture(racer, toy, tmp_path: Path) -> None:
    import av

    film = tmp_path / "drive.mp4"
    player = Player(racer.folder, tmp_path / "home", "--video", str(film), "--max-steps", "60")
    assert player.process.wait(300) == 0, player.told
    with av.open(str(film)) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(frames) > 20
    above, below = frames[-1][:480], frames[-1][480:]
    assert above.shape == (480, 640, 3)  # the game's 320x240, twice as large
    assert (np.abs(below.astype(int) - STEER).max(axis=2) < 40).any()
