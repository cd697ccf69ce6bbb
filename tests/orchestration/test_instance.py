"""Dagster's memory is inside KART_HOME, without DAGSTER_HOME."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef

from kart_pipeline.core.settings import Settings
from kart_pipeline.orchestration.instance import HomeInstance, open_instance

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_dagster_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def test_what_dagster_dev_makes_of_our_settings_outlives_its_temporary_folder(tmp_path, monkeypatch):
    """`dagster dev` and `dg dev` load the settings of the working folder over a temporary one, exactly so."""
    monkeypatch.setenv("KART_HOME", str(tmp_path / "home"))
    for temporary in ("first start", "second start"):
        (tmp_path / temporary).mkdir()
        ref = InstanceRef.from_dir(str(tmp_path / temporary), config_dir=str(ROOT))
        with dg.DagsterInstance.from_ref(ref) as instance:
            assert isinstance(instance, HomeInstance)
            assert instance.root_directory == str(tmp_path / "home" / "dagster")
            known = instance.get_dynamic_partitions("sessions")
            instance.add_dynamic_partitions("sessions", [temporary])
        assert not any((tmp_path / temporary).iterdir())
    assert known == ["first start"]


def test_other_processes_are_handed_the_folder_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KART_HOME", "relative")
    ref = InstanceRef.from_dir(str(tmp_path), config_dir=str(ROOT))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with dg.DagsterInstance.from_ref(InstanceRef.from_dict(ref.to_dict())) as instance:
        assert instance.root_directory == str(tmp_path / "relative" / "dagster")


def test_this_process_sees_what_dagster_dev_shows(settings: Settings, monkeypatch, tmp_path):
    with open_instance(settings) as ours:
        ours.add_dynamic_partitions("sessions", ["a"])
    monkeypatch.setenv("KART_HOME", str(settings.home))
    (tmp_path / "temporary").mkdir()
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path / "temporary"), config_dir=str(ROOT))) as theirs:
        assert theirs.get_dynamic_partitions("sessions") == ["a"]


def test_dagster_home_wins_where_somebody_sets_it(settings: Settings, monkeypatch, tmp_path):
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "mine"))
    with open_instance(settings) as instance:
        assert instance.root_directory == str(tmp_path / "mine")
    assert not settings.dagster_home.exists()


def test_one_training_runs_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setenv("KART_HOME", str(tmp_path / "home"))
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(ROOT))) as instance:
        assert instance.get_settings("concurrency")["pools"] == {"default_limit": 1, "granularity": "op"}
        assert instance.get_settings("telemetry") == {"enabled": False}
