"""A real model drives in BizHawk, through `lua/kart.lua` in a real Lua, launched as a person would."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.games.bizhawk.consoles import N64_SPEC
from kart_pipeline.games.registry import make_game
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import make_golden
from kart_pipeline.learning.tracking import log_driver, training_run
from kart_pipeline.orchestration.correcting import Terms, correct
from player.cli import main

URI = "models:/kart-counted/1"


@pytest.fixture(scope="module")
def models(tmp_path_factory, empty_tracking_db) -> Path:
    """A home with a model that has its foot down, for the game `counted` on the pad of an N64."""
    import keras

    settings = Settings.from_env({"KART_HOME": str(tmp_path_factory.mktemp("models"))})
    shutil.copy(empty_tracking_db, settings.home / "mlflow.db")
    contract = Contract(N64_SPEC, 30.0, width=66, height=66, colour="rgb")
    keras.utils.set_random_seed(3)
    model = build_network("pilotnet", contract)
    model.get_layer("A").bias.assign([5.0])
    frames = list(np.random.default_rng(0).integers(0, 255, (2, 30, 40, 3), dtype=np.uint8))
    with training_run(settings, "counted"):
        log_driver(model, contract, make_golden(contract, frames, predictor(model, contract)), "counted")
    return settings.home


@pytest.fixture
def words(models, counted, home, emuhawk):
    """What is typed to drive: the models are in the home beside the table of the game."""
    shutil.copy(home / "bizhawk.toml", models / "bizhawk.toml")
    os.environ["KART_HOME"] = str(models)  # `home` puts it back
    (models / "bizhawk.log").unlink(missing_ok=True)
    return ["--model-uri", URI, "--game", "bizhawk", "--option", f"game={counted}", "--launch", *emuhawk.launch]


def told(models):
    """What the emulator told, in order."""
    path = models / "bizhawk.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def pads(models):
    return [line["pad"] for line in told(models) if "pad" in line]


def test_it_drives_is_scored_and_recorded_and_lets_go(words, models, capsys):
    assert main([*words, "--seeds", "0,", "--record", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    (drive,) = result["scorecards"][0]["drives"]
    assert (drive["ended"], drive["autonomy"]) == ("finished", 1.0)
    assert any(pad.get("P1 A") for pad in pads(models))
    assert pads(models)[-1] == {}
    manifest = Store(str(models / "sessions")).manifest(result["sessions"][0])
    assert (manifest.game, manifest.driver["kind"], manifest.labelled) == ("counted", "policy", 0)


def test_whoever_holds_the_pad_in_bizhawk_drives(words, models, capsys, monkeypatch):
    monkeypatch.setenv("PERSON", '{"P1 X Axis": 40}')
    assert main([*words, "--seeds", "0,", "--option", "realtime=true", "--max-steps", "20", "--json"]) == 0
    (drive,) = json.loads(capsys.readouterr().out)["scorecards"][0]["drives"]
    assert (drive["interventions"], drive["autonomy"]) == (1, None)
    assert {"P1 X Axis": 40} in pads(models)


def test_a_model_of_another_game_is_refused_before_anything_is_launched(shelf, counted, home, emuhawk, capsys):
    words = ["--game", "bizhawk", "--option", f"game={counted}", "--launch", *emuhawk.launch]
    assert main(["--model-uri", str(shelf.folder), *words]) == 2
    assert "trained to drive car_racing, and this is counted" in capsys.readouterr().err
    assert not emuhawk.started


def test_a_round_of_corrections_launches_it_and_the_search_says_what_is_right(words, models, emuhawk):
    program, rom = emuhawk.launch
    with (models / "bizhawk.toml").open("a") as file:
        file.write(f"[counted.launch]\nemuhawk = '{program}'\nrom = '{rom}'\n")
    (made,) = correct(Settings.from_env(), "counted", 1, Terms(drives=1, max_steps=12), lambda *_: None)
    assert (made.steps, made.ended) == (12, "step limit")
    session = Store(str(models / "sessions")).open(made.session)
    rows = session.table(["actor", "label_A", "label_steer"]).to_pylist()
    assert {(row["actor"], row["label_A"], row["label_steer"]) for row in rows} == {("policy", True, 0.0)}
    assert pads(models)[-1] == {}


@pytest.mark.e2e
def test_a_killed_player_leaves_nothing_pressed_and_the_next_is_found(words, models, counted, port, soon, monkeypatch):
    monkeypatch.setenv("FPS", "300")
    player = subprocess.Popen(
        [sys.executable, "-m", "player", *words, "--seeds", "0,", "--option", f"port={port}", "--option", "frames=1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60  # TensorFlow takes its time
        while not pads(models):
            assert player.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        os.kill(player.pid, signal.SIGKILL)
        player.wait()
    soon(lambda: pads(models)[-1] == {})
    with make_game("bizhawk", game=counted, port=port, disturbed=False) as game:
        assert game.reset(0).rgb.any()
