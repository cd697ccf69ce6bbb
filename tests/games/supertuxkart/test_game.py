"""The real game: started, seen, steered, and ended."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.store import Store
from kart_pipeline.desktop.controllers.keyboard import Keyboard
from kart_pipeline.driving.drivers import Constant, Expert
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.base import PROGRESS, SPEED
from kart_pipeline.games.registry import make_game
from kart_pipeline.games.supertuxkart.game import SuperTuxKart
from kart_pipeline.games.supertuxkart.referee import DIED
from recorder.episode import Plan, Taken, record_episode

pytestmark = [pytest.mark.usefixtures("supertuxkart"), pytest.mark.e2e]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the games' folders are made, so that it is seen which are left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def game() -> Iterator[SuperTuxKart]:
    with SuperTuxKart(track="zengarden", display="own") as made:
        yield made


class Watch:
    """Keeps what it sees."""

    def __init__(self, deed: Callable[[Step], None] = lambda _: None) -> None:
        self.steps: list[Step] = []
        self._deed = deed

    def on_step(self, step: Step) -> None:
        self.steps.append(step)
        self._deed(step)


def test_the_robot_drives_ten_seconds_on_the_road_by_keys_and_screen(game: SuperTuxKart, tmp_path: Path) -> None:
    watch = Watch()
    done = drive(game, Expert(game.expert()), seed=1, observers=[watch], max_steps=300)
    first, last = watch.steps[0].frame, watch.steps[-1].frame
    assert first.rgb.shape == last.rgb.shape == (240, 320, 3)
    assert np.abs(first.rgb.astype(int) - last.rgb).mean() > 5
    assert done.track == "zengarden"
    assert (
        last.state[PROGRESS] > first.state[PROGRESS] + 0.01
    )  # on a machine with nothing else to do it is ten times as much
    assert last.state[SPEED] > 3
    assert done.off_track is not None
    assert done.off_track < 0.5
    assert len(list(tmp_path.glob("kart-supertuxkart-*"))) == 1
    game.close()
    assert not list(tmp_path.glob("kart-supertuxkart-*"))


def test_the_other_way_round_is_another_track_that_the_robot_knows_too() -> None:
    with SuperTuxKart(track="zengarden", reverse=True, display="own") as game:
        done = drive(game, Expert(game.expert()), seed=1, observers=[], max_steps=200)
    assert done.track == "zengarden-reverse"
    assert done.progress is not None
    assert done.progress > 0.01


def test_hands_off_the_kart_stays_where_it_is_and_a_new_race_begins_at_the_start(game: SuperTuxKart) -> None:
    game._disturbed = False
    first = game.reset(0)
    game.step(game.spec.neutral())
    time.sleep(0.5)
    assert game.next_frame().state[SPEED] < 1
    game.send(game.spec.action(throttle=1.0))
    time.sleep(2)
    moved = game.next_frame()
    assert moved.state[SPEED] > 1
    game.neutral()
    again = game.reset(0)
    assert (again.state["x"], again.state["y"]) == pytest.approx((first.state["x"], first.state["y"]), abs=0.5)


def test_the_games_rescue_puts_the_kart_back_onto_the_road(game: SuperTuxKart) -> None:
    game._disturbed = False
    frame = game.reset(0)
    began = time.monotonic()
    while not frame.state["off_track"] and time.monotonic() - began < 20:
        frame = game.step(game.spec.action(throttle=1.0, steer=0.6))
        time.sleep(1 / 30)
    assert frame.state["off_track"]
    game.neutral()
    time.sleep(game.rescue())
    frame = game.next_frame()
    assert not frame.state["off_track"]
    assert game.course.place.beside < game.course.place.half_width / 2


def test_a_game_that_dies_in_mid_race_ends_the_drive_and_the_session_is_whole(
    game: SuperTuxKart, tmp_path: Path
) -> None:
    def deed(step: Step) -> None:
        if len(watch.steps) == 45 and game._race is not None:
            os.kill(game._race.pid, signal.SIGKILL)

    watch = Watch(deed)
    taken = record_episode(
        Store(tmp_path / "sessions"),
        game,
        Constant(game.cruise()),
        Plan("supertuxkart", "expert", tmp_path / "sessions", codec="jpeg", max_steps=600),
        1,
        about_driver={"kind": "constant"},
        observers=[watch],
    )
    assert isinstance(taken, Taken)
    assert (taken.manifest.ended, taken.trouble) == (DIED, None)
    assert 45 <= taken.manifest.steps < 120
    session = Store(tmp_path / "sessions").open(taken.manifest.id)
    assert session.table(["steer"]).num_rows == taken.manifest.steps
    assert isinstance(game._keys, Keyboard)
    assert not game._keys.held


def test_nothing_is_left_of_a_killed_player(
    tmp_path: Path, soon: Callable[[Callable[[], object]], None], gone: Callable[[int], bool]
) -> None:
    code = (
        "import sys, time\n"
        "from kart_pipeline.games.supertuxkart.game import SuperTuxKart\n"
        "game = SuperTuxKart(track='zengarden', display='own')\n"
        "game.reset(0)\n"
        "print(game._race.pid, game._screen._server.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environ) as player:
        assert player.stdout is not None
        pids = [int(word) for word in player.stdout.readline().split()]
        assert len(pids) == 2
        player.kill()
        player.wait()
    soon(lambda: all(map(gone, pids)))
    assert list(tmp_path.glob("kart-supertuxkart-*"))  # swept away by the next race, see test_launcher


def test_on_a_persons_screen_no_key_stays_pressed_when_the_player_is_killed(
    desktop: str, tmp_path: Path, soon: Callable[[Callable[[], object]], None]
) -> None:
    from Xlib import XK
    from Xlib.display import Display

    code = (
        "from kart_pipeline.games.supertuxkart.game import SuperTuxKart\n"
        "from kart_pipeline.driving.drivers import Constant\n"
        "from kart_pipeline.driving.loop import drive\n"
        "game = SuperTuxKart(track='zengarden')\n"
        "class Tell:\n"
        "    def on_step(self, step):\n"
        "        if step.frame.state['speed'] > 1: print('moves', flush=True)\n"
        "drive(game, Constant(game.cruise()), seed=0, observers=[Tell()])\n"
    )
    server = Display(desktop)
    up = server.keysym_to_keycode(XK.XK_Up)

    def pressed() -> bool:
        return bool(server.query_keymap()[up // 8] >> up % 8 & 1)

    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environ) as player:
        assert player.stdout is not None
        assert player.stdout.readline() == "moves\n"
        assert pressed()
        player.kill()
        player.wait()
    soon(lambda: not pressed())
    server.close()


def test_an_unknown_track_is_answered_with_the_list() -> None:
    with pytest.raises(KartError, match=r"no track 'luigi-raceway'.*lighthouse.*zengarden"):
        make_game("supertuxkart", track="luigi-raceway")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reverse": "yes"}, "reverse is true or false, not 'yes'"),
        ({"laps": 0}, "at least one lap, not 0"),
        ({"patience": 0.5}, "patience is a number from 1, not 0.5"),
        ({"stuck_s": 0}, "stuck_s is a time above 0, not 0"),
        ({"stuck_s": "long"}, "stuck_s is a time above 0, not .long."),
    ],
)
def test_a_race_that_cannot_be_is_refused_before_the_game_starts(options: dict[str, object], said: str) -> None:
    with pytest.raises(KartError, match=said):
        make_game("supertuxkart", **options)


def test_a_track_that_goes_one_way_only_is_not_driven_the_other(
    make_track: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_track(tmp_path / "down", track='<track reverse="N"/>')  # every track of Debian's that tells goes both
    monkeypatch.setattr("kart_pipeline.games.supertuxkart.game.find_track", lambda _: folder)
    with pytest.raises(KartError, match="down goes one way only; leave out the option reverse"):
        make_game("supertuxkart", track="down", reverse=True)


def test_without_screen_and_xvfb_it_is_said_that_there_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(KartError, match="no screen to show SuperTuxKart on"):
        make_game("supertuxkart")
