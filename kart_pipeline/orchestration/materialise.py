"""Materialising in this process, with progress bars instead of Dagster's log, in the memory that `dagster dev` shows.

The very sensor says what there is to do and the very jobs do it; what has been done already is not done again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from filelock import FileLock, Timeout
from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames_info import read_frames_info
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.orchestration.assets.frames import frames, frames_version
from kart_pipeline.orchestration.bars import Bars
from kart_pipeline.orchestration.definitions import build_defs
from kart_pipeline.orchestration.instance import open_instance
from kart_pipeline.orchestration.jobs import prepare_session, train_driver
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.sensors import CONTRACT_TAG, sessions_on_disk

IN_PROCESS_TAG = "kart/in_process"
_RUN_KEY_TAG, _SENSOR_TAG, _VERSION_TAG = "dagster/run_key", "dagster/sensor_name", "dagster/data_version"
_INTERRUPTED = (dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__)
_SILENT = {"console": {"config": {"log_level": "CRITICAL"}}}

Metadata = dict[str, Any]


@dataclass(slots=True)
class Prepared:
    """What became of the sessions, by id; of those that failed also why."""

    done: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to: what the assets of `train_driver` show in Dagster, by the same names."""

    training_set: Metadata
    driver_model: Metadata
    scorecard: Metadata
    champion: Metadata


def materialise_sessions(
    settings: Settings, *, instance: dg.DagsterInstance | None = None, console: Console | None = None
) -> Prepared:
    """Make the partitions what the disk says, and prepare every session that is not prepared.

    A bad session is named and does not stop the others.

    Args:
        settings: the folders.
        instance: Dagster's memory; by default the one that `dagster dev` shows.
        console: shows progress; None is silent.

    Raises:
        KartError: another process is at it, or `contracts.toml` is not valid.
    """
    prepared = Prepared()
    with _at_work(settings, instance) as memory, Bars(console) as bars:
        defs = build_defs(settings, bars)
        requests = _requests(settings, memory)
        for place, request in enumerate(requests):
            session = str(request.partition_key)
            bars("Sessions", place, len(requests), session)
            if _is_prepared(settings, memory, session, request.tags[CONTRACT_TAG]):
                prepared.unchanged.append(session)
                continue
            keys = {_RUN_KEY_TAG: str(request.run_key), _SENSOR_TAG: sessions_on_disk.name}
            result = _run(defs, prepare_session.name, memory, session, {**request.tags, **keys})
            if result.success:
                prepared.done.append(session)
            else:
                prepared.failed[session] = _reason(result)
        bars("Sessions", len(requests), len(requests))
    return prepared


def train(
    settings: Settings,
    game: str,
    hyper: HyperParameters,
    *,
    seeds: int = 8,
    max_steps: int | None = None,
    workers: int = 2,
    instance: dg.DagsterInstance | None = None,
    console: Console | None = None,
) -> Trained:
    """Run the job `train_driver` for one game.

    Args:
        settings: the folders.
        game: whose sessions have been materialised.
        hyper: of the training.
        seeds: how many tracks each driver of the scorecard drives, where the game can be opened.
        max_steps: limit of those drives.
        workers: processes for the drivers that need no network.
        instance: Dagster's memory; by default the one that `dagster dev` shows.
        console: shows progress; None is silent.

    Raises:
        KartError: there are no sessions of the game, another process is at it, or a step failed; it says why.
    """
    config = {
        "driver_model": {"config": hyper.to_dict()},
        "scorecard": {"config": {"seeds": seeds, "max_steps": max_steps, "workers": workers}},
    }
    with _at_work(settings, instance) as memory, Bars(console) as bars, _hushed():
        if game not in memory.get_dynamic_partitions(str(GAMES.name)):
            raise KartError(f"There are no sessions of {game!r} to learn from; record some and materialise them first.")
        result = _run(build_defs(settings, bars), train_driver.name, memory, game, {}, config)
        if not result.success:
            raise KartError(_reason(result))
    shown = {name: _metadata(result, name) for name in Trained.__dataclass_fields__}
    return Trained(**shown)


@contextmanager
def _at_work(settings: Settings, instance: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
    """Dagster's memory, for one process at a time, without runs that a killed process left behind."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.dagster_home / "in_process.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise KartError(f"Another process is materialising in {settings.home}; wait until it has ended.") from None
    try:
        with nullcontext(instance) if instance else open_instance(settings) as memory:
            _bury(memory)
            yield memory
    finally:
        lock.release()


@contextmanager
def _hushed() -> Iterator[None]:
    """Without TensorFlow's advice between the bars: it warns of every network that is traced anew."""
    tensorflow = logging.getLogger("tensorflow")
    level = tensorflow.level
    tensorflow.setLevel(logging.ERROR)
    try:
        yield
    finally:
        tensorflow.setLevel(level)


def _bury(instance: dg.DagsterInstance) -> None:
    """End the runs of a process that was killed: nobody else will, and they would hold the training pool for ever."""
    under_way = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(dg.RunsFilter(statuses=under_way, tags={IN_PROCESS_TAG: "true"})):
        instance.report_run_canceled(run, message="The process that ran it was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _requests(settings: Settings, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What the sensor asks for, tick by tick until it asks for nothing; partitions are added and removed on the way."""
    requests: list[dg.RunRequest] = []
    cursor = None
    while True:
        context = dg.build_sensor_context(instance, cursor=cursor, resources={"settings": settings})
        tick: dg.SensorResult = sessions_on_disk(context)  # type: ignore[assignment] # it returns nothing else
        for change in tick.dynamic_partitions_requests or ():
            if isinstance(change, dg.AddDynamicPartitionsRequest):
                instance.add_dynamic_partitions(change.partitions_def_name, change.partition_keys)
            else:
                for key in change.partition_keys:
                    instance.delete_dynamic_partition(change.partitions_def_name, key)
        requests += tick.run_requests or ()
        if not tick.run_requests:
            return requests
        cursor = tick.cursor


def _is_prepared(settings: Settings, instance: dg.DagsterInstance, session: str, contract: str) -> bool:
    """Whether the frames are on the disk, and Dagster's last word on them was about these."""
    try:
        digest = Store(settings.store_url).manifest(session).digest
        built = read_frames_info(settings.datasets, contract, session)
    except KartError:
        return False
    if built is None or built.digest != digest:
        return False
    last = instance.fetch_materializations(dg.AssetRecordsFilter(frames.key, asset_partitions=[session]), limit=1)
    if not last.records:
        return False
    event = last.records[0].asset_materialization
    return event is not None and (event.tags or {}).get(_VERSION_TAG) == frames_version(digest, contract)


def _run(
    defs: dg.Definitions,
    job: str,
    instance: dg.DagsterInstance,
    partition: str,
    tags: dict[str, str],
    ops: dict[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job for one partition; Ctrl-C, which Dagster takes for a failure of the step, ends it as Ctrl-C."""
    try:
        result = defs.resolve_job_def(job).execute_in_process(
            run_config={"loggers": _SILENT, "ops": ops or {}},
            instance=instance,
            partition_key=partition,
            tags={**tags, IN_PROCESS_TAG: "true"},
            raise_on_error=False,
        )
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    if any(error and error.cls_name in _INTERRUPTED for error in errors):
        raise KeyboardInterrupt
    return result


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """Why a run failed: the sentence of the check or of the step, else the last line of the error."""
    broken = [
        evaluation.description or evaluation.check_name
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]
    if broken:
        return " ".join(broken)
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return failure.user_failure_data.description
            if failure.error:
                cause = failure.error.cause or failure.error
                return f"Step {event.step_key} failed: {cause.message.strip()}"
    return "The run failed; `dagster dev` shows its log."


def _metadata(result: dg.ExecuteInProcessResult, asset: str) -> Metadata:
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}
