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


def test_steps_are_executed_here_unless_an_engine_is_named(tmp_path: Path) -> None:
    assert Settings.from_env({}).engine == "in_process"
    named = Settings.from_env({"KART_ENGINE": "celery", "KART_BROKER": "redis://a:6379/0", "KART_TAKEOVER_S": "90"})
    assert (named.engine, named.broker, named.takeover_s) == ("celery", "redis://a:6379/0", 90)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"KART_ENGINE": "slurm"}, "KART_ENGINE is 'slurm'; it can be in_process, multiprocess, celery, k8s."),
        ({"KART_ENGINE": "celery"}, "KART_BROKER names no Redis"),
        ({"KART_TAKEOVER_S": "soon"}, "KART_TAKEOVER_S is 'soon'; it is a whole number of seconds, at least 5."),
        ({"KART_TAKEOVER_S": "4"}, "at least 5"),
        ({"KART_TAKEOVER_S": "-5"}, "at least 5"),
    ],
)
def test_an_engine_that_cannot_be_is_refused_in_a_sentence(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(KartError, match=sentence):
        Settings.from_env(environ)
