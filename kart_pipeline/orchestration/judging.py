"""Finding out what a registered driver is worth: on held-out sessions, and in the game where there is one."""

from collections.abc import Callable, Sequence
from functools import partial

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.driving.drivers import Driver, make_driver
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.scoring import score
from kart_pipeline.driving.tally import Drive
from kart_pipeline.games.base import Game
from kart_pipeline.games.registry import GAMES, make_game
from kart_pipeline.learning.evaluation import NETWORK, Evaluation, evaluate
from kart_pipeline.learning.inference import predict_batches
from kart_pipeline.learning.package import DriverPackage, load_network, read_package
from kart_pipeline.learning.pipeline import ordered_batches
from kart_pipeline.learning.tracking import registered_name
from kart_pipeline.orchestration.report import HeldOut
from kart_pipeline.orchestration.resources import Progress
from player.locate import locate
from player.policy import network_name, open_policy, untrained_policy

CONSTANTS = ("straight", "median", "mean")  # the baselines of `learning.evaluation` that always say the same


def package_of(settings: Settings, game: str, version: int | str) -> DriverPackage:
    """The files of a registered version, looked through.

    Raises:
        KartError: they are gone, or refused.
    """
    return read_package(locate(f"models:/{registered_name(game)}/{version}", settings).folder)


def held_out(package: DriverPackage, training_set: TrainingSet) -> Evaluation | None:
    """A driver's errors on the held-out rows; None where it was made for another contract than they."""
    if package.contract != training_set.contract:
        return None
    batches = ordered_batches(training_set, "val", 256)
    return evaluate(training_set, "val", predict_batches(load_network(package), batches, package.contract.spec))


def summary(evaluation: Evaluation, training_set: TrainingSet) -> HeldOut:
    """The two figures of an evaluation that a champion is chosen by."""
    constant = min(evaluation.errors[name].euclidean for name in CONSTANTS)
    return HeldOut(training_set.version, evaluation.rows, evaluation.errors[NETWORK].euclidean, constant)


def drive_policy(
    name: str, package: DriverPackage, game: str, seeds: Sequence[int], max_steps: int | None, progress: Progress
) -> Scorecard:
    """A driver's scorecard in the game, in this process: another one would take longer to import TensorFlow."""
    policy = open_policy(name, package)
    return _score(partial(make_game, game), lambda _: policy, name, seeds, max_steps, progress)


def drive_opponents(
    package: DriverPackage,
    game: str,
    seeds: Sequence[int],
    max_steps: int | None,
    workers: int,
    progress: Progress,
) -> tuple[Scorecard, ...]:
    """The scorecards of the game's expert (where it has one), of straight ahead, and of an untrained network.

    Args:
        package: gives the untrained network its kind and contract.
        game: to drive.
        seeds: one drive each.
        max_steps: of each drive.
        workers: processes for those that need no network.
        progress: is told each drive.
    """
    make = partial(make_game, game)
    cards = []
    for name in ("expert", "straight-ahead"):
        with make() as opened:
            if name == "expert" and not _has_expert(opened):
                continue
        cards.append(_score(make, partial(make_driver, name), name, seeds, max_steps, progress, workers))
    untrained = untrained_policy(package.contract, network_name(package))
    cards.append(_score(make, lambda _: untrained, untrained.name, seeds, max_steps, progress))
    return tuple(cards)


def playable(game: str) -> bool:
    """Whether the game can be opened from here and driven by itself, seed by seed."""
    return game in GAMES


def _score(
    make: Callable[[], Game],
    driver: Callable[[Game], Driver],
    name: str,
    seeds: Sequence[int],
    max_steps: int | None,
    progress: Progress,
    workers: int = 1,
) -> Scorecard:
    done = 0

    def tell(drive: Drive) -> None:
        nonlocal done
        done += 1
        progress(f"Drives of {name}", done, len(seeds), f"{drive.score:.0f}")

    progress(f"Drives of {name}", 0, len(seeds))
    return score(make, driver, seeds, workers=workers, max_steps=max_steps, progress=tell)


def _has_expert(game: Game) -> bool:
    try:
        game.expert()
    except KartError:
        return False
    return True
