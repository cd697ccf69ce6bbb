"""A home with an MLflow database that is ready for use, and two short drives of CarRacing's expert in it."""

import shutil
from pathlib import Path

import pytest

from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.driving.drivers import Expert
from kart_pipeline.games.registry import make_game
from recorder.episode import Plan, record_episode


@pytest.fixture(scope="session")
def empty_tracking_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated MLflow database, to be copied: migrating takes seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("db") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path.as_posix()}").search_experiments()
    return path


@pytest.fixture
def settings(tmp_path: Path, empty_tracking_db: Path) -> Settings:
    home = tmp_path / "a home"
    home.mkdir()
    shutil.copy(empty_tracking_db, home / "mlflow.db")
    return Settings.from_env({"KART_HOME": str(home)})


@pytest.fixture
def recorded(settings: Settings) -> Settings:
    """The same home with two drives of 40 steps."""
    pytest.importorskip("Box2D")
    plan = Plan("car_racing", "expert", settings.recordings, max_steps=40)
    with make_game("car_racing") as game:
        for seed in (0, 1):
            driver = Expert(game.expert())
            record_episode(Store(settings.recordings), game, driver, plan, seed, about_driver={"kind": "expert"})
    return settings
