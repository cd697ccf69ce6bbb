"""What Dagster loads."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from kart_pipeline.core.settings import Settings
from kart_pipeline.orchestration.definitions import build_defs

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).parent / "assets.json"


@pytest.fixture
def defs(settings: Settings) -> dg.Definitions:
    return build_defs(settings)


def test_they_can_be_loaded(defs):
    dg.Definitions.validate_loadable(defs)


def test_the_graph_is_the_one_that_was_agreed_on(defs):
    """After a wanted change, write what this test found into the file."""
    found = {
        spec.key.to_user_string(): {
            "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "group": spec.group_name,
            "kinds": sorted(spec.kinds),
            "partitions": spec.partitions_def.name,
        }
        for spec in defs.resolve_all_asset_specs()
    }
    assert found == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_asset_tells_a_person_what_it_is(defs):
    for spec in defs.resolve_all_asset_specs():
        assert len(spec.description) > 100, spec.key


def test_the_sensor_runs_without_anybody_starting_it(defs):
    (sensor,) = defs.sensors
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_both_ways_to_start_dagster_find_the_same_location():
    (listed,) = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"]["project"]
    assert listed["python_module"] == {
        "module_name": project["code_location_target_module"],
        "location_name": project["code_location_name"],
    }


def test_loading_imports_nothing_heavy(tmp_path):
    heavy = ["tensorflow", "keras", "mlflow", "matplotlib", "pandas", "gymnasium", "pygame", "av", "optuna"]
    code = (
        "import sys; import kart_pipeline.orchestration.definitions; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
