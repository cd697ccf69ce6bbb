"""Whole rounds on next to nothing, with real parts: recorded drives, network, scorecard, corrections, registry."""

import io
import json
from dataclasses import replace

import dagster as dg
import pytest
from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.correct import rounds
from kart_pipeline.correct.campaign import Campaign, Wishes
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.orchestration.instance import open_instance

WISHES = Wishes(
    game="car_racing",
    rounds=1,
    episodes=2,
    drives=1,
    seeds=2,
    workers=1,
    max_steps=12,
    hyper=HyperParameters(epochs=1, batch_size=16, steps_per_epoch=1, patches=0, brightness=0.0, shift=0.0),
)


def run(settings: Settings, wishes: Wishes = WISHES) -> str:
    """Run the rounds; what they said."""
    terminal = io.StringIO()
    Campaign(Console(file=terminal, width=160), settings, wishes).run()
    return terminal.getvalue()


def versions(settings: Settings) -> int:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    return len(client.search_model_versions("name = 'kart-car_racing'"))


@pytest.mark.e2e
def test_a_run_that_breaks_off_goes_on_where_it_was(recorded: Settings, monkeypatch: pytest.MonkeyPatch):
    """First the scoring of the first model fails, then Ctrl-C hits the scoring of the second; nothing is done twice."""

    def fail(*_: object, **__: object) -> None:
        raise KartError("The machine was switched off.")

    with monkeypatch.context() as broken:
        broken.setattr("kart_pipeline.orchestration.materialise.judge_model", fail)
        with pytest.raises(KartError, match="switched off"):
            run(recorded)
    assert versions(recorded) == 1
    (begun,) = [journal["begun"] for journal in json.loads((recorded.home / "rounds.json").read_text()).values()]
    assert set(begun["seconds"]) == {"Record", "Prepare", "Train"}

    from kart_pipeline.orchestration import materialise

    judge, judged = materialise.judge_model, []

    def judge_once(*arguments: object, **options: object) -> object:
        if judged:
            raise KeyboardInterrupt
        judged.append(True)
        return judge(*arguments, **options)

    with monkeypatch.context() as broken:
        broken.setattr(materialise, "judge_model", judge_once)
        with pytest.raises(KeyboardInterrupt):
            run(recorded)
    assert versions(recorded) == 2

    sessions = Store(recorded.store_url).ids()
    said = run(recorded, replace(WISHES, rounds=0))
    assert "wanted rounds up to number 1; now the last is number 0, and number 1, under way, is finished" in said
    assert versions(recorded) == 2
    assert Store(recorded.store_url).ids() == sessions
    assert "correction round 1 of 1" in said
    assert "the first model" not in said

    journal = rounds.load(recorded.home, "car_racing")
    first, second = journal.rounds
    assert journal.complete
    assert (first.version, first.seeds, first.sessions, first.frames, first.driver) == (1, 2, 2, 80, 0)
    assert (second.version, second.sessions, second.frames, second.driver, second.drives) == (2, 3, 92, 1, 1)
    assert (first.corrected, second.corrected) == (0, 12)
    assert second.drift is not None
    assert second.minutes > first.minutes > 0
    assert (recorded.home / "rounds.png").read_bytes().startswith(b"\x89PNG")
    with open_instance(recorded) as instance:
        (shown,) = instance.fetch_observations(dg.AssetKey("corrections"), limit=1).records
        assert shown.partition_key == "car_racing"
        assert "image/png" in shown.asset_observation.metadata["rounds"].value
    corrected = [Store(recorded.store_url).manifest(session_id) for session_id in sessions]
    (manifest,) = [item for item in corrected if item.driver["kind"] == "corrected"]
    assert manifest.source["seed"] == 500_000
    assert manifest.labelled == manifest.steps == 12


def test_another_number_of_drives_is_heeded_while_they_are_still_recorded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("Box2D")

    def fail(*_: object, **__: object) -> None:
        raise KartError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("kart_pipeline.correct.road.run", fail)
        with pytest.raises(KartError, match="disk is full"):
            run(settings)

    monkeypatch.setattr("kart_pipeline.orchestration.materialise.materialise_sessions", fail)
    terminal = io.StringIO()
    with pytest.raises(KartError, match="disk is full"):
        Campaign(Console(file=terminal, width=160), settings, replace(WISHES, episodes=3)).run()
    assert "The run that broke off wanted 2 drives of the expert; now 3 are wanted." in terminal.getvalue()
    assert len(Store(settings.store_url).ids()) == 3


def test_nothing_is_done_where_no_round_is_wanted(recorded: Settings):
    journal = rounds.Journal((rounds.Round(number=0, version=1, champion=1),), 0, before=1)
    rounds.save(recorded.home, "car_racing", journal)
    assert "keep the rounds" in run(recorded, replace(WISHES, rounds=0))
    assert rounds.load(recorded.home, "car_racing") == journal
