"""Which tracks can be driven, and how one is made to tell."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.supertuxkart.telemetry import SCRIPT
from kart_pipeline.games.supertuxkart.tracks import find_track, goes_both_ways, make_telling, race_tracks

MakeTrack = Callable[..., Path]


@pytest.fixture
def data(tmp_path: Path, make_track: MakeTrack) -> Path:
    """Two tracks to race on, and others that are none."""
    make_track(tmp_path / "data/square")
    make_track(tmp_path / "data/circle")
    make_track(tmp_path / "data/arena", track='<track arena="Y"/>')
    make_track(tmp_path / "data/goal", track='<track soccer="Y"/>')
    make_track(tmp_path / "data/film", track='<track cutscene="Y" internal="Y"/>')
    make_track(tmp_path / "data/damaged", track="<track")
    (make_track(tmp_path / "data/scripted") / "scripting.as").write_text("void onStart() {}")
    (tmp_path / "data/empty").mkdir()
    return tmp_path / "data"


def test_tracks_are_those_with_a_course_and_without_a_script_of_their_own(data: Path) -> None:
    assert race_tracks(data) == ["circle", "square"]
    assert race_tracks(data / "nowhere") == []


def test_an_unknown_track_is_answered_with_the_list(data: Path) -> None:
    assert find_track("square", data) == data / "square"
    for name in ("luigi-raceway", "arena", "../data/square"):
        with pytest.raises(KartError, match="there are circle, square"):
            find_track(name, data)


def test_a_track_says_whether_it_can_be_driven_the_other_way_round(make_track: MakeTrack, tmp_path: Path) -> None:
    assert goes_both_ways(make_track(tmp_path / "both", track='<track reverse="Y"/>'))
    assert not goes_both_ways(make_track(tmp_path / "one", track='<track reverse="N"/>'))
    assert not goes_both_ways(make_track(tmp_path / "silent", track="<track/>"))


def test_a_telling_track_is_links_and_a_script(data: Path, tmp_path: Path) -> None:
    name = make_telling(data / "square", tmp_path / "own")
    folder = tmp_path / "own" / name
    assert name == "square_tm"
    assert (folder / "quads.xml").is_symlink()
    assert (folder / "quads.xml").read_text() == (data / "square/quads.xml").read_text()
    assert (folder / "scripting.as").read_text() == SCRIPT
    assert not (data / "square/scripting.as").exists()
