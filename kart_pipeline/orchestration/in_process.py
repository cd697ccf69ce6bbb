"""Running the jobs in this process, in the memory that `dagster dev` shows, for one process at a time."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import dagster as dg
from filelock import FileLock, Timeout

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames_info import read_frames_info
from kart_pipeline.orchestration.assets.frames import frames, frames_version
from kart_pipeline.orchestration.instance import open_instance
from kart_pipeline.orchestration.sensors import look

IN_PROCESS_TAG = "kart/in_process"
_VERSION_TAG = "dagster/data_version"
_INTERRUPTED = (dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__)
_SILENT = {"console": {"config": {"log_level": "CRITICAL"}}}

Metadata = dict[str, Any]


@contextmanager
def at_work(settings: Settings, instance: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
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
def hushed() -> Iterator[None]:
    """Without TensorFlow's advice between the bars: it warns of every network that is traced anew."""
    tensorflow = logging.getLogger("tensorflow")
    level = tensorflow.level
    tensorflow.setLevel(logging.ERROR)
    try:
        yield
    finally:
        tensorflow.setLevel(level)


def run(
    defs: dg.Definitions,
    job: str,
    instance: dg.DagsterInstance,
    partition: str,
    tags: dict[str, str],
    ops: dict[str, Any] | None = None,
    assets: Sequence[str] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job for one partition; Ctrl-C, which Dagster takes for a failure of the step, ends it as Ctrl-C.

    Args:
        defs: the definitions.
        job: its name.
        instance: Dagster's memory.
        partition: the session or game.
        tags: of the run.
        ops: configuration by asset.
        assets: only these of the job; None is all.
    """
    try:
        result = defs.resolve_job_def(job).execute_in_process(
            run_config={"loggers": _SILENT, "ops": ops or {}},
            instance=instance,
            partition_key=partition,
            tags={**tags, IN_PROCESS_TAG: "true"},
            asset_selection=[dg.AssetKey(name) for name in assets] if assets else None,
            raise_on_error=False,
        )
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    if any(error and error.cls_name in _INTERRUPTED for error in errors):
        raise KeyboardInterrupt
    return result


def requests_of_sensor(settings: Settings, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What the sensor asks for; partitions are added and removed on the way.

    One look without the bounds of a tick, which are for a daemon that must answer soon: tick by tick, a store of 10,000
    would be gone through 400 times.
    """
    context = dg.build_sensor_context(instance, resources={"settings": settings})
    tick = look(context, settings, most_read=sys.maxsize, most_requests=sys.maxsize)
    for change in tick.dynamic_partitions_requests or ():
        if isinstance(change, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(change.partitions_def_name, change.partition_keys)
        else:
            for key in change.partition_keys:
                instance.delete_dynamic_partition(change.partitions_def_name, key)
    return [*(tick.run_requests or ())]


def reason(result: dg.ExecuteInProcessResult) -> str:
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


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> Metadata:
    """What an asset shows in Dagster, by name."""
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def is_prepared(settings: Settings, instance: dg.DagsterInstance, session: str, contract: str) -> bool:
    """Whether the frames are on the disk, and Dagster's last word on them was about these."""
    try:
        opened = Store(settings.store_url).open(session)
        digest, edits = opened.manifest.digest, opened.edits.mark
        built = read_frames_info(settings.datasets, contract, session)
    except KartError:
        return False
    if built is None or (built.digest, built.edits) != (digest, edits):
        return False
    last = instance.fetch_materializations(dg.AssetRecordsFilter(frames.key, asset_partitions=[session]), limit=1)
    if not last.records:
        return False
    event = last.records[0].asset_materialization
    return event is not None and (event.tags or {}).get(_VERSION_TAG) == frames_version(digest, contract, edits)


def _bury(instance: dg.DagsterInstance) -> None:
    """End the runs of a process that was killed: nobody else will, and they would hold the training pool for ever."""
    under_way = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(dg.RunsFilter(statuses=under_way, tags={IN_PROCESS_TAG: "true"})):
        instance.report_run_canceled(run, message="The process that ran it was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
