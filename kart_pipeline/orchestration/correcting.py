"""Corrections: a registered driver drives, the game's expert says what would have been right, and a session keeps both.

That is DAgger (Ross et al., 2011, arXiv:1011.0686): the network learns what to do where it goes itself, not only where
a good driver goes. What was executed is the driver's; the label is the expert's alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.recording import STREAM
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.labels import vectors
from kart_pipeline.driving.drivers import Corrected, Driver, Expert, Noisy, knocks
from kart_pipeline.driving.hopeless import Hopeless
from kart_pipeline.driving.recording import usual_codec
from kart_pipeline.driving.seeds import correction_seeds
from kart_pipeline.games.base import Autopilot, Game
from kart_pipeline.games.registry import find_game, make_game
from kart_pipeline.learning.package import read_package
from kart_pipeline.learning.tracking import registered_name
from kart_pipeline.orchestration.resources import Progress
from player.locate import Located, locate
from player.play import check_fit
from player.policy import open_policy
from recorder import episode
from recorder.stores import Stores

KIND = "corrected"  # what such a session's manifest says of its driver
_BROKEN_OFF = (episode.INTERRUPTED, "repaired")  # how a drive ends whose process was stopped or killed


@dataclass(frozen=True, slots=True)
class Terms:
    """How a driver is corrected.

    Attributes:
        drives: how many tracks.
        first: number of the first one, from 0; see `driving.seeds.correction_seeds`.
        max_steps: of each drive; None leaves the end to the game.
        off_track_s, stuck_s: when a drive is given up, see `driving.hopeless.Hopeless`.
        noise: how hard the driver's hands are knocked, 0 to 1: a good driver errs too seldom to be corrected much.
    """

    drives: int = 6
    first: int = 0
    max_steps: int | None = None
    off_track_s: float | None = 2.0
    stuck_s: float | None = 5.0
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected drive: its session, what it was worth, and how far from the expert's word it was.

    Attributes:
        drift: mean absolute difference of what was executed and its label, over all steps and channels. Knocks are
            executed too: with `Terms.noise` it says more of them than of the driver.
    """

    seed: int
    session: str
    score: float | None
    steps: int
    ended: str
    drift: float


def correct(settings: Settings, game: str, version: int, terms: Terms, progress: Progress) -> list[Correction]:
    """Let a registered version drive its own tracks under the expert's eye, one session each.

    A drive that is there already is not driven again; one that was broken off is removed and driven anew.

    Args:
        settings: the folders.
        game: to drive.
        version: of the game's registered driver.
        terms: how.
        progress: is told each drive.

    Raises:
        KartError: the game cannot be opened or has no expert, the driver is refused or gives other actions, the store
            cannot be written, or more drives are wanted than a version has tracks.
    """
    if find_game(game) is None:
        raise KartError(f"{game} cannot be opened from here, so nobody can be corrected in it: {_by_hand(game)}")
    seeds = correction_seeds(version, terms.first, terms.drives)
    stores = Stores.open(settings=settings)
    # the pipeline trusts the server that it brings its own models to
    located = locate(f"models:/{registered_name(game)}/{version}", settings, trust_remote=True)
    about = {"kind": KIND, "model": located.uri, "id": located.model_id, "version": version, "teacher": "expert"}
    done = _finished(stores, game, about)
    missing = [seed for seed in seeds if seed not in done]
    progress("Corrections", len(seeds) - len(missing), len(seeds))
    if missing:
        for manifest in _drives(stores, game, located, about, missing, terms, progress):
            done[manifest.source["seed"]] = manifest
    return [_correction(stores, done[seed]) for seed in seeds]


def _finished(stores: Stores, game: str, about: Mapping[str, Any]) -> dict[int, Manifest]:
    """The whole corrections of a model by seed; what was broken off goes to the trash."""

    def ours(driver: Mapping[str, Any]) -> bool:
        return all(driver.get(key) == about[key] for key in ("kind", "id", "version"))

    for session_id in stores.local.unfinished():
        header = stores.unfinished_header(session_id)
        if (header is not None and header.game == game and ours(header.driver)) or _empty(stores, session_id):
            stores.delete(session_id)
    for session_id in stores.undelivered():
        if ours(stores.local.manifest(session_id).driver):
            stores.deliver(session_id)
    done: dict[int, Manifest] = {}
    for manifest in stores.target.manifests():
        if manifest.game != game or not ours(manifest.driver):
            continue
        if manifest.ended in _BROKEN_OFF:
            stores.delete(manifest.id)
        else:
            done[manifest.source["seed"]] = manifest
    return done


def _empty(stores: Stores, session_id: str) -> bool:
    """Whether nothing reached the disk before its process was killed; what cannot be read may be a person's drive."""
    stream = stores.folder(session_id) / STREAM
    return stream.exists() and not stream.stat().st_size and not stores.is_live(session_id)


def _drives(
    stores: Stores,
    name: str,
    located: Located,
    about: Mapping[str, Any],
    seeds: list[int],
    terms: Terms,
    progress: Progress,
) -> Iterator[Manifest]:
    """Drive the seeds that are missing, the last of all; the sessions, each when it is in the store."""
    with make_game(name) as game:
        codec = usual_codec(simulated=game.simulated)
        plan = episode.Plan(name, KIND, stores.recordings, noise=terms.noise, codec=codec, max_steps=terms.max_steps)
        teacher = Expert(_expert(game))
        package = read_package(located.folder)
        check_fit(located.name, package, game)
        policy = open_policy(located.name, package)
        noise = knocks(game.spec, terms.noise) if terms.noise else None
        said = {**about, "noise": noise} if noise else dict(about)
        for place, seed in enumerate(seeds, terms.drives - len(seeds)):
            driver: Driver = Noisy(policy, noise, seed=seed, name=policy.name) if noise else policy
            watch = Hopeless(terms.off_track_s, terms.stuck_s)
            taken = episode.record_episode(
                stores.local,
                game,
                Corrected(driver, teacher),
                plan,
                seed,
                about_driver=said,
                report=partial(_tell, progress, place, terms.drives),
                observers=[watch],
                should_stop=watch,
            )
            if isinstance(taken, episode.Dropped):
                raise KartError(f"The drive on seed {seed} ended before its first step.")
            if taken.trouble:
                raise KartError(taken.trouble)
            stores.deliver(taken.manifest.id)
            progress("Corrections", place + 1, terms.drives, f"seed {seed}: score {taken.manifest.score or 0:.0f}")
            yield taken.manifest


def _tell(progress: Progress, place: int, total: int, now: episode.Progress) -> None:
    progress("Corrections", place, total, f"seed {now.seed}: {now.steps} steps, score {now.score:.0f}")


def _expert(game: Game) -> Autopilot:
    try:
        return game.expert()
    except KartError as error:
        raise KartError(f"{game.name} has no expert who could correct a driver: {_by_hand(game.name)}") from error


def _by_hand(game: str) -> str:
    return (
        "there a person corrects. Drive yourself where it errs, with "
        f"`python -m recorder capture --game {game} --driver gamepad`, and train again."
    )


def _correction(stores: Stores, manifest: Manifest) -> Correction:
    names = manifest.spec.names
    labels = [f"label_{name}" for name in names]
    table = stores.target.open(manifest.id).table([*names, *labels])
    drift = np.abs(vectors(table, names) - vectors(table, labels))
    return Correction(
        seed=manifest.source["seed"],
        session=manifest.id,
        score=manifest.score,
        steps=manifest.steps,
        ended=manifest.ended,
        drift=float(drift.mean()),
    )
