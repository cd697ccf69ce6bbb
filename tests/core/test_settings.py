"""Where things live."""

from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings


def test_everything_is_below_dot_kart_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({})
    home = tmp_path / ".kart"
    assert settings.home == home
    assert Path(settings.store_url) == home / "sessions"
    assert settings.tracking_uri == f"sqlite:///{home.as_posix()}/mlflow.db"
    assert {settings.datasets, settings.artifacts, settings.dagster_home} == {
        home / "datasets",
        home / "mlartifacts",
        home / "dagster",
    }
    assert not home.exists()


def test_the_environment_moves_each_part(tmp_path: Path) -> None:
    environ = {"KART_HOME": str(tmp_path), "KART_STORE": "memory://x", "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}
    settings = Settings.from_env(environ)
    assert settings.home == tmp_path
    assert settings.store_url == "memory://x"
    assert settings.tracking_uri == "http://127.0.0.1:5000"
    assert settings.recordings == tmp_path / "sessions"


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KartError, match="not a folder"):
        Settings.from_env({"KART_HOME": str(tmp_path / "file")})
