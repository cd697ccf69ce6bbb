"""The sensor on a real instance: partitions follow the disk."""

from collections.abc import Callable
from functools import partial

import dagster as dg
import pytest

from kart_pipeline.core.settings import Settings
from kart_pipeline.orchestration import sensors
from kart_pipeline.orchestration.definitions import build_defs
from kart_pipeline.orchestration.reconcile import reconcile
from kart_pipeline.orchestration.sensors import sessions_on_disk

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
    monkeypatch.setattr(sensors, "reconcile", partial(reconcile, most_requests=1))
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
