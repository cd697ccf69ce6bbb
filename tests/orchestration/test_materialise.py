"""Preparing sessions in this process: each once, each on its own."""

import io
import shutil
from collections.abc import Callable

import dagster as dg
import numpy as np
import pytest
from filelock import FileLock
from rich.console import Console

from kart_pipeline.core.edits import Edits, save_edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.remote import Remote
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.core.transfer import look, push
from kart_pipeline.datasets.frames_info import read_frames_info
from kart_pipeline.datasets.training_set import build_training_set
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.orchestration.in_process import IN_PROCESS_TAG, requests_of_sensor
from kart_pipeline.orchestration.instance import open_instance
from kart_pipeline.orchestration.materialise import Prepared, materialise_sessions
from kart_pipeline.orchestration.reconcile import MOST_REQUESTS

Prepare = Callable[[], Prepared]


@pytest.fixture
def prepare(settings: Settings, instance: dg.DagsterInstance) -> Prepare:
    return lambda: materialise_sessions(settings, instance=instance)


@pytest.fixture
def last(instance: dg.DagsterInstance) -> Callable[[str, str], dg.AssetMaterialization]:
    """The last materialisation of an asset's partition."""

    def find(asset: str, partition: str) -> dg.AssetMaterialization:
        records = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[partition])
        return instance.fetch_materializations(records, limit=1).records[0].asset_materialization

    return find


def test_a_session_is_looked_through_and_its_frames_are_built(prepare, record, settings, last):
    session = record("a", 30)
    assert prepare() == Prepared(done=["a"])
    contract = Contracts.load(settings.home).contract(session.manifest)
    assert read_frames_info(settings.datasets, contract.hash, "a").frames == 30
    about_session, about_frames = last("session", "a"), last("frames", "a")
    assert about_session.tags["dagster/data_version"] == session.manifest.digest
    assert about_frames.tags["dagster/data_version"] == f"{session.manifest.digest[:16]}-{contract.hash}"
    assert about_frames.metadata["dagster/row_count"].value == 30
    assert "data:image/jpeg" in about_frames.metadata["as the network sees them, with labels"].value
    assert "data:image/jpeg" in about_session.metadata["pictures as recorded"].value


def test_what_is_prepared_is_not_prepared_again(prepare, record, instance):
    record("a")
    prepare()
    record("b")
    assert prepare() == Prepared(done=["b"], unchanged=["a"])
    assert len(instance.get_runs()) == 2


def test_a_damaged_session_is_named_and_stops_no_other(prepare, record, damage, settings, instance):
    for name in "abc":
        record(name)
    damage("b")
    prepared = prepare()
    assert prepared.done == ["a", "c"]
    assert "its digest has changed" in prepared.failed["b"]
    assert not list(settings.datasets.glob("frames/*/b"))
    statuses = {run.tags["dagster/partition"]: run.status.value for run in instance.get_runs()}
    assert statuses == {"a": "SUCCESS", "b": "FAILURE", "c": "SUCCESS"}


def test_a_session_without_a_readable_manifest_is_named_too(prepare, record, settings):
    record("a")
    record("b")
    (settings.recordings / "a" / "manifest.json").write_text("{", encoding="utf-8")
    prepared = prepare()
    assert prepared.done == ["b"]
    assert prepared.failed["a"].startswith("The manifest of session a is damaged")


def test_a_session_that_does_not_fit_its_games_contract_is_named(prepare, record, set_contracts):
    record("a")
    set_contracts("[drawn]\nrate_hz = 30\n")
    assert "Hz" in prepare().failed["a"]


def test_a_session_that_was_mended_is_prepared(prepare, record, damage):
    record("a")
    damage("a")
    assert list(prepare().failed) == ["a"]
    damage("a")  # the same byte: back to what it was
    assert prepare().done == ["a"]


def test_steps_that_are_left_out_have_no_label_and_only_their_session_is_prepared_again(
    prepare, record, settings, last
):
    session = record("a", 30)
    record("b", 30)
    prepare()
    contract = Contracts.load(settings.home).contract(session.manifest)
    frames = read_frames_info(settings.datasets, contract.hash, "a").folder / "frames.npy"
    written = frames.stat().st_mtime_ns
    folder = settings.recordings / "a"
    saved = save_edits(folder, Edits().with_range(10, 19), based_on=0)
    assert prepare() == Prepared(done=["a"], unchanged=["b"])
    built = build_training_set(settings.datasets, contract, "drawn", val_fraction=0.5)
    steps = {"a": [*range(10), *range(20, 30)], "b": [*range(30)]}
    for number, entry in enumerate(built.sessions):
        rows = [built.rows(side) for side in ("train", "val")]
        assert sorted(row for part in rows for row in part.row[part.session_index == number]) == steps[entry.id]
    assert built.left_out.edited == 10
    assert last("frames", "a").tags["dagster/data_version"].endswith(saved.mark)
    assert last("frames", "a").metadata["frames left out by hand"].value == 10
    assert frames.stat().st_mtime_ns == written  # no picture was decoded for it
    save_edits(folder, saved.undone(), based_on=saved.revision)
    with_others = build_training_set(settings.datasets, contract, "drawn", val_fraction=0.5)
    assert with_others.version == built.version
    assert prepare() == Prepared(done=["a"], unchanged=["b"])
    assert build_training_set(settings.datasets, contract, "drawn", val_fraction=0.5).left_out.edited == 0


def test_another_contract_builds_other_frames_beside_the_old_ones(prepare, record, settings, set_contracts, last):
    session = record("a")
    prepare()
    set_contracts("[drawn]\nwidth = 64\nheight = 62\n")
    assert prepare() == Prepared(done=["a"])
    assert len(list((settings.datasets / "frames").iterdir())) == 2
    contract = Contracts.load(settings.home).contract(session.manifest)
    info = read_frames_info(settings.datasets, contract.hash, "a")
    assert info.open().shape == (12, 62, 64, 3)
    assert last("frames", "a").metadata["contract hash"].value == contract.hash


def test_frames_that_were_deleted_are_built_again(prepare, record, settings):
    import shutil

    record("a")
    prepare()
    shutil.rmtree(settings.datasets)
    assert prepare() == Prepared(done=["a"])


def test_verdicts_are_kept_for_each_session(prepare, record, instance):
    record("a", 12)
    record("b", 120)
    prepare()
    key = dg.AssetCheckKey(dg.AssetKey("session"), "length")
    found = {}
    for item in instance.event_log_storage.get_asset_check_execution_history(key, limit=10):
        evaluation = item.event.dagster_event.asset_check_evaluation_data
        found[evaluation.partition] = (evaluation.passed, evaluation.description)
    assert found["a"] == (False, "Only 12 steps have a label, fewer than 100: record longer drives.")
    assert found["b"][0] is True


def test_a_recording_of_a_stalled_screen_is_stopped_by_its_frames(prepare, store, record):
    from kart_pipeline.core.frame import Choice, Frame, Step
    from kart_pipeline.core.manifest import SessionHeader

    good = record("good")
    spec = good.manifest.spec
    with store.create(SessionHeader(id="stalled", game="drawn", rate_hz=10, spec=spec)) as writer:
        rgb = np.random.default_rng(0).integers(0, 256, (70, 80, 3), np.uint8)
        for index in range(12):
            action = spec.action(steer=index / 20)
            writer.append(Step(index, Frame(rgb, index * 100_000_000), Choice(action, "human", action)))
    prepared = prepare()
    assert prepared.done == ["good"]
    assert "the capture stood still" in prepared.failed["stalled"]


def test_the_daemon_will_not_do_it_again(prepare, record, instance):
    """It looks for runs of the sensor with the same key."""
    record("a")
    prepare()
    (run,) = instance.get_runs()
    assert run.tags["dagster/sensor_name"] == "sessions_on_disk"
    assert run.tags["dagster/run_key"].startswith("a:")


def test_two_processes_do_not_do_it_at_once(prepare, settings):
    settings.dagster_home.mkdir(parents=True)
    with FileLock(settings.dagster_home / "in_process.lock"), pytest.raises(KartError, match="Another process"):
        prepare()


def test_a_run_that_was_killed_is_ended_by_the_next_one(settings, record):
    record("a")
    with open_instance(settings) as instance:
        killed = instance.create_run_for_job(
            dg.job(name="train_driver")(lambda: None),
            status=dg.DagsterRunStatus.STARTED,
            tags={IN_PROCESS_TAG: "true"},
        )
        elsewhere = instance.create_run_for_job(
            dg.job(name="train_driver")(lambda: None), status=dg.DagsterRunStatus.STARTED
        )
    materialise_sessions(settings)
    with open_instance(settings) as instance:
        assert instance.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.CANCELED
        assert instance.get_run_by_id(elsewhere.run_id).status == dg.DagsterRunStatus.STARTED
        assert instance.get_dynamic_partitions("sessions") == ["a"]


def test_a_mistake_in_the_contracts_stops_with_its_sentence(prepare, record, set_contracts):
    record("a")
    set_contracts("[drawn]\nwidht = 3\n")
    with pytest.raises(KartError, match="a contract has no widht"):
        prepare()


def test_the_terminal_shows_bars_and_nothing_of_dagster(settings, instance, record, damage, capfd):
    record("a")
    record("b")
    damage("b")
    shown = io.StringIO()
    materialise_sessions(settings, instance=instance, console=Console(file=shown, force_terminal=True, width=120))
    assert "Sessions" in shown.getvalue()
    assert "2/2" in shown.getvalue()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "dagster" not in captured.err


def test_sessions_in_an_object_store_are_prepared_on_a_machine_that_has_none(record, instance, bucket, tmp_path):
    session = record("a", 30)
    there = Settings.from_env({"KART_HOME": str(tmp_path / "elsewhere"), "KART_STORE": bucket.url})
    remote = Remote(bucket.url)
    push(remote, session.local_path, look(remote, "a"))
    assert materialise_sessions(there, instance=instance) == Prepared(done=["a"])
    assert not there.recordings.exists()
    contract = Contracts.load(there.home).contract(session.manifest)
    assert read_frames_info(there.datasets, contract.hash, "a").frames == 30
    assert materialise_sessions(there, instance=instance) == Prepared(unchanged=["a"])
    save_edits(session.local_path, Edits().with_range(10, 19), based_on=0)
    push(remote, session.local_path, look(remote, "a"))
    assert materialise_sessions(there, instance=instance) == Prepared(done=["a"])
    built = build_training_set(there.datasets, contract, "drawn", val_fraction=0.5)
    assert built.left_out.edited == 10


def test_a_large_import_is_looked_at_in_one_go(settings, instance, record, monkeypatch):
    record("s00", 2)
    for number in range(1, MOST_REQUESTS + 2):
        shutil.copytree(settings.recordings / "s00", settings.recordings / f"s{number:02}")
    looks = []
    real = Store.stamp
    monkeypatch.setattr(Store, "stamp", lambda store, name: looks.append(name) or real(store, name))
    assert len(requests_of_sensor(settings, instance)) == MOST_REQUESTS + 2
    assert looks == [f"s{number:02}" for number in range(MOST_REQUESTS + 2)]
