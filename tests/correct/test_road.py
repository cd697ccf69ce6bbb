"""The stages that the demo and the rounds share."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.correct.road import Road, recipe, shown


@pytest.fixture
def road(tmp_path: Path) -> Road:
    settings = Settings.from_env({"KART_HOME": str(tmp_path / "home")})
    return Road(Console(file=io.StringIO(), width=200), settings, "car_racing", max_steps=5)


def said(road: Road) -> str:
    return road.console.file.getvalue()


def test_times_of_a_stage_add_up(road):
    assert road.stage("Look", lambda: 7) == 7
    before = road.seconds["Look"]
    road.stage("Look", lambda: None)
    assert road.seconds["Look"] > before
    assert "minutes: look" in road.times()


@pytest.mark.e2e
def test_it_records_only_what_is_missing(road, monkeypatch):
    pytest.importorskip("Box2D")
    monkeypatch.delenv("KART_STORE", raising=False)
    road.record(1, workers=1)
    store = Store(road.settings.store_url)
    assert [store.manifest(name).steps for name in store.ids()] == [5]
    assert road.recorded() == 1
    road.record(1, workers=1)
    assert road.recorded() == 1
    assert "All sessions of this round are there." in said(road)


@pytest.mark.e2e
def test_drives_that_begin_beside_the_line_are_short_and_counted_by_themselves(road, monkeypatch):
    pytest.importorskip("Box2D")
    monkeypatch.delenv("KART_STORE", raising=False)
    road.record_recoveries(1, workers=1)
    store = Store(road.settings.store_url)
    (manifest,) = map(store.manifest, store.ids())
    assert manifest.source["displaced"]
    assert manifest.driver["noise"]
    assert manifest.steps == 5
    assert (road.recorded(), road.recorded(beside=True)) == (0, 1)
    road.record_recoveries(1, workers=1)
    assert road.recorded(beside=True) == 1


def test_a_command_that_fails_is_named(road, capfd):
    with pytest.raises(KartError, match="`python -m recorder` failed with status 2; see above"):
        road.command("recorder", "info", "nothing")
    assert "$ python -m recorder info nothing" in said(road)
    assert "no finished session nothing" in capfd.readouterr().err


def test_the_recipe_hardens_the_network_against_nothing_that_a_simulated_game_lacks():
    made = recipe(2.5)
    assert (made.max_minutes, made.brightness, made.patches, made.shift) == (2.5, 0, 0, 0)
    assert made.mirror > 0


def test_a_path_below_this_folder_is_said_in_short(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "home" / "demo.mp4") == str(Path("home", "demo.mp4"))
    assert shown(tmp_path.parent) == str(tmp_path.parent)
