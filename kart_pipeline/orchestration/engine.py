"""What executes the steps of a run: its own process, several of them, Celery's workers or Kubernetes' pods.

    KART_ENGINE=in_process     the run's process                 (default)
    KART_ENGINE=multiprocess   a process for each step
    KART_ENGINE=celery         run ──▶ KART_BROKER, a Redis ──▶ workers, here and on other machines
    KART_ENGINE=k8s            a pod for each step

The definitions are the same for all. How machines are set up for it is in `docs/scaling.md`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings

QUEUE = "dagster"  # the name that dagster-celery gives its own


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """The executor that KART_ENGINE names.

    Raises:
        KartError: its package is not installed.
    """
    return _EXECUTORS[settings.engine](settings)


def celery_config(settings: Settings) -> Mapping[str, Any]:
    """What a run and the workers must agree on, in Celery's own words.

    A worker acknowledges a step when it is done, not when it begins: the step of one that dies goes to another. Where
    it dies so that nobody is told (`kill -9`, a power cut), Redis hands the step out again after `takeover_s`, unless
    the worker says meanwhile that it lives, see `worker.Alive`.
    """
    redis = {"visibility_timeout": settings.takeover_s, "unacked_restore_throttle": 1}  # look every 10 s, not 100 s
    return {
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,  # a step that waits behind a training could be done elsewhere
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": redis,
        "result_backend_transport_options": redis,
        "task_default_queue": QUEUE,
    }


def missing(engine: str, error: ModuleNotFoundError) -> KartError:
    """The sentence for an engine whose package is not there."""
    return KartError(
        f"The engine {engine} needs a package that is not installed ({error}): pip install 'kart-pipeline[{engine}]'."
    )


def _in_process(settings: Settings) -> dg.ExecutorDefinition:  # noqa: ARG001 - one signature for all
    # Each run has a process of its own. More of them for its steps, which follow one another anyway, would cost 3 s
    # a step, and 12 s where TensorFlow is imported again.
    return dg.in_process_executor


def _multiprocess(settings: Settings) -> dg.ExecutorDefinition:  # noqa: ARG001
    return dg.multiprocess_executor


def _celery(settings: Settings) -> dg.ExecutorDefinition:
    try:
        from dagster_celery import celery_executor
    except ModuleNotFoundError as error:
        raise missing("celery", error) from error
    configured: dg.ExecutorDefinition = celery_executor.configured(
        {"broker": settings.broker, "backend": settings.broker, "config_source": dict(celery_config(settings))},
        name="celery",
    )
    return configured


def _k8s(settings: Settings) -> dg.ExecutorDefinition:  # noqa: ARG001
    try:
        from dagster_k8s import k8s_job_executor
    except ModuleNotFoundError as error:
        raise missing("k8s", error) from error
    made: dg.ExecutorDefinition = k8s_job_executor
    return made


_EXECUTORS: Mapping[str, Callable[[Settings], dg.ExecutorDefinition]] = {
    "in_process": _in_process,
    "multiprocess": _multiprocess,
    "celery": _celery,
    "k8s": _k8s,
}
