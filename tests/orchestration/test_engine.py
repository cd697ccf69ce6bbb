"""What executes the steps of a run."""

import dataclasses
import sys

import dagster as dg
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.orchestration import worker
from kart_pipeline.orchestration.definitions import build_defs
from kart_pipeline.orchestration.engine import celery_config, executor

EXECUTORS = {"in_process": "in_process", "multiprocess": "multiprocess", "celery": "celery", "k8s": "k8s"}


@pytest.fixture(params=EXECUTORS)
def engine(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    return dataclasses.replace(settings, engine=request.param, broker="redis://127.0.0.1:1/0")


def test_the_definitions_are_the_same_under_each_engine(engine: Settings):
    defs = build_defs(engine)
    dg.Definitions.validate_loadable(defs)
    assert defs.executor.name == EXECUTORS[engine.engine]
    assert {job.name for job in defs.jobs} == {job.name for job in build_defs().jobs}


def test_celery_and_its_workers_agree_on_when_a_step_is_taken_over(settings: Settings):
    told = celery_config(dataclasses.replace(settings, takeover_s=45))
    assert told["task_acks_late"]
    assert told["broker_transport_options"]["visibility_timeout"] == 45


@pytest.mark.parametrize(("engine", "module"), [("celery", "dagster_celery"), ("k8s", "dagster_k8s")])
def test_a_package_that_is_missing_is_named_with_the_command_that_brings_it(settings, monkeypatch, engine, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        KartError, match=rf"The engine {engine} needs a package .*pip install 'kart-pipeline\[{engine}\]'"
    ):
        executor(dataclasses.replace(settings, engine=engine))


def test_a_worker_without_a_broker_says_so(home, monkeypatch, capsys):
    monkeypatch.delenv("KART_BROKER", raising=False)
    assert worker.main([]) == 2
    assert capsys.readouterr().err == (
        "KART_BROKER names no Redis to take steps from; set it as redis://host:6379/0.\n"
    )
