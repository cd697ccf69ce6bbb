"""What is kept of a version beside its run, in a real MLflow store."""

from dataclasses import replace

import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.tally import Drive
from kart_pipeline.driving.trace import COLUMNS, Trace
from kart_pipeline.learning.tracking import use_store
from kart_pipeline.orchestration import report
from kart_pipeline.orchestration.report import Report

CADENCE = Cadence(50.0, 50.0, 0.0, 0, 0.5, {"driver": 1.0}, {"driver": 2.0})
TRACE = Trace(0, "t", *(np.arange(3, dtype=np.float32) for _ in COLUMNS))


def card(driver: str, *scores: float) -> Scorecard:
    made = [
        Drive(seed, f"seed-{seed}", 10, score, 0.5, "finished", 0.0, 0.1, 1.0, 1.0, 0, CADENCE, (9.0,), 0, 0, 0.1, 0.2)
        for seed, score in enumerate(scores)
    ]
    return Scorecard("game", driver, tuple(made))


def judged(version: int, *scores: float, kind: str = "pilotnet") -> Report:
    return Report(version, None, None, card(f"version {version}", *scores), (card("expert", 900.0, 910.0),), kind)


@pytest.fixture
def client(tracked):
    return use_store(tracked)


@pytest.fixture
def register(client, tracked):
    """Register versions of kart-game, each with a run of its own."""

    def make():
        experiment = client.get_experiment_by_name("x")
        experiment_id = experiment.experiment_id if experiment else client.create_experiment("x")
        run = client.create_run(experiment_id).info
        if not client.search_registered_models():
            client.create_registered_model("kart-game")
        return client.create_model_version("kart-game", f"runs:/{run.run_id}/model", run.run_id)

    return make


def test_a_report_comes_back_with_its_figures_as_metrics_and_its_traces(client, register):
    entry = register()
    kept = judged(1, 1.0, 2.0)
    report.save(client, entry, kept, {"version 1": [TRACE]})
    assert report.load(client, entry) == kept
    metrics = client.get_run(entry.run_id).data.metrics
    assert metrics["game/mean"] == 1.5
    assert metrics["game/decile"] == pytest.approx(1.1)
    assert metrics["game/lap_time"] == 9.0
    assert metrics["game/expert/mean"] == 905.0
    (trace,) = report.load_traces(entry)["version 1"]
    np.testing.assert_array_equal(trace.x, TRACE.x)


def test_a_report_of_an_older_release_can_be_read(client, register):
    entry = register()
    old = judged(1, 1.0, 2.0).to_dict()
    del old["kind"]
    for drive in old["drives"]["drives"]:
        for name in ("lap_times", "collisions", "stuck", "standstill", "standstill_at"):
            del drive[name]
    client.log_dict(entry.run_id, old, report.FILE)
    found = report.load(client, entry)
    assert (found.kind, found.drives.lap_time, found.drives.stuck) == ("", None, None)
    assert found.drives.mean == 1.5


def test_a_version_without_traces_says_so(client, register):
    entry = register()
    report.save(client, entry, judged(1, 1.0, 2.0))
    with pytest.raises(KartError, match="Version 1 of kart-game has no traces"):
        report.load_traces(entry)


def test_opponents_are_taken_from_the_newest_other_version_under_the_same_conditions(client, register):
    entries = [register() for _ in range(4)]
    for version, entry in enumerate(entries[:3], 1):
        report.save(client, entry, judged(version, 1.0, 2.0), {"expert": [TRACE]})
    wanted = replace(judged(3, 5.0, 6.0), others=())
    entry, found = report.same_opponents(client, "game", wanted)
    assert (int(entry.version), found.version) == (2, 2)
    assert found.others[0].driver == "expert"


@pytest.mark.parametrize(
    "wanted",
    [judged(9, 5.0), judged(9, 5.0, 6.0, kind="recurrent"), replace(judged(9, 5.0, 6.0), max_steps=10)],
    ids=["seeds", "network", "limit"],
)
def test_opponents_under_other_conditions_are_not_taken(client, register, wanted):
    report.save(client, register(), judged(1, 1.0, 2.0), {"expert": [TRACE]})
    assert report.same_opponents(client, "game", wanted) is None


def test_opponents_whose_traces_are_gone_are_not_taken(client, register):
    report.save(client, register(), judged(1, 1.0, 2.0))
    assert report.same_opponents(client, "game", judged(9, 1.0, 2.0)) is None


def test_what_cannot_be_read_lends_no_opponents(client, register):
    client.log_dict(register().run_id, {"version": 1}, report.FILE)
    register()
    assert report.same_opponents(client, "game", judged(9, 1.0, 2.0)) is None
