"""Which recipe drives best: the same sessions and number of gradient steps, one thing changed, scored in the game.

    python -m benchmarks.recipes --list
    python -m benchmarks.recipes base bins stack2 --steps 1500 --seeds 20 --repeats 2

Learns from the sessions in KART_HOME (`make demo` records some), and scores on the tracks that the champion is chosen
by, so that those of the final table stay unseen. Results are kept in KART_HOME/recipes.json; what is there is not run
again, and without a name the command prints what is there. Steps, not minutes, end a training: a machine that is busy
with other work comes to the same scores.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.recipe_list import RECIPES, Recipe
from benchmarks.recipe_table import show
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.correct import kept
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.scoring import score
from kart_pipeline.driving.seeds import PROMOTION
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.games.registry import make_game
from kart_pipeline.learning.evaluation import NETWORK
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.training import TrainingResult, train
from player.policy import Policy

if TYPE_CHECKING:
    import keras

EPOCHS = 10
RESULTS = "recipes.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named recipes and print the table of all results that are known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)}")
    parser.add_argument("--game", default="car_racing")
    parser.add_argument("--steps", type=int, default=1500, help="gradient steps of each training")
    parser.add_argument("--seeds", type=int, default=20, help="tracks to drive")
    parser.add_argument("--repeats", type=int, default=1, help="trainings of each recipe, with other initial weights")
    parser.add_argument("--list", action="store_true", help="name the recipes and what each changes")
    options = parser.parse_args(arguments)
    console = Console()
    if options.list:
        for name, recipe in RECIPES.items():
            console.print(f"{name:20} {recipe.why}", highlight=False, soft_wrap=True)
        return 0
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        for name in ("steps", "seeds", "repeats"):
            if getattr(options, name) < 1:
                raise KartError(f"--{name} must be at least 1, not {getattr(options, name)}.")
        if unknown := set(options.names) - set(RECIPES):
            raise KartError(f"There is no recipe {', '.join(sorted(unknown))}; see --list.")
        _run(options, Settings.from_env(), console)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _run(options: argparse.Namespace, settings: Settings, console: Console) -> None:
    path = settings.home / RESULTS
    known: dict[str, Any] = kept.load(path, dict, {})
    for name in options.names:
        for repeat in range(options.repeats):
            key = f"{options.game} {name} steps={options.steps} seeds={options.seeds} repeat={repeat}"
            if key in known:
                continue
            console.print(f"{key} …", highlight=False)
            known[key] = _measure(RECIPES[name], settings, options, repeat)
            write_json(path, known)
    show(known, options.game, console)


def _measure(recipe: Recipe, settings: Settings, options: argparse.Namespace, repeat: int) -> dict[str, Any]:
    start = None
    if recipe.start:
        start = _train(RECIPES[recipe.start], settings, options, repeat)[1].model
    examples, result = _train(recipe, settings, options, repeat, start)
    hyper = result.hyper
    began = time.monotonic()
    card = _score(result, examples.contract, options)
    low, high = card.interval or (card.mean, card.mean)
    return {
        "mean": card.mean,
        "low": low,
        "high": high,
        "worst": card.worst,
        "decile": card.decile,
        "finished": card.finished,
        "smoothness": card.smoothness,
        "scores": card.scores.tolist(),
        "val": result.evaluation.errors[NETWORK].euclidean,
        "heads": {head: dict(figures) for head, figures in result.evaluation.errors[NETWORK].heads.items()},
        "best_epoch": result.best_epoch,
        "rows": len(examples.rows("train")),
        "parameters": result.cost.parameters,
        "megaflops": result.cost.flops / 1e6,
        "latency_p50_ms": result.cost.latency_p50_ms,
        "training_minutes": result.seconds / 60,
        "driving_minutes": (time.monotonic() - began) / 60,
        "hyper": hyper.to_dict(),
        "contract": examples.contract.to_dict(),
        "machine": machine(),
    }


def _train(
    recipe: Recipe, settings: Settings, options: argparse.Namespace, repeat: int, start: "keras.Model | None" = None
) -> tuple[TrainingSet, TrainingResult]:
    examples = _examples(recipe, settings, options.game)
    steps = {"epochs": EPOCHS, "steps_per_epoch": -(-options.steps // EPOCHS), "patience": EPOCHS, "seed": repeat}
    return examples, train(examples, HyperParameters(**steps | dict(recipe.hyper)), start=start)


def _examples(recipe: Recipe, settings: Settings, game: str) -> TrainingSet:
    """The training set of a recipe, in a folder of its own: those of the pipeline stay as they are."""
    store = Store(settings.store_url)
    manifests = [manifest for manifest in map(store.manifest, store.ids()) if manifest.game == game]
    manifests = sorted(manifests, key=lambda manifest: manifest.id)[: recipe.sessions]
    if not manifests:
        raise KartError(f"There are no sessions of {game} in {settings.store_url}; record some first.")
    contract = replace(Contracts.load(settings.home).contract(manifests[0]), **recipe.contract)
    root = settings.home / "recipes"
    for manifest in manifests:
        build_frames(store.open(manifest.id), contract, root)
    return build_training_set(root, contract, game, sessions=manifests, **recipe.training_set)


def _score(result: TrainingResult, contract: Contract, options: argparse.Namespace) -> Scorecard:
    policy = Policy("policy", contract, predictor(result.model, contract))
    return score(partial(make_game, options.game), lambda _: policy, PROMOTION[: options.seeds])


if __name__ == "__main__":
    sys.exit(main())
