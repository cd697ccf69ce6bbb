"""A search goes on where it ended, cuts short what is worse, and compares only what can be compared."""

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest
from PIL import Image

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning.drawing import EMBEDDABLE
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.search import Aim, open_study, picture, space, try_out
from kart_pipeline.learning.tracking import training_run, use_store
from kart_pipeline.learning.training import TrainingResult

optuna = pytest.importorskip("optuna")
COMPLETE, PRUNED, FAIL = (getattr(optuna.trial.TrialState, name) for name in ("COMPLETE", "PRUNED", "FAIL"))
BASE = {"network": "pilotnet", "epochs": 1, "steps_per_epoch": 1, "batch_size": 16}
AIM = Aim(objective="held-out loss", maximise=False, minutes=1.0, base=BASE)


def loss(result: TrainingResult) -> float:
    return result.history[result.best_epoch - 1]["val_loss"]


@pytest.fixture(scope="module")
def examples(make_training_set: Callable[..., TrainingSet], contract: Contract) -> TrainingSet:
    return make_training_set(contract)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'search.db').as_posix()}"


@pytest.fixture
def run(settings: Settings) -> Iterator[str]:
    with training_run(settings, "drawn") as started:
        yield started.info.run_id


def trials_of(settings: Settings, run: str) -> list[Any]:
    experiment = use_store(settings).get_run(run).info.experiment_id
    chosen = f"tags.mlflow.parentRunId = '{run}'"
    return mlflow.search_runs([experiment], chosen, order_by=["start_time ASC"], output_format="list")


def test_a_search_that_was_ended_goes_on_and_begins_with_what_there_is_now(
    settings: Settings, examples: TrainingSet, database: str, run: str
) -> None:
    study = open_study(database, examples, AIM)
    try_out(study, examples, AIM, 1, loss)
    study.ask(space(BASE, examples.contract))  # its process is killed now
    again = open_study(database, examples, AIM)
    try_out(again, examples, AIM, 2, loss)
    assert [trial.state for trial in again.trials] == [COMPLETE, FAIL, COMPLETE]
    usual = HyperParameters().to_dict()
    assert again.trials[0].params == {name: usual[name] for name in space(BASE, examples.contract)}
    assert len({str(trial.params) for trial in again.trials}) == 3, "the same was drawn again"
    nested = trials_of(settings, run)
    assert [entry.info.run_name for entry in nested] == ["trial 0", "trial 2"]
    assert nested[0].data.params["learning_rate"] == str(usual["learning_rate"])
    assert nested[1].data.metrics["held-out loss"] == again.trials[2].value
    assert again.trials[2].value == nested[1].data.metrics["val_loss"]
    png = picture(again, AIM, EMBEDDABLE)
    assert Image.open(io.BytesIO(png)).width > 400


def test_what_the_base_names_is_never_drawn_and_another_aim_is_another_study(
    examples: TrainingSet, make_training_set: Callable[..., TrainingSet], contract: Contract, database: str
) -> None:
    assert not BASE.keys() & space(BASE, examples.contract).keys()
    assert AIM.hyper({"patches": 2}).patches == 2
    assert AIM.hyper({}).epochs == 1
    wider = Aim(objective="held-out loss", maximise=False, minutes=1.0, base={**BASE, "mirror": 0.0})
    score = Aim(objective="mean score", maximise=True, minutes=1.0, base=BASE)
    others = make_training_set(contract, (20, 20))
    studies = [
        open_study(database, *of) for of in ((examples, AIM), (examples, wider), (examples, score), (others, AIM))
    ]
    assert len({study.study_name for study in studies}) == 4
    assert open_study(database, examples, AIM).study_name == studies[0].study_name
    with pytest.raises(KartError, match="No such hyper-parameter: colour"):
        open_study(database, examples, Aim(objective="x", maximise=False, minutes=1.0, base={"colour": 1}))


def test_a_trial_worse_than_half_of_the_others_is_cut_short(
    settings: Settings, examples: TrainingSet, database: str, run: str
) -> None:
    aim = Aim(objective="mean score", maximise=True, minutes=1.0, base={**BASE, "epochs": 6})
    study = open_study(database, examples, aim)
    perfect = dict.fromkeys(range(1, 7), 0.0)
    for _ in range(3):
        params = {name: HyperParameters().to_dict()[name] for name in space(BASE, examples.contract)}
        study.add_trial(
            optuna.create_trial(
                params=params, distributions=space(BASE, examples.contract), value=900.0, intermediate_values=perfect
            )
        )
    try_out(study, examples, aim, 4, lambda _: pytest.fail("its value was asked for"))
    tried = study.trials[0]  # it waited in the queue before the others were added
    assert tried.state == PRUNED
    assert 1 <= len(tried.intermediate_values) < 6
    (nested,) = trials_of(settings, run)
    assert nested.info.status == "FINISHED"
    assert "than half of the trials" in nested.data.tags["ended"]
    assert study.best_value == 900.0


def test_where_no_trial_can_be_trained_the_reason_is_told(
    make_training_set: Callable[..., TrainingSet], database: str, run: str
) -> None:
    unmirrored = make_training_set(Contract(ActionSpec(("steer",)), 10.0, width=66, height=62))
    study = open_study(database, unmirrored, AIM)
    with pytest.raises(KartError, match=r"Not one of 2 trials came to its end.*mirrored axes"):
        try_out(study, unmirrored, AIM, 2, loss)
    assert [trial.state for trial in study.trials] == [PRUNED, PRUNED]


def test_only_networks_that_suit_the_contract_are_drawn(contract: Contract) -> None:
    assert "recurrent" not in space({}, contract)["network"].choices
    assert "recurrent" in space({}, replace(contract, stack=3))["network"].choices
    with pytest.raises(KartError, match=r"No network suits the contract\. .*call it otherwise"):
        space({}, replace(contract, spec=ActionSpec(("val_steer",))))


def test_a_search_begins_with_what_there_is_now_but_for_a_network_that_does_not_suit(
    make_training_set: Callable[..., TrainingSet], contract: Contract, database: str
) -> None:
    small = make_training_set(replace(contract, width=40, height=40))
    aim = replace(AIM, base={})
    first = open_study(database, small, aim).ask(space({}, small.contract)).params
    assert first["network"] == "residual"
    assert first["learning_rate"] == HyperParameters().learning_rate


def test_without_optuna_the_package_is_named(
    examples: TrainingSet, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(KartError, match=r"pip install 'kart-pipeline\[search\]'"):
        open_study(database, examples, AIM)
