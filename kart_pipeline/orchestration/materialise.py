"""Materialising in this process, with progress bars instead of Dagster's log, in the memory that `dagster dev` shows.

The very sensor says what there is to do and the very jobs do it; what has been done already is not done again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.orchestration.assets.corrections import corrections
from kart_pipeline.orchestration.bars import Bars
from kart_pipeline.orchestration.correcting import Terms
from kart_pipeline.orchestration.definitions import build_defs
from kart_pipeline.orchestration.in_process import (
    Metadata,
    at_work,
    hushed,
    is_prepared,
    metadata,
    reason,
    requests_of_sensor,
    run,
)
from kart_pipeline.orchestration.jobs import correct_driver, prepare_session, train_driver
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.sensors import CONTRACT_TAG, sessions_on_disk
from player.hush import start_tensorflow

_RUN_KEY_TAG, _SENSOR_TAG = "dagster/run_key", "dagster/sensor_name"


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
    with at_work(settings, instance) as memory, Bars(console) as bars:
        defs = build_defs(settings, bars)
        requests = requests_of_sensor(settings, memory)
        for place, request in enumerate(requests):
            session = str(request.partition_key)
            bars("Sessions", place, len(requests), session)
            if is_prepared(settings, memory, session, request.tags[CONTRACT_TAG]):
                prepared.unchanged.append(session)
                continue
            keys = {_RUN_KEY_TAG: str(request.run_key), _SENSOR_TAG: sessions_on_disk.name}
            result = run(defs, prepare_session.name, memory, session, {**request.tags, **keys})
            if result.success:
                prepared.done.append(session)
            else:
                prepared.failed[session] = reason(result)
        bars("Sessions", len(requests), len(requests))
    return prepared


def train(
    settings: Settings,
    game: str,
    hyper: HyperParameters,
    *,
    seeds: int = 20,
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
        workers: processes for those drives.
        instance: Dagster's memory; by default the one that `dagster dev` shows.
        console: shows progress; None is silent.

    Raises:
        KartError: there are no sessions of the game, another process is at it, or a step failed; it says why.
    """
    config = _training(hyper) | _judging(seeds, max_steps, workers)
    return Trained(**_train_driver(settings, game, Trained.__dataclass_fields__, config, instance, console))


def make_model(
    settings: Settings,
    game: str,
    hyper: HyperParameters,
    *,
    training_set: Mapping[str, Any] | None = None,
    warm_start: bool = False,
    instance: dg.DagsterInstance | None = None,
    console: Console | None = None,
) -> dict[str, Metadata]:
    """The first half of `train_driver`: the assets `training_set` and `driver_model`.

    Args:
        settings: the folders.
        game: whose sessions have been materialised.
        hyper: of the training.
        training_set: configuration of that asset, where it is not the default.
        warm_start: begin with the champion's weights.
        instance: as for `train`.
        console: as for `train`.

    Returns:
        By asset, what it shows in Dagster.

    Raises:
        KartError: as for `train`; or there is no champion to begin with.
    """
    config = _training(hyper, training_set or {}, warm_start)
    return _train_driver(settings, game, ("training_set", "driver_model"), config, instance, console)


def judge_model(
    settings: Settings,
    game: str,
    *,
    seeds: int = 20,
    max_steps: int | None = None,
    workers: int = 2,
    instance: dg.DagsterInstance | None = None,
    console: Console | None = None,
) -> dict[str, Metadata]:
    """The second half of `train_driver`, for the newest model: the assets `scorecard` and `champion`.

    Args, returns and errors are those of `train` and `make_model`.
    """
    config = _judging(seeds, max_steps, workers)
    return _train_driver(settings, game, ("scorecard", "champion"), config, instance, console)


def correct(
    settings: Settings,
    game: str,
    terms: Terms,
    *,
    version: int | None = None,
    instance: dg.DagsterInstance | None = None,
    console: Console | None = None,
) -> Metadata:
    """Run the job `correct_driver` for one game.

    Args:
        settings: the folders.
        game: whose driver is corrected.
        terms: how.
        version: of the driver; None is the champion.
        instance: as for `train`.
        console: as for `train`.

    Returns:
        What the asset `corrections` shows in Dagster.

    Raises:
        KartError: there is no champion, the game has no expert, another process is at it, or a drive failed.
    """
    given = {
        "drives": terms.drives,
        "first": terms.first,
        "max_steps": terms.max_steps,
        "seconds_off_track": terms.off_track_s,
        "seconds_stuck": terms.stuck_s,
        "noise": terms.noise,
        "version": version,
    }
    with at_work(settings, instance) as memory, Bars(console) as bars, hushed():
        memory.add_dynamic_partitions(str(GAMES.name), [game])  # a model may have come without its sessions
        defs = build_defs(settings, bars)
        result = run(defs, correct_driver.name, memory, game, {}, {"corrections": {"config": given}})
        if not result.success:
            raise KartError(reason(result))
    return metadata(result, "corrections")


def tell_of_corrections(
    settings: Settings, game: str, shown: Mapping[str, Any], *, instance: dg.DagsterInstance | None = None
) -> None:
    """Show something in Dagster beside the latest materialisation of `corrections`, as an observation of it."""
    with at_work(settings, instance) as memory:
        memory.report_runless_asset_event(dg.AssetObservation(corrections.key, partition=game, metadata=dict(shown)))


def _training(
    hyper: HyperParameters, training_set: Mapping[str, Any] | None = None, warm_start: bool = False
) -> dict[str, Any]:
    model = {"driver_model": {"config": {**hyper.to_dict(), "warm_start": warm_start}}}
    return model | ({"training_set": {"config": dict(training_set)}} if training_set else {})


def _judging(seeds: int, max_steps: int | None, workers: int) -> dict[str, Any]:
    return {"scorecard": {"config": {"seeds": seeds, "max_steps": max_steps, "workers": workers}}}


def _train_driver(
    settings: Settings,
    game: str,
    assets: Iterable[str],
    config: dict[str, Any],
    instance: dg.DagsterInstance | None,
    console: Console | None,
) -> dict[str, Metadata]:
    """Run the job, or some assets of it; what each of them shows."""
    with at_work(settings, instance) as memory, Bars(console) as bars, hushed():
        if game not in memory.get_dynamic_partitions(str(GAMES.name)):
            raise KartError(f"There are no sessions of {game!r} to learn from; record some and materialise them first.")
        start_tensorflow()  # each of the assets needs it, and whoever is first would print its greetings
        result = run(build_defs(settings, bars), train_driver.name, memory, game, {}, config, [*assets])
        if not result.success:
            raise KartError(reason(result))
    return {name: metadata(result, name) for name in assets}
