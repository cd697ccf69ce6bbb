"""The real BizHawk, for those who have it and a ROM: BIZHAWK_HOME is its folder, BIZHAWK_ROM the game's file.

docs/bizhawk.md has what is to be looked at by eye besides. BIZHAWK_GAME names the game in the tables, mario_kart_64
unless it is set; BIZHAWK_STATE a save state at the start of a race, without which nobody looks at the game's memory.
"""

import os
import sys
from pathlib import Path

import pytest

from kart_pipeline.games.base import PROGRESS
from kart_pipeline.games.registry import make_game

HOME, ROM, STATE = (os.environ.get(f"BIZHAWK_{name}", "") for name in ("HOME", "ROM", "STATE"))

pytestmark = pytest.mark.skipif(not (HOME and ROM), reason="set BIZHAWK_HOME and BIZHAWK_ROM to try the real BizHawk")


@pytest.fixture
def game(home):
    options = {
        "game": os.environ.get("BIZHAWK_GAME", "mario_kart_64"),
        "emuhawk": str(Path(HOME) / ("EmuHawk.exe" if sys.platform == "win32" else "EmuHawkMono.sh")),
        "rom": ROM,
        "states": STATE,
        "disturbed": False,
        "port": 0,
    }
    with make_game("bizhawk", **options) as opened:
        yield opened


def test_the_same_drive_twice_shows_the_same_pictures(game):
    drives = []
    for _ in range(2):
        game.reset(0)
        frames = [game.step(game.cruise()) for _ in range(60)]
        drives.append([(frame.rgb.tobytes(), frame.state) for frame in frames])
    assert drives[0] == drives[1]
    assert len({rgb for rgb, _ in drives[0]}) > 1, "the picture stands still"


def test_an_expert_looks_ahead_and_comes_back(game):
    if not STATE:
        pytest.skip("set BIZHAWK_STATE to a save state at the start of a race")
    frame = game.reset(0)
    assert PROGRESS in frame.state, game.doubt
    expert = game.expert()
    expert.reset()
    for _ in range(15):
        frame = game.step(expert.action(frame))
    assert frame.state[PROGRESS] > 0


def test_it_comes_back_after_a_player_that_was_gone(game):
    game.reset(0)
    game._running().close()
    game._lose()
    assert game.reset(0).rgb.any()
