"""The whole of it: a window that turns by keys is measured, and the response is kept; one that stands is not."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from desktop_fixtures import KeyWatch, MakeWindow

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.choose import ControllerChoice, open_controller
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.desktop.windows import open_windows
from player.calibration.fit import fit
from player.calibration.sweep import Sweep
from player.cli import main
from recorder.devices.settings import PadSettings

MakeGame = Callable[[float], None]


@pytest.fixture
def game(desktop: str, soon) -> Iterator[MakeGame]:
    """Starts the game, which turns by so many widths a second."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(widths_per_s: float) -> None:
        command = [sys.executable, Path(__file__).with_name("turning_window.py"), "Turning", str(widths_per_s)]
        begun.append(subprocess.Popen(command, env=dict(os.environ)))
        end = time.monotonic() + 20
        windows = open_windows()
        while not any(window.title == "Turning" for window in windows.all()):
            assert time.monotonic() < end, "the window does not come up"
            time.sleep(0.05)
        source = open_source(Where("Turning"), 0)
        soon(source.focused)
        source.close()
        windows.close()

    yield start
    for process in begun:
        process.kill()
        process.wait()


ARGUMENTS = ("calibrate", "--window", "Turning", "--game", "toy", "--axes", "steer", "--controller", "keyboard")


@pytest.fixture
def sweep(desktop: str) -> Iterator[Callable[[], Sweep]]:
    """Makes a sweep of the game with the keys."""
    with ExitStack() as stack:

        def make() -> Sweep:
            source = open_source(Where("Turning"), 120)
            stack.callback(source.close)
            keyboard = open_controller(ControllerChoice("keyboard"), KeyLayout()).controller
            stack.callback(keyboard.close)
            return Sweep(
                source, keyboard, lambda value: PadState({"left_x": value}), 0.9, lambda: False, lambda _: None
            )

        yield make


@pytest.mark.e2e
def test_the_picture_turns_as_much_as_the_keys_are_pulsed(
    game: MakeGame, sweep: Callable[[], Sweep], key_watch: KeyWatch
) -> None:
    game(0.9)
    levels, noise = sweep().run((0.25, 0.5, 0.75, 1.0))
    assert noise < 0.02
    full = levels[-1].turning
    assert full == pytest.approx(0.9, rel=0.35)
    assert all(level.right < 0 < level.left for level in levels)
    shares = [level.turning / full for level in levels]
    assert shares == sorted(shares)
    assert shares[1] == pytest.approx(0.5, abs=0.25)
    assert key_watch.down() == set()


@pytest.mark.e2e
def test_a_picture_that_stands_still_is_told_to_say_nothing(game: MakeGame, sweep: Callable[[], Sweep]) -> None:
    game(0.0)
    with pytest.raises(KartError, match=r"It cannot be told: with the stick at its ends the picture moved .* by 0.000"):
        fit(*sweep().run((0.5, 1.0)))


@pytest.mark.e2e
def test_the_command_measures_shows_and_keeps(game: MakeGame, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    game(0.9)
    assert main([*ARGUMENTS, "--seconds", "0.5"]) == 0
    said = capsys.readouterr()
    assert "--controller keyboard takes the keyboard through xtest" in said.err
    assert "Speed of the picture" in said.out
    assert "Kept in" in said.out
    response = PadSettings.load(home).mapping("toy", ActionSpec(("steer",))).output["steer"]
    assert response.dead_zone < 0.3
    assert response.reach > 0.5


@pytest.mark.e2e
def test_a_game_that_loses_the_focus_gets_no_keys(game: MakeGame, home: Path, make_window: MakeWindow) -> None:
    game(0.9)
    make_window("In front", (400, 300, 100, 100))
    command = subprocess.run(
        [sys.executable, "-m", "player", *ARGUMENTS],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.returncode == 2
    assert "The game does not have the focus" in command.stderr
    assert "Traceback" not in command.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--axes", "throttle", "--axis", "steer"], "The game has no axis steer to calibrate; its axes are: throttle"),
        (["--axes", "steer", "--hold", "gas"], "--hold: the game has no gas; it has steer"),
        (["--buttons", "left"], "The game has no axis to steer with to calibrate; its axes are: none"),
        (["--axes", "steer", "--controller", "wheel"], "'wheel' is no controller"),
        ([], "list them, as"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(
    words: list[str], sentence: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", "--monitor", "1", "--game", "toy", *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_too_short_a_look_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*ARGUMENTS, "--seconds", "0.1"])
    assert "too short to see a turn" in capsys.readouterr().err
