"""The sensor on a real instance: partitions follow the disk."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
from filelock import FileLock

from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.orchestration import sensors
from kart_pipeline.orchestration.definitions import build_defs
from kart_pipeline.orchestration.sensors import look, sessions_on_disk

Tick = Callable[[], dg.SensorResult]


@pytest.fixture
def tick(settings: Settings, instance: dg.DagsterInstance) -> Tick:
    """Evaluate the sensor, apply what it wants of the partitions, keep its cursor: what the daemon does."""
    cursor: str | None = None

    def run() -> dg.SensorResult:
        nonlocal cursor
        context = dg.build_sensor_context(
            instance, cursor=cursor, resources={"settings": settings}, definitions=build_defs(settings)
        )
        result = sessions_on_disk(context)
        for change in result.dynamic_partitions_requests:
            name, keys = change.partitions_def_name, change.partition_keys
            if isinstance(change, dg.AddDynamicPartitionsRequest):
                instance.add_dynamic_partitions(name, keys)
            else:
                for key in keys:
                    instance.delete_dynamic_partition(name, key)
        cursor = result.cursor
        return result

    return run


@pytest.fixture
def partitions(instance: dg.DagsterInstance) -> Callable[[], tuple[set[str], set[str]]]:
    """Keys of sessions and games."""
    return lambda: (set(instance.get_dynamic_partitions("sessions")), set(instance.get_dynamic_partitions("games")))


def test_a_finished_session_becomes_a_partition_with_a_run_in_one_tick(tick, partitions, record):
    record("a")
    record("b", game="other")
    result = tick()
    assert partitions() == ({"a", "b"}, {"drawn", "other"})
    assert [request.partition_key for request in result.run_requests] == ["a", "b"]
    assert len({request.run_key for request in result.run_requests}) == 2


def test_nothing_new_skips_and_says_so(tick, record):
    record("a")
    tick()
    result = tick()
    assert result.run_requests == []
    assert result.skip_reason.skip_message == "Nothing new among 1 sessions."


def test_deleted_sessions_and_their_game_lose_their_partitions(tick, partitions, record, store):
    record("a")
    record("b", game="other")
    tick()
    store.remove("b")
    tick()
    assert partitions() == ({"a"}, {"drawn"})


def test_a_recording_becomes_a_partition_when_it_is_finished(tick, partitions, record, settings):
    record("a")
    writer = settings.recordings / "b"
    writer.mkdir()
    (writer / "recording.arrows").write_bytes(b"")
    tick()
    assert partitions()[0] == {"a"}


def test_partitions_that_were_made_by_hand_are_removed(tick, partitions, record, instance):
    record("a")
    instance.add_dynamic_partitions("sessions", ["invented"])
    tick()
    assert partitions()[0] == {"a"}


def test_nothing_is_removed_while_sessions_wait_to_be_looked_at(tick, partitions, record, instance, monkeypatch):
    monkeypatch.setattr(sensors, "look", partial(look, most_requests=1))
    record("a")
    record("b")
    instance.add_dynamic_partitions("sessions", ["b"])  # from before the cursor was lost
    tick()
    assert partitions()[0] == {"a", "b"}


def test_a_changed_contract_asks_for_new_frames(tick, record, set_contracts):
    record("a")
    first = tick()
    set_contracts("[drawn]\nheight = 70\n")
    second = tick()
    assert [request.partition_key for request in second.run_requests] == ["a"]
    tags = [result.run_requests[0].tags["kart/contract"] for result in (first, second)]
    assert tags[0] != tags[1]


def test_a_lost_memory_asks_again_under_the_same_keys(tick, record, settings):
    record("a")
    first = tick()
    for path in (settings.dagster_home / "sensor").iterdir():
        path.unlink()
    assert tick().run_requests[0].run_key == first.run_requests[0].run_key


@pytest.fixture
def abandoned(record, settings) -> Path:
    """The folder of a recording of 30 steps whose recorder died a while ago."""
    record("whole", 30)  # to copy steps from
    whole = Store(settings.store_url).open("whole")
    names = ("game", "rate_hz", "spec")
    header = SessionHeader(id="broken", **{name: getattr(whole.manifest, name) for name in names})
    writer = Store(settings.store_url).create(header)
    for step in whole.steps():
        writer.append(step)
    writer.flush()
    writer._release()
    stream = settings.recordings / "broken" / "recording.arrows"
    os.utime(stream, (time.time() - 3600,) * 2)
    return stream.parent


def repairs(result: dg.SensorResult) -> list[dg.RunRequest]:
    return [request for request in result.run_requests if request.job_name == "repair_recording"]


def test_a_recording_whose_recorder_died_is_repaired_and_becomes_a_partition(
    tick, partitions, abandoned, settings, instance
):
    (request,) = repairs(tick())
    (again,) = repairs(tick())
    assert again.run_key == request.run_key, "Dagster starts it once"
    job = build_defs(settings).resolve_job_def("repair_recording")
    assert job.execute_in_process(run_config=request.run_config, instance=instance).success
    assert repairs(tick()) == []
    assert partitions()[0] == {"whole", "broken"}
    assert Store(settings.store_url).manifest("broken").ended == "repaired"


def test_a_recording_that_a_recorder_holds_is_left_alone(tick, abandoned):
    with FileLock(abandoned / "recording.lock"):
        assert repairs(tick()) == []


def test_a_recording_that_was_written_to_just_now_is_left_alone(tick, abandoned):
    os.utime(abandoned / "recording.arrows")
    assert repairs(tick()) == []


def test_a_recording_that_cannot_be_saved_fails_its_run_with_a_remedy(tick, abandoned, settings, instance):
    stream = abandoned / "recording.arrows"
    stream.write_bytes(stream.read_bytes()[:50])
    os.utime(stream, (time.time() - 3600,) * 2)
    (request,) = repairs(tick())
    job = build_defs(settings).resolve_job_def("repair_recording")
    result = job.execute_in_process(run_config=request.run_config, instance=instance, raise_on_error=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "`python -m recorder remove broken`" in failure.step_failure_data.user_failure_data.description
