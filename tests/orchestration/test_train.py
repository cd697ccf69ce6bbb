"""The whole road on next to nothing, with real parts: sessions, training set, network, scorecard, champion."""

import io
from dataclasses import replace
from pathlib import Path

import av
import dagster as dg
import numpy as np
import pytest
from mlflow import artifacts
from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import load_training_set
from kart_pipeline.driving.seeds import PROMOTION
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.package import load_network
from kart_pipeline.orchestration import judging, report
from kart_pipeline.orchestration.assets.driver_model import RUN_TAG, end_killed
from kart_pipeline.orchestration.materialise import Trained, make_model, materialise_sessions, train
from player.policy import load_policy

HYPER = HyperParameters(epochs=1, batch_size=16, patches=0, brightness=0.0, shift=0.0)


@pytest.fixture
def client(tracked: Settings):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=tracked.tracking_uri, registry_uri=tracked.tracking_uri)


def newest_run(client, game: str):
    return client.get_run(report.newest(client, game).run_id)


def champion_version(client, game: str) -> int:
    return int(client.get_model_version_by_alias(f"kart-{game}", "champion").version)


def test_a_game_that_cannot_be_opened_gets_a_champion_by_its_held_out_error(tracked, instance, record, damage, client):
    """Three trainings: the first is champion, a worse one is refused, a better one takes its place."""
    for number in range(3):
        record(f"s{number}", 40, phase=2.0 * number)
    record("bad", 40)
    damage("bad")
    assert set(materialise_sessions(tracked, instance=instance).failed) == {"bad"}

    first = train(tracked, "drawn", HYPER, instance=instance)
    assert first.champion["decision"].startswith("Version 1 is the first champion.")
    assert first.training_set["rows to learn from"] + first.training_set["rows held out"] == 120
    assert "bad" in first.training_set["left-out sessions"]
    assert "in the game" not in first.scorecard
    assert "repeat last" in first.driver_model["errors on held-out rows"]

    run = newest_run(client, "drawn")
    assert run.info.status == "FINISHED"
    assert run.data.params["batch_size"] == "16"
    assert run.data.metrics["scorecard/held_out_euclidean"] == pytest.approx(first.driver_model["held-out error"], 1e-3)
    assert {item.path for item in client.list_artifacts(run.info.run_id)} >= {"figures", "scorecard.json"}
    assert load_policy("models:/kart-drawn@champion", tracked).contract.spec.names == ("steer", "throttle", "A")

    hopeless = HyperParameters(epochs=1, batch_size=16, learning_rate=0.5, steps_per_epoch=1, patches=0)
    worse = train(tracked, "drawn", hopeless, instance=instance)
    assert worse.champion["changed"] is False
    assert "not better, so the champion stays" in worse.champion["decision"]
    assert worse.champion["champion"] == "version 1"
    assert champion_version(client, "drawn") == 1

    record("s3", 40, phase=1.0)  # now both must be judged anew, on the same rows
    materialise_sessions(tracked, instance=instance)
    better = train(
        tracked, "drawn", HyperParameters(epochs=8, batch_size=16, patches=0, brightness=0.0), instance=instance
    )
    assert better.champion["changed"] is True
    assert "on the same" in better.champion["decision"]
    assert champion_version(client, "drawn") == 3


def test_a_game_that_can_be_opened_is_driven_beside_its_opponents(tracked, instance, record, client, tmp_path):
    pytest.importorskip("Box2D")
    for number in range(2):
        record(f"s{number}", 30, game="car_racing", phase=float(number))
    materialise_sessions(tracked, instance=instance)
    trained = train(tracked, "car_racing", HYPER, seeds=1, max_steps=8, workers=1, instance=instance)
    for driver in ("version 1", "expert", "straight-ahead", "untrained"):
        assert driver in trained.scorecard["in the game"]
    entry = report.newest(client, "car_racing")
    found = report.load(client, entry)
    assert found.seeds == (PROMOTION[0],)
    assert found.max_steps == 8
    assert [card.driver for card in found.others] == ["expert", "straight-ahead", "untrained"]
    metrics = client.get_run(entry.run_id).data.metrics
    assert metrics["game/mean"] == pytest.approx(trained.scorecard["mean score"], abs=1e-3)
    assert {"game/expert/mean", "game/straight-ahead/mean", "game/untrained/mean"} <= set(metrics)
    for picture in ("scores by seed", "where it fails", "error along track"):
        assert len(trained.scorecard[picture]) < 50_000
    traces = report.load_traces(entry)
    assert [trace.seed for trace in traces["version 1"]] == [trace.seed for trace in traces["expert"]] == [PROMOTION[0]]
    assert traces["version 1"][0].has_label

    files = {
        item.path for folder in (None, "figures", "videos") for item in client.list_artifacts(entry.run_id, folder)
    }
    film = f"videos/worst-seed-{PROMOTION[0]}.mp4"
    assert files >= {"scorecard.md", "figures/where_it_fails.png", "figures/error_along_track.png", film}
    assert film in trained.scorecard["films of the worst drives"]
    with av.open(artifacts.download_artifacts(f"runs:/{entry.run_id}/{film}", dst_path=str(tmp_path))) as video:
        assert sum(1 for _ in video.decode(video=0)) > 4


def test_opponents_that_would_drive_the_same_again_are_not_driven_again(tracked, instance, record, client, monkeypatch):
    pytest.importorskip("Box2D")
    for number in range(2):
        record(f"s{number}", 30, game="car_racing", phase=float(number))
    materialise_sessions(tracked, instance=instance)
    train(tracked, "car_racing", HYPER, seeds=2, max_steps=4, workers=1, instance=instance)
    first = report.load(client, report.newest(client, "car_racing"))

    def refuse(*_: object) -> None:
        raise AssertionError("the opponents drive again")

    monkeypatch.setattr("kart_pipeline.orchestration.judging.drive_opponents", refuse)
    second = train(tracked, "car_racing", HYPER, seeds=2, max_steps=4, workers=1, instance=instance)
    entry = report.newest(client, "car_racing")
    found = report.load(client, entry)
    assert (first.version, found.version) == (1, 2)
    assert found.others == first.others
    assert len(report.load_traces(entry)["expert"]) == 2
    assert "where it fails" in second.scorecard
    assert "scores by seed" in second.champion


def test_another_contract_trains_on_its_own_frames_only(tracked, instance, record, set_contracts):
    for number in range(2):
        record(f"s{number}", 20, phase=float(number))
    materialise_sessions(tracked, instance=instance)
    set_contracts("[drawn]\nwidth = 64\nheight = 62\n")
    with pytest.raises(KartError, match="its frames are not built"):
        train(tracked, "drawn", HYPER, instance=instance)
    materialise_sessions(tracked, instance=instance)
    train(tracked, "drawn", HYPER, instance=instance)
    made = load_training_set(Path(tracked.datasets, "training_sets", "drawn", "training_set.parquet"))
    assert made.contract.frame_shape == (62, 64, 3)
    assert load_policy("models:/kart-drawn/1", tracked).contract == made.contract


def test_a_game_without_sessions_is_refused_in_a_sentence(tracked, instance):
    with pytest.raises(KartError, match="no sessions of 'drawn' to learn from"):
        train(tracked, "drawn", HYPER, instance=instance)


def test_a_training_that_diverges_says_so_and_registers_nothing(tracked, instance, record, client):
    for number in range(2):
        record(f"s{number}", 40, phase=2.0 * number)
    materialise_sessions(tracked, instance=instance)
    wild = HyperParameters(epochs=3, batch_size=8, learning_rate=1.0, patches=0, brightness=0.0, shift=0.0)
    with pytest.raises(KartError, match=r"became (nan|inf) in epoch \d.*use a smaller learning rate than 1\."):
        train(tracked, "drawn", wild, instance=instance)
    assert client.search_registered_models() == []
    (run,) = client.search_runs([client.get_experiment_by_name("kart-drawn").experiment_id])
    assert run.info.status == "FAILED"


def test_a_warm_start_begins_with_the_champion_and_with_nobody_else(tracked, instance, record, client, set_contracts):
    for number in range(2):
        record(f"s{number}", 40, phase=2.0 * number)
    materialise_sessions(tracked, instance=instance)
    with pytest.raises(KartError, match="no champion of drawn to begin with"):
        make_model(tracked, "drawn", HYPER, warm_start=True, instance=instance)
    train(tracked, "drawn", HYPER, instance=instance)

    hardly = replace(HYPER, steps_per_epoch=1, learning_rate=1e-8, seed=1)
    make_model(tracked, "drawn", hardly, warm_start=True, instance=instance)
    assert newest_run(client, "drawn").data.tags["started_from"] == "version 1"
    champion, warm = (load_network(judging.package_of(tracked, "drawn", version)) for version in (1, 2))
    for ours, theirs in zip(warm.get_weights(), champion.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)

    set_contracts("[drawn]\ncolour = 'rgb'\n")
    materialise_sessions(tracked, instance=instance)
    with pytest.raises(KartError, match=r"sees the game through contract .* train without `warm_start`"):
        make_model(tracked, "drawn", hardly, warm_start=True, instance=instance)


def test_the_mlflow_run_of_a_killed_process_is_ended_and_a_living_one_is_not(tracked, instance, client):
    experiment = client.create_experiment("kart-drawn")
    job = dg.job(name="train_driver")(lambda: None)
    statuses = (dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.STARTED)
    by = [instance.create_run_for_job(job, status=status).run_id for status in statuses]
    killed, living, somebody_elses = (
        client.create_run(experiment, tags=tags).info.run_id for tags in (*({RUN_TAG: run} for run in by), {})
    )
    end_killed(instance, client, "drawn")
    assert client.get_run(killed).info.status == "KILLED"
    assert {client.get_run(run).info.status for run in (living, somebody_elses)} == {"RUNNING"}
    end_killed(instance, client, "a game without runs")


def test_ctrl_c_ends_the_run_and_leaves_no_model(tracked, instance, record, client, monkeypatch):
    for number in range(2):
        record(f"s{number}", 20, phase=float(number))
    materialise_sessions(tracked, instance=instance)

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kart_pipeline.orchestration.bars.Bars.__call__", press)
    with pytest.raises(KeyboardInterrupt):
        train(tracked, "drawn", HYPER, instance=instance)
    (run,) = client.search_runs([client.get_experiment_by_name("kart-drawn").experiment_id])
    assert run.info.status == "KILLED"
    assert client.search_registered_models() == []
    (latest,) = instance.get_runs(limit=1)
    assert latest.status == dg.DagsterRunStatus.FAILURE


def test_training_shows_bars_and_returns_what_dagster_shows(tracked, instance, record, capfd):
    for number in range(2):
        record(f"s{number}", 20, phase=float(number))
    materialise_sessions(tracked, instance=instance)
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=140)
    trained = train(tracked, "drawn", HYPER, instance=instance, console=console)
    assert "Training" in terminal.getvalue()
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")  # of Dagster, MLflow and TensorFlow
    for asset in Trained.__dataclass_fields__:
        shown = instance.get_latest_materialization_event(dg.AssetKey(asset)).asset_materialization.metadata
        assert {name: value.value for name, value in shown.items()} == getattr(trained, asset)
    for picture in ("loss by epoch", "predicted against true"):
        assert len(trained.driver_model[picture]) < 50_000
