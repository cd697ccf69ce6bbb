import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from player.locate import locate


@pytest.fixture(scope="module")
def bookcase(tmp_path_factory, empty_tracking_db):
    """A home whose tracking store knows one run with one logged model, registered as `racer` 1 and 2."""
    from mlflow import MlflowClient

    home = tmp_path_factory.mktemp("bookcase")
    shutil.copy(empty_tracking_db, home / "mlflow.db")
    settings = Settings.from_env({"KART_HOME": str(home)})
    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    experiment = client.create_experiment("racer", artifact_location=settings.artifacts.as_uri())
    run = client.create_run(experiment).info.run_id
    model = client.create_logged_model(experiment, name="model", source_run_id=run)
    folder = Path(settings.artifacts / "models" / model.model_id / "artifacts")
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    client.create_registered_model("racer")
    for _ in range(2):
        client.create_model_version("racer", source=folder.as_uri(), run_id=run)
    client.set_registered_model_alias("racer", "champion", "2")
    return settings, client, run, model.model_id, folder


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("runs:/{run}/model", "run {run:.8}"),
        ("models:/{model}", "model {short}"),
        ("models:/racer/1", "racer v1"),
        ("models:/racer@champion", "racer v2"),
    ],
)
def test_every_form_of_uri_leads_to_the_files(bookcase, uri, name):
    settings, _, run, model, folder = bookcase
    values = {"run": run, "model": model, "short": model[2:10]}
    found = locate(uri.format(**values), settings)
    assert found.folder == folder
    assert found.name == name.format(**values)


def test_a_folder_is_taken_as_it_is_without_any_tracking_store(tmp_path):
    settings = Settings.from_env({"KART_HOME": str(tmp_path / "none")})
    assert locate(str(tmp_path), settings).folder == tmp_path


@pytest.mark.parametrize(
    "uri",
    [
        "runs:/0123/model",
        "runs:/{run}/modle",
        "models:/racer/7",
        "models:/racer/x",
        "models:/racer@hero",
        "models:/m-0",
    ],
)
def test_what_is_unknown_is_answered_with_what_exists(bookcase, uri):
    settings, _, run, *_ = bookcase
    with pytest.raises(KartError, match=r"models:/racer@champion, models:/racer/2, models:/racer/1"):
        locate(uri.format(run=run), settings)


@pytest.mark.parametrize("uri", ["runs:/0123", "champion", "s3://bucket/model", "http://example.org/m", "models:/"])
def test_what_is_no_uri_of_a_model_is_refused(bookcase, uri):
    with pytest.raises(KartError):
        locate(uri, bookcase[0])


def test_an_empty_store_says_that_a_model_has_to_be_trained(tmp_path, empty_tracking_db):
    shutil.copy(empty_tracking_db, tmp_path / "mlflow.db")
    with pytest.raises(KartError, match="holds no model at all"):
        locate("models:/racer@champion", Settings.from_env({"KART_HOME": str(tmp_path)}))


def test_without_registered_models_the_logged_ones_are_listed(tmp_path, empty_tracking_db):
    from mlflow import MlflowClient

    shutil.copy(empty_tracking_db, tmp_path / "mlflow.db")
    settings = Settings.from_env({"KART_HOME": str(tmp_path)})
    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    model = client.create_logged_model(client.create_experiment("x"), name="model")
    with pytest.raises(KartError, match=f"models:/{model.model_id}"):
        locate("models:/racer@champion", settings)


def test_a_missing_database_is_told_and_not_created(tmp_path):
    with pytest.raises(KartError, match="no tracking database"):
        locate("models:/racer@champion", Settings.from_env({"KART_HOME": str(tmp_path)}))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told_in_one_sentence(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(KartError, match="not a database") as caught:
        locate("models:/racer@champion", Settings.from_env({"KART_HOME": str(tmp_path)}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "tracking", ["https://mlflow.example.org", "postgresql://me:secret@db.example.org/x", "databricks", "file:///x"]
)
def test_a_tracking_store_elsewhere_is_refused_without_showing_its_password(tmp_path, tracking):
    settings = Settings.from_env({"KART_HOME": str(tmp_path), "MLFLOW_TRACKING_URI": tracking})
    with pytest.raises(KartError, match="--trust-remote") as caught:
        locate("models:/racer@champion", settings)
    assert "secret" not in str(caught.value)


def test_files_on_another_machine_are_refused_although_the_store_is_here(bookcase):
    settings, client, run, *_ = bookcase
    client.create_registered_model("far")
    client.create_model_version("far", source="s3://bucket/model", run_id=run)
    with pytest.raises(KartError, match=r"s3://bucket/model.*--trust-remote"):
        locate("models:/far/1", settings)
    client.delete_registered_model("far")


def test_files_that_were_moved_are_told_with_the_place_where_they_should_be(bookcase):
    settings, _, _, model, folder = bookcase
    hidden = folder.with_name("hidden")
    folder.rename(hidden)
    try:
        with pytest.raises(KartError, match="artifacts"):
            locate(f"models:/{model}", replace(settings))
    finally:
        hidden.rename(folder)
