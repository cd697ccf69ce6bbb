"""A search over hyper-parameters by Optuna: trials that it remembers in a database, each a nested MLflow run."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning import tracking
from kart_pipeline.learning.figures import search_history
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.networks import NETWORKS, build_network
from kart_pipeline.learning.training import Figures, TrainingResult, train

if TYPE_CHECKING:
    import optuna

_FEWEST_TO_COMPARE = 3  # trials that came to their end before one is cut short
_WARM_UP = 2  # epochs after which a trial may be cut short
_FEWEST_FOR_IMPORTANCE = 5  # trials that came to their end


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is looked for; the trials of one aim on one training set are compared with each other.

    Attributes:
        objective: name of what `value` tells.
        maximise: more of it is better.
        minutes: most that each trial trains.
        base: hyper-parameters that are the same in all trials. What the losses consist of is not drawn and can only be
            set here: trials are cut short by their held-out losses, which must mean the same.
    """

    objective: str
    maximise: bool
    minutes: float
    base: Mapping[str, Any] = field(default_factory=dict)

    def hyper(self, drawn: Mapping[str, Any]) -> HyperParameters:
        """The hyper-parameters of a trial; KartError where `base` has something that is none."""
        return HyperParameters.from_dict({**self.base, "max_minutes": self.minutes, **drawn})


def space(base: Mapping[str, Any], contract: Contract) -> "dict[str, optuna.distributions.BaseDistribution]":
    """What is drawn for each trial: everything here that `base` does not name, of the networks those that suit.

    Raises:
        KartError: no network suits the contract.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    drawn = {
        "network": CategoricalDistribution(_suitable(contract)),
        "learning_rate": FloatDistribution(3e-4, 3e-3, log=True),
        "batch_size": CategoricalDistribution([32, 64, 128]),
        "dropout": FloatDistribution(0.0, 0.4),
        "shift": FloatDistribution(0.0, 0.12),
        "brightness": FloatDistribution(0.0, 0.4),
        "patches": IntDistribution(0, 2),
    }
    return {name: values for name, values in drawn.items() if name not in base}


def _suitable(contract: Contract) -> list[str]:
    reasons = []
    suitable = []
    for name in sorted(NETWORKS):
        try:
            build_network(name, contract)
            suitable.append(name)
        except KartError as reason:
            reasons.append(str(reason))
    if not suitable:
        raise KartError(f"No network suits the contract. {' '.join(reasons)}")
    return suitable


def open_study(database: str, examples: TrainingSet, aim: Aim) -> "optuna.Study":
    """The study of an aim on a training set: new, or as it was left.

    Args:
        database: SQLAlchemy URL.
        examples: of another version, they make another study.
        aim: the same.

    Raises:
        KartError: Optuna is not installed, `aim.base` names what is no hyper-parameter, or no network suits.
    """
    try:
        import optuna
    except ModuleNotFoundError:
        raise KartError("The search needs the package optuna: pip install 'kart-pipeline[search]'.") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    usual = aim.hyper({}).to_dict()
    drawn = space(aim.base, examples.contract)
    told = [examples.version, aim.objective, usual, {name: repr(values) for name, values in drawn.items()}]
    study = optuna.create_study(
        study_name=f"{examples.game}-{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]}",
        storage=database,
        direction="maximize" if aim.maximise else "minimize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_FEWEST_TO_COMPARE, n_warmup_steps=_WARM_UP),
    )
    # with the same seed, a search that goes on would draw again what it has drawn
    study.sampler = optuna.samplers.TPESampler(seed=len(study.trials))
    for trial in study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)  # its process was killed
    if drawn:
        first = {name: usual[name] for name in drawn}  # what there is now; the network, only where it suits
        if "network" in drawn and usual["network"] not in _suitable(examples.contract):
            del first["network"]
        study.enqueue_trial(first, skip_if_exists=True)
    return study


def try_out(
    study: "optuna.Study",
    examples: TrainingSet,
    aim: Aim,
    trials: int,
    value: Callable[[TrainingResult], float],
    progress: Callable[[int, int], None] = lambda *_: None,
) -> None:
    """Train until the study has as many trials as wanted, each in a run nested in the active one.

    A trial that is cut short, diverges or does not suit the contract counts as pruned; Optuna learns from it too.

    Args:
        study: from `open_study`.
        examples: to learn from.
        aim: as given there.
        trials: in all, with those that the study had.
        value: of a trained network, see `Aim`.
        progress: is told how many of how many trials are done.
    """
    import keras
    import optuna

    drawn = space(aim.base, examples.contract)
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    for done in range(len(study.get_trials(deepcopy=False, states=ended)), trials):
        progress(done, trials)
        trial = study.ask(drawn)
        hyper = aim.hyper(trial.params)
        with tracking.trial_run(f"trial {trial.number}", hyper):
            try:
                result = train(examples, hyper, on_epoch=partial(_epoch, trial, aim.maximise))
                found = value(result)
                tracking.log_trial(result, aim.objective, found)
                study.tell(trial, found)
            except (KartError, optuna.TrialPruned) as reason:
                trial.set_user_attr("ended", str(reason))
                tracking.log_end(str(reason))
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        keras.backend.clear_session()
    progress(trials, trials)
    if not study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE]):
        reasons = [trial.user_attrs["ended"] for trial in study.trials if "ended" in trial.user_attrs]
        raise KartError(f"Not one of {trials} trials came to its end. The last: {reasons[-1]}")


def _epoch(trial: "optuna.Trial", maximise: bool, epoch: int, figures: Figures) -> None:
    import optuna

    tracking.log_epoch(epoch, figures)
    trial.report(-figures["val_loss"] if maximise else figures["val_loss"], epoch)
    if trial.should_prune():
        raise optuna.TrialPruned(f"Worse after epoch {epoch} than half of the trials were.")


def picture(study: "optuna.Study", aim: Aim, max_bytes: int | None = None) -> bytes:
    """The trials' values one after the other, and what they depended on, as PNG of at most `max_bytes`."""
    import optuna

    # a pruned trial has a value too: its last held-out loss
    whole = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    values = {trial.number: trial.value for trial in whole if trial.value is not None}
    pruned = [trial.number for trial in study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.PRUNED])]
    importance: dict[str, float] = {}
    if len(values) >= _FEWEST_FOR_IMPORTANCE:
        importance = optuna.importance.get_param_importances(study)
    return search_history(values, pruned, importance, aim.objective, maximise=aim.maximise, max_bytes=max_bytes)
