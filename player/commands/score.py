"""`python -m player score --model-uri …`: what is a model worth on tracks that nobody has seen, and beside another?"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.seeds import parse_seeds
from kart_pipeline.games.registry import game_options, launched, openable
from player.options import add_model, add_runtime
from player.progress import Bars
from player.report import Result, show
from player.score import ScoreOptions, candidates, score_models
from player.score_log import log_scores
from recorder.display import console


def run(arguments: Sequence[str] | None) -> int:
    """Score, tell and keep; also what was driven before Ctrl-C is told, and then kept nowhere.

    Returns:
        The exit status: 0, or 130 after Ctrl-C.

    Raises:
        KartError: a mistake in the options, a model that is refused or does not suit the game.
    """
    given = _parser().parse_args(arguments)
    options = ScoreOptions(
        model_uri=given.model_uri,
        seeds=tuple(parse_seeds(given.seeds)),
        game=given.game,
        game_options=launched(given.game, game_options(given.option), given.launch),
        against=given.against,
        workers=given.workers,
        max_steps=given.max_steps,
        trust_remote=given.trust_remote,
        runtime=given.runtime,
    )
    settings, result = Settings.from_env(), Result()
    status, kept = 0, ""
    with redirect_stdout(sys.stderr), Bars() as bars:
        bars.begin("finding the model", 1)
        game, models = candidates(options, settings)
        result.model = models[0].described()
        bars.done()
        try:
            score_models(options, game, models, result, bars)
            if given.log:
                kept = log_scores(models[0], result.cards, settings)
        except KeyboardInterrupt:
            status = 130
    if given.json:
        told = result.to_dict() | {"kept": kept, "interrupted": status != 0}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        show(result, console())
        if kept:
            console().print(kept, soft_wrap=True, markup=False)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m player score",
        description="Drive many seeds with a model and say what it is worth: finished or not, laps, progress, time off "
        "the road, collisions, times stuck (5 s without progress), mean score with its 95 % interval.",
    )
    add_model(parser)
    add_runtime(parser)
    add = parser.add_argument
    add("--game", choices=openable(), default="", help="default is the game that the model learned")
    add("--option", action="append", default=[], metavar="NAME=VALUE", help="of the game, such as a track; repeatable")
    add("--launch", nargs=2, metavar=("EMUHAWK", "ROM"), help="start BizHawk with this ROM; for --game bizhawk")
    add(
        "--seeds",
        default="20",
        metavar="N|A,B,…",
        help="a count of tracks that neither training nor the choice of the champion has seen, or a list; default 20",
    )
    add("--against", metavar="URI", help="another model, driven on the same seeds and compared seed by seed")
    add("--workers", type=int, default=1, metavar="N", help="drive a simulated game in N processes")
    add("--max-steps", type=int, metavar="N", help="end each drive after N steps")
    add("--no-log", dest="log", action="store_false", help="do not keep the scores at the model's MLflow run")
    add("--json", action="store_true", help="print one JSON object, and nothing else, to standard output")
    return parser
