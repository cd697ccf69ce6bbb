"""`models:/NAME@course`: each course is driven by the model that has its alias."""

import json
import shutil

import pytest
from mlflow import MlflowClient

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.games.car_racing import CarRacing
from kart_pipeline.games.registry import default_contract
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import make_golden
from kart_pipeline.learning.tracking import log_driver, training_run
from player.cli import main
from player.courses import find_model, of_course, open_driver


@pytest.fixture(scope="module")
def garage(tmp_path_factory, empty_tracking_db):
    """Two versions of a driver that steer differently: the first for the courses 7 and 8, the second for 9."""
    import keras

    settings = Settings.from_env({"KART_HOME": str(tmp_path_factory.mktemp("garage"))})
    shutil.copy(empty_tracking_db, settings.home / "mlflow.db")
    contract = default_contract("car_racing")
    with CarRacing() as game:
        frames = [game.reset(1).rgb, game.step(game.cruise()).rgb]
    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    for seed, courses in ((3, (7, 8)), (4, (9,))):
        keras.utils.set_random_seed(seed)
        network = build_network("pilotnet", contract)
        golden = make_golden(contract, frames, predictor(network, contract))
        with training_run(settings, "car_racing"):
            logged = log_driver(network, contract, golden, "car_racing")
        for course in courses:
            client.set_registered_model_alias(logged.name, f"course-seed-{course}", logged.version)
    return settings


@pytest.fixture
def home(garage, monkeypatch):
    monkeypatch.setenv("KART_HOME", str(garage.home))


def scores(uri, seeds, capfd, *wishes):
    assert main(["score", "--model-uri", uri, "--seeds", seeds, "--max-steps", "8", "--json", *wishes]) == 0
    told = json.loads(capfd.readouterr().out)
    return told, [drive["score"] for drive in told["scorecards"][0]["drives"]]


def test_each_course_is_driven_by_its_own_model(garage, home):
    model = find_model("models:/kart-car_racing@course", garage, runtime="auto")
    assert sorted(model.courses) == ["seed-7", "seed-8", "seed-9"]
    with CarRacing() as game:
        by_course = open_driver(model, game)
        for seed, version in ((7, 1), (9, 2), (8, 1)):
            alone = open_driver(find_model(f"models:/kart-car_racing/{version}", garage, runtime="auto"), game)
            frame = game.reset(seed)
            by_course.reset()
            alone.reset()
            assert by_course.act(frame).action == alone.act(frame).action
            assert by_course.seen is not None


def test_they_are_scored_as_one_and_told_as_what_they_are(home, capfd):
    told, by_course = scores("models:/kart-car_racing@course", "7,9", capfd)
    assert told["model"]["name"] == "kart-car_racing, by course"
    assert told["model"]["uri"] == "models:/kart-car_racing@course"
    assert "several models, so its scores are kept at none of them" in told["kept"]
    _, first = scores("models:/kart-car_racing/1", "7,9", capfd, "--no-log")
    _, second = scores("models:/kart-car_racing/2", "7,9", capfd, "--no-log")
    assert by_course == [first[0], second[1]]


def test_a_course_without_a_model_is_named_with_what_to_do(home, capfd):
    assert main(["score", "--model-uri", "models:/kart-car_racing@course", "--seeds", "5,", "--max-steps", "3"]) == 2
    sentence = capfd.readouterr().err.strip().splitlines()[-1]
    assert "No model is for the course seed-5; there are some for seed-7, seed-8, seed-9" in sentence
    assert "the alias course-seed-5" in sentence


@pytest.mark.parametrize(
    ("uri", "match"),
    [("models:/nobody@course", "There is no model nobody; these exist: models:/kart-car_racing@course-seed-7")],
)
def test_what_no_registry_holds_is_a_sentence(garage, uri, match):
    with pytest.raises(KartError, match=match):
        find_model(uri, garage, runtime="auto")


def test_a_model_whose_versions_have_no_such_alias_says_which_is_missing(shelf):
    with pytest.raises(KartError, match="No version of kart-car_racing has an alias course-…"):
        find_model("models:/kart-car_racing@course", shelf.settings, runtime="auto")


def test_where_the_course_is_known_beforehand_its_model_is_named() -> None:
    assert of_course("models:/kart@course", "luigi-raceway") == "models:/kart@course-luigi-raceway"
    assert of_course("models:/kart@champion", "luigi-raceway") == "models:/kart@champion"
    with pytest.raises(KartError, match="nothing says which course is meant; name one model, as models:/kart@course-"):
        of_course("models:/kart@course")
