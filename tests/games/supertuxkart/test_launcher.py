"""Starting the game: what is said where it cannot be, and what is left behind."""

import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.registry import make_game
from kart_pipeline.games.supertuxkart import launcher
from kart_pipeline.games.supertuxkart.launcher import Race, RacePlan, sweep


def test_without_the_game_the_one_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(launcher, "_GAMES", "/nowhere")
    with pytest.raises(KartError, match=r"not installed.*sudo apt-get install .*supertuxkart.*660 MB"):
        make_game("supertuxkart")


def test_what_a_killed_player_left_is_swept_away_and_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, used, other = (tmp_path / name for name in ("kart-supertuxkart-a", "kart-supertuxkart-b", "another"))
    for folder in (left, used, other):
        (folder / "data").mkdir(parents=True)
        (folder / "lock").touch()
    with FileLock(used / "lock"):
        sweep()
        assert sorted(folder.name for folder in tmp_path.iterdir()) == ["another", "kart-supertuxkart-b"]
        assert (used / "data").is_dir()


@pytest.mark.usefixtures("supertuxkart")
def test_a_display_that_is_none_is_told_with_the_games_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KartError, match="ended before the race began; its last words: "):
        Race(RacePlan("zengarden", 1), ":9999")
    assert not list(tmp_path.glob("kart-supertuxkart-*"))
