"""The job `search_recipe` on next to nothing: what it shows can be pasted, and it refuses in sentences."""

import re

import dagster as dg
import pytest
import yaml

from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.orchestration.assets.training_set import training_set
from kart_pipeline.orchestration.definitions import build_defs
from kart_pipeline.orchestration.materialise import materialise_sessions
from kart_pipeline.orchestration.resources import LogProgress
from kart_pipeline.orchestration.search import search_recipe

pytest.importorskip("optuna")
BASE = {"network": "pilotnet", "epochs": 1, "steps_per_epoch": 1, "batch_size": 8}


@pytest.fixture
def search(tracked, instance, record):
    """Run the job for a game with two sessions."""
    for number in range(2):
        record(f"s{number}", 20, phase=float(number))
    materialise_sessions(tracked, instance=instance)
    dg.materialize_to_memory(
        [training_set],
        partition_key="drawn",
        instance=instance,
        resources={"settings": tracked, "progress": LogProgress()},
    )

    def run(**config: object) -> dg.ExecuteInProcessResult:
        return (
            build_defs(tracked)
            .resolve_job_def(search_recipe.name)
            .execute_in_process(
                instance=instance,
                partition_key="drawn",
                run_config={"ops": {"search": {"config": config}}},
                raise_on_error=False,
            )
        )

    return run


def test_the_best_can_be_pasted_into_the_launchpad(search, tracked):
    done = search(trials=1, base=BASE)
    assert done.success
    (event,) = [event for event in done.all_events if event.event_type_value == "STEP_OUTPUT"]
    shown = event.step_output_data.metadata
    pasted = yaml.safe_load(
        re.search(r"```yaml\n(.*)```", shown["for the launchpad of train_driver"].value, re.DOTALL)[1]
    )
    hyper = HyperParameters.from_dict(pasted["ops"]["driver_model"]["config"])
    assert (hyper.network, hyper.epochs, hyper.max_minutes) == ("pilotnet", 1, 3.0)
    assert 0 < shown["best held-out loss"].value < 10
    assert "data:image/png" in shown["history"].value
    assert (tracked.home / "search.db").is_file()
    job = build_defs(tracked).resolve_job_def("train_driver")
    assert dg.validate_run_config(job, pasted)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"seeds": 3}, "drawn cannot be opened from here"),
        ({"base": {"colour": 1}}, "No such hyper-parameter: colour"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_sentence(search, config, sentence):
    failed = search(trials=1, **config)
    assert not failed.success
    (event,) = [event for event in failed.all_events if event.is_step_failure]
    assert sentence in event.step_failure_data.user_failure_data.description
