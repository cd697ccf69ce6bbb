"""Finding out what a registered driver is worth: on held-out sessions, and in the game where there is one."""

from dataclasses import dataclass, replace
from functools import partial

from kart_pipeline import __version__
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.driving.drivers import has_expert
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.scoring import MakeDriver, score
from kart_pipeline.driving.tally import Drive
from kart_pipeline.driving.trace import Trace
from kart_pipeline.games.registry import find_game, make_game
from kart_pipeline.learning.evaluation import NETWORK, Evaluation, evaluate
from kart_pipeline.learning.inference import predict_batches
from kart_pipeline.learning.package import DriverPackage, load_network, read_package
from kart_pipeline.learning.pipeline import ordered_batches
from kart_pipeline.learning.tracking import registered_name
from kart_pipeline.orchestration.report import EXPERT, STRAIGHT, UNTRAINED, HeldOut
from kart_pipeline.orchestration.resources import Progress
from player.locate import locate
from player.opponents import make_opponent
from player.play import check_fit
from player.policy import network_kind, watched_policy

WORKERS = 2
PAYS_FROM = 12  # seeds: with fewer, starting TensorFlow in other processes costs more time than they save
CONSTANTS = ("straight", "median", "mean")  # the baselines of `learning.evaluation` that always say the same


def package_of(settings: Settings, game: str, version: int | str) -> DriverPackage:
    """The files of a registered version, looked through.

    They may come from another machine: the server that the pipeline is told to bring its models to is trusted by it.

    Raises:
        KartError: they are gone, or refused.
    """
    found = locate(f"models:/{registered_name(game)}/{version}", settings, trust_remote=True)
    return read_package(found.folder)


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


@dataclass(frozen=True, slots=True)
class Course:
    """What all drivers are put to.

    Attributes:
        game: by its name.
        seeds: one drive each.
        max_steps: of each drive; None leaves the end to the game.
        workers: processes that drive, where the game is simulated; see `PAYS_FROM`.
    """

    game: str
    seeds: tuple[int, ...]
    max_steps: int | None = None
    workers: int = WORKERS


@dataclass(frozen=True, slots=True)
class Driven:
    """A driver's scorecard, and the traces of its drives in the order of the seeds."""

    card: Scorecard
    traces: tuple[Trace, ...] = ()


def drive_policy(name: str, package: DriverPackage, course: Course, progress: Progress) -> Driven:
    """A driver's drives; where the game has an expert, the traces tell what that would have done.

    Raises:
        KartError: the driver is refused, or gives other actions than the game takes.
    """
    with make_game(course.game) as game:
        check_fit(name, package, game)
    return _drive(name, partial(watched_policy, name, package), course, progress, network=True)


def drive_opponents(package: DriverPackage, course: Course, progress: Progress) -> tuple[Driven, ...]:
    """The drives of the game's expert (where it has one), of straight ahead, and of an untrained network.

    A game in real time has the latter left out: minutes of driving for what straight ahead shows already.

    Args:
        package: gives the untrained network its kind and contract.
        course: to drive.
        progress: is told each drive.
    """
    with make_game(course.game) as game:
        names = [(EXPERT, "expert")] if has_expert(game) else []
        simulated = game.simulated
    names += [(STRAIGHT, "straight"), *([(UNTRAINED, "untrained")] if simulated else [])]
    network = network_kind(package)
    return tuple(
        _drive(
            name,
            partial(make_opponent, opponent, package.contract, network),
            course,
            progress,
            network=name == UNTRAINED,
        )
        for name, opponent in names
    )


def processes(course: Course, *, network: bool) -> int:
    """How many processes drive a course: few seeds are driven here, where TensorFlow is loaded already."""
    info = find_game(course.game)
    return 1 if info is None or (network and len(course.seeds) < PAYS_FROM) else info.workers(course.workers)


def kind(package: DriverPackage) -> str:
    """What the opponents' drives depend on beside the course: the untrained network, and this package's games."""
    network = network_kind(package)
    bins = f" {network.bins} bins" if network.bins else ""
    return f"{network.name}{bins} {package.contract.hash} {__version__}"


def playable(game: str) -> bool:
    """Whether the game can be opened from here and driven by itself, seed by seed."""
    return find_game(game) is not None


def _drive(name: str, driver: MakeDriver, course: Course, progress: Progress, *, network: bool) -> Driven:
    done = 0

    def tell(drive: Drive) -> None:
        nonlocal done
        done += 1
        progress(f"Drives of {name}", done, len(course.seeds), f"{drive.score:.0f}")

    progress(f"Drives of {name}", 0, len(course.seeds))
    traces: list[Trace] = []
    card = score(
        partial(make_game, course.game),
        driver,
        course.seeds,
        workers=processes(course, network=network),
        max_steps=course.max_steps,
        progress=tell,
        traced=traces.append,
    )
    order = {seed: place for place, seed in enumerate(course.seeds)}
    return Driven(replace(card, driver=name), tuple(sorted(traces, key=lambda trace: order[trace.seed])))
