"""`python -m player score`: many seeds, another model beside, and what is kept at the MLflow run."""

import json
import shutil

import pytest
from mlflow import MlflowClient

from player.cli import main


@pytest.fixture
def home(shelf, monkeypatch):
    monkeypatch.setenv("KART_HOME", str(shelf.settings.home))
    return shelf.settings.home


@pytest.fixture
def client(shelf) -> MlflowClient:
    return MlflowClient(tracking_uri=shelf.settings.tracking_uri, registry_uri=shelf.settings.tracking_uri)


def test_two_models_are_compared_seed_by_seed_and_the_scores_are_kept(shelf, home, client, tmp_path, capfd):
    other = shutil.copytree(shelf.folder, tmp_path / "other")
    wishes = ["--seeds", "7,8", "--max-steps", "10", "--against", str(other), "--json"]
    assert main(["score", "--model-uri", shelf.driver.uri, *wishes]) == 0
    told = json.loads(capfd.readouterr().out)
    ours, theirs = told["scorecards"]
    assert (ours["game"], theirs["driver"]) == ("car_racing", "other")
    assert [drive["seed"] for drive in ours["drives"]] == [7, 8]
    # The same network on the same tracks: what differs would be the comparison's mistake.
    assert (told["comparisons"][0]["seeds"], told["comparisons"][0]["difference"]) == (2, 0)
    metrics = client.get_run(shelf.driver.run_id).data.metrics
    assert metrics["score/mean"] == pytest.approx(ours["mean"])
    assert (metrics["score/finished"], metrics["score/lead"], metrics["score/autonomy"]) == (0, 0, 1)
    assert metrics["score/lead_low"] <= metrics["score/lead"] <= metrics["score/lead_high"]
    assert "score/finish_time" not in metrics
    (folder,) = client.list_artifacts(shelf.driver.run_id, "scores")
    assert folder.path in told["kept"]
    kept = [item.path.rsplit("/", 1)[-1] for item in client.list_artifacts(shelf.driver.run_id, folder.path)]
    assert sorted(kept) == ["scorecard.json", "scorecard.md", "scores_by_seed.png"]


def test_a_person_sees_tables_and_why_a_folders_scores_are_kept_nowhere(shelf, home, capfd):
    assert main(["score", "--model-uri", str(shelf.folder), "--seeds", "7,", "--max-steps", "5"]) == 0
    out = capfd.readouterr().out
    for text in ("mean score", "DNF", "step limit", "a folder without an MLflow run"):
        assert text in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seeds", "none"], "Seeds are a count"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--against", "models:/nobody@champion"], "these exist: models:/kart-car_racing@champion"),
        (["--game", "car_racing_keys"], "was trained to drive car_racing, and this is car_racing_keys"),
    ],
)
def test_a_mistake_is_one_sentence(shelf, home, capfd, words, sentence):
    assert main(["score", "--model-uri", str(shelf.folder), *words]) == 2
    out, err = capfd.readouterr()
    assert sentence in err.strip().splitlines()[-1]
    assert out == ""


def test_a_model_against_itself_is_refused(shelf, home, capfd):
    assert main(["score", "--model-uri", "a", "--against", "a"]) == 2
    assert "--against names the same model" in capfd.readouterr().err


def test_a_model_of_a_game_that_cannot_be_opened_says_which_can(shelf, home, tmp_path, capfd):
    folder = shutil.copytree(shelf.folder, tmp_path / "model")
    (folder / "driver" / "about.json").write_text('{"game": "mario_kart_64"}')
    assert main(["score", "--model-uri", str(folder)]) == 2
    assert "mario_kart_64; name one that drives by itself with --game: bizhawk, car_racing" in capfd.readouterr().err
