"""How much too well a random split speaks of a network: the same recipe, held out by frame and by session.

    python -m benchmarks.leak HOME_OR_STORE      a folder of sessions, or a KART_HOME; minutes on 2 cores

Some groups of sessions are set aside first. On the others the recipe is trained twice: validated on frames drawn at
random, whose neighbours it learns from, and on whole groups that it does not see. What each validation says stands
beside the error on the sessions that were set aside: what neither training nor the choice of an epoch has seen.

Rows that were set aside may be harder than others for everybody. So errors are shares of what the median has on the
same rows, which looks at no picture and cannot know one by heart; and the split by groups is the control: where it
speaks too well as much as the other, nothing leaked.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.split import HoldOut, position
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set
from kart_pipeline.driving.scorecard import RESAMPLES
from kart_pipeline.games.contracts import Contracts, prevailing
from kart_pipeline.learning import baselines
from kart_pipeline.learning.evaluation import NETWORK
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predict_batches
from kart_pipeline.learning.networks import NETWORKS
from kart_pipeline.learning.pipeline import ordered_batches
from kart_pipeline.learning.training import train
from player.hush import start_tensorflow

UNSEEN = 0.34  # of the groups
WAYS: dict[HoldOut, str] = {"frame": "frames drawn at random", "group": "whole groups of sessions"}
FEWEST_GROUPS = 3  # one to learn from, one to validate on, one that nobody has seen

Distances = npt.NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> int:
    """Train twice and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leak", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="HOME_OR_STORE")
    parser.add_argument("--game", help="whose sessions; needed where there are several games")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--network", default=HyperParameters().network)
    parser.add_argument("--plain", action="store_true", help="without augmentation, so that rows are learned by heart")
    told = parser.parse_args(arguments)
    try:
        if told.network not in NETWORKS:
            raise KartError(f"There is no network {told.network!r}; choose one of {', '.join(sorted(NETWORKS))}.")
        hyper = HyperParameters(network=told.network, epochs=told.epochs, patience=told.epochs)
        if told.plain:
            hyper = replace(hyper, mirror=0.0, shift=0.0, brightness=0.0, patches=0)
        with tempfile.TemporaryDirectory() as scratch:
            _measure(told.folder, told.game, hyper, Path(scratch), Console())
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _measure(folder: Path, game: str | None, hyper: HyperParameters, scratch: Path, console: Console) -> None:
    store, contract, manifests = _sessions(folder, game)
    ordered = sorted({manifest.group for manifest in manifests}, key=position)
    if len(ordered) < FEWEST_GROUPS:
        raise KartError(
            f"{len(ordered)} groups of sessions are too few; record on {FEWEST_GROUPS} tracks or seeds at least."
        )
    # those that a split by group holds out last
    unseen = set(ordered[-max(1, round(UNSEEN * len(ordered))) :])
    start_tensorflow()
    for manifest in manifests:
        build_frames(store.open(manifest.id), contract, scratch)
    others = [manifest for manifest in manifests if manifest.group not in unseen]
    aside = [manifest for manifest in manifests if manifest.group in unseen]
    tests = build_training_set(scratch, contract, aside[0].game, sessions=aside, hold_out="frame", balance="none")

    console.print(
        f"{machine()}; {hyper.network}, {hyper.epochs} epochs, {_augmented(hyper)}; {len(others)} sessions to learn "
        f"from and validate on, {len(aside)} set aside. Error: mean Euclidean distance over "
        f"{', '.join(contract.spec.names)}; in brackets the 95 % bootstrap interval over the sessions set aside.",
        soft_wrap=True,
    )
    heading = ("validated on", "validation says", "of the median's there", "set aside", "of the median's there")
    heading += ("so it speaks too well by",)
    console.print(f"| {' | '.join(heading)} |\n| --- |{' ---: |' * (len(heading) - 1)}", soft_wrap=True)
    for way, words in WAYS.items():
        examples = build_training_set(scratch, contract, aside[0].game, sessions=others, hold_out=way)
        result = train(examples, hyper)
        errors = result.evaluation.errors
        said = errors[NETWORK].euclidean / errors["median"].euclidean
        answers = {
            side: predict_batches(result.model, ordered_batches(tests, side, 256), contract.spec)
            for side in ("train", "val")
        }
        median = baselines.median(examples.rows("train").labels, contract.spec)
        constant = {side: np.broadcast_to(median, tests.rows(side).labels.shape) for side in ("train", "val")}
        network, nobody = _by_session(tests, answers), _by_session(tests, constant)
        too_well, low, high = gap(network, nobody, said)
        cells = (words, f"{errors[NETWORK].euclidean:.3f}", f"{said:.1%}", f"{network.mean():.3f}")
        cells += (f"{network.sum() / nobody.sum():.1%}", f"{too_well:.0%} ({low:.0%} to {high:.0%})")
        console.print(f"| {' | '.join(cells)} |", highlight=False, soft_wrap=True)


def gap(network: Distances, median: Distances, said: float) -> tuple[float, float, float]:
    """By what share a validation speaks too well of a network, with the 95 % bootstrap interval over sessions.

    Args:
        network: its error in each session that was set aside, `(sessions,)`.
        median: the constant's in the same, `(sessions,)`.
        said: the network's error in the validation, as a share of the constant's there.

    Returns:
        The share (0 where the validation is right), and both ends of its interval.
    """
    drawn = np.random.default_rng(0).integers(len(network), size=(RESAMPLES, len(network)))
    ratios = network[drawn].sum(axis=1) / median[drawn].sum(axis=1) / said - 1
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(network.sum() / median.sum() / said - 1), float(low), float(high)


def _augmented(hyper: HyperParameters) -> str:
    return "augmented" if hyper.mirror or hyper.shift or hyper.brightness or hyper.patches else "not augmented"


def _sessions(folder: Path, game: str | None) -> tuple[Store, Contract, list[Manifest]]:
    sessions = folder / "sessions"
    store = Store(str(sessions if sessions.is_dir() else folder))
    found = [store.manifest(name) for name in store.ids()]
    games = sorted({manifest.game for manifest in found})
    if not games:
        raise KartError(f"There are no sessions in {folder}; record some with `python -m recorder capture`.")
    if (game or games[0]) not in games or (game is None and len(games) > 1):
        raise KartError(f"The sessions in {folder} are of {', '.join(games)}; choose one with --game.")
    contracts = Contracts.load(folder)
    known = [(item, contracts.contract(item)) for item in found if item.game == (game or games[0])]
    contract = prevailing(known)
    return store, contract, [manifest for manifest, own in known if own.hash == contract.hash]


def _by_session(tests: TrainingSet, answers: dict[str, npt.NDArray[np.floating]]) -> Distances:
    """The mean distance of each session, `(sessions,)`, whatever side of `tests` its rows are on."""
    sides = ("train", "val")
    rows = [tests.rows(side) for side in sides]  # type: ignore[arg-type]
    wrong = np.concatenate([answers[side] - part.labels for side, part in zip(sides, rows, strict=True)])
    session = np.concatenate([part.session_index for part in rows])
    return np.bincount(session, np.linalg.norm(wrong.astype(np.float64), axis=1)) / np.bincount(session)


if __name__ == "__main__":
    sys.exit(main())
