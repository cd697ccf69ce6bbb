"""What a person may ask the player for."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.seeds import parse_seeds
from kart_pipeline.driving.unstick import STUCK_S
from kart_pipeline.games.registry import find_game, game_options, launched, openable
from player.live.wishes import Wishes, add_arguments, read
from player.opponents import OPPONENTS, parse_opponents
from player.runtimes import AUTO, CHOICES
from recorder import arguments

# Commands beside driving, each a module of `player.commands`, with a line for the help.
COMMANDS: Mapping[str, str] = {
    "bench": "measures how fast a model answers on this machine, and chooses its runtime",
    "calibrate": "measures how a game answers the stick",
    "score": "drives many seeds, compares two models, and keeps the figures at the model's run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to do; the names are those of the command line.

    Raises:
        KartError: a number out of range, or wishes that exclude each other.
    """

    model_uri: str
    seeds: tuple[int, ...]
    game: str = ""  # the one that the model learned
    record: bool = False
    video: Path | None = None
    video_drives: int = 1
    speed: float = 1.0
    compare: tuple[str, ...] = ()
    workers: int = 1
    game_options: Mapping[str, Any] = field(default_factory=dict)
    max_steps: int | None = None
    trust_remote: bool = False
    screen: Wishes | None = None
    runtime: str = AUTO
    unstick: float | None = None  # seconds of being stuck, after which it backs out

    def __post_init__(self) -> None:
        for name in ("workers", "video_drives", "max_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise KartError(f"--{name.replace('_', '-')} must be at least 1, not {value}.")
        if self.screen is None and self.game and find_game(self.game) is None:
            raise KartError(
                f"There is no game {self.game!r} that opens here; those are {', '.join(openable())}. One that is on "
                "the screen is driven with --window TITLE, --region or --monitor N."
            )
        if self.workers > 1 and (self.record or self.video):
            raise KartError("--record and --video drive in one process; leave out --workers, or leave out them.")


def add_model(parser: argparse.ArgumentParser) -> None:
    """The options that say which model is meant."""
    parser.add_argument(
        "--model-uri",
        required=True,
        metavar="URI",
        help="runs:/<run id>/model, models:/<name>@<alias>, models:/<name>/<version>, models:/m-<id>, or a folder; "
        "models:/<name>@course drives each course with the version that has its alias, as course-luigi-raceway",
    )
    parser.add_argument(
        "--trust-remote", action="store_true", help="accept a tracking server or model files on another machine"
    )


def add_runtime(parser: argparse.ArgumentParser) -> None:
    """The option that says what runs the network."""
    parser.add_argument(
        "--runtime",
        choices=CHOICES,
        default=AUTO,
        help="what runs the network; auto, the default, is what `python -m player bench` found best on this machine",
    )


def parse(words: Sequence[str] | None = None) -> tuple[Options, bool]:
    """The options, and whether the result is wanted as JSON.

    Raises:
        KartError: a mistake that argparse does not see.
        SystemExit: one that it does see, or --help.
    """
    parser = argparse.ArgumentParser(
        prog="python -m player",
        description="Let a trained model drive, and score it.",
        epilog="Everything is kept in KART_HOME (default .kart): the models in its MLflow database, the sessions of "
        "--record beside those of the recorder."
        + "".join(f" `python -m player {name}` {COMMANDS[name]}." for name in COMMANDS),
    )
    add = parser.add_argument
    add_model(parser)
    add_runtime(parser)
    add(
        "--game",
        default="",
        metavar="NAME",
        help=f"{', '.join(openable())}, or what is on the screen; default is the game that the model learned",
    )
    add(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the game, as track=hacienda or laps=3 of supertuxkart; can be repeated",
    )
    add("--launch", nargs=2, metavar=("EMUHAWK", "ROM"), help="start BizHawk with this ROM; for --game bizhawk")
    add(
        "--seeds",
        metavar="N|A,B,…",
        help="a count of tracks that neither training nor the choice of the champion has seen, or a list of seeds "
        "(a single one with a comma after it); default 5",
    )
    add(
        "--record",
        nargs="?",
        const="all",
        choices=("corrections", "all", "none"),
        help="keep drives as sessions; of the screen what you correct is kept anyway, and what led there",
    )
    add("--video", type=Path, metavar="FILE.mp4", help="film the first drive")
    add("--video-drives", type=int, metavar="N", help="film the first N drives, one after the other")
    add("--speed", type=float, default=1.0, metavar="X", help="of the video, 1 being the game's own; default 1")
    add("--compare", default="", metavar="NAMES", help=f"also drive, on the same seeds: {','.join(OPPONENTS)}")
    add("--workers", type=int, metavar="N", help="score a simulated game in N processes")
    add("--max-steps", type=int, metavar="N", help="end each drive after N steps")
    add(
        "--unstick",
        nargs="?",
        type=arguments.seconds,
        const=STUCK_S,
        metavar="S",
        help=f"back out where nothing has moved for S seconds (default {STUCK_S:g}); where that does not help and the "
        "game has a rescue, ask for it",
    )
    add("--json", action="store_true", help="print one JSON object, and nothing else, to standard output")
    add_arguments(parser)
    given = parser.parse_args(words)
    screen = read(given)
    if screen is None and given.record == "corrections":
        raise KartError(
            "--record corrections is for --window, --region and --monitor; write --record: it keeps the drives whole."
        )
    options = Options(
        model_uri=given.model_uri,
        game=given.game,
        seeds=() if screen else tuple(parse_seeds(given.seeds or "5")),
        record=given.record == "all",
        video=given.video,
        video_drives=1 if given.video_drives is None else given.video_drives,
        speed=given.speed,
        compare=parse_opponents(given.compare),
        workers=1 if given.workers is None else given.workers,
        game_options=launched(given.game, game_options(given.option), given.launch),
        max_steps=given.max_steps,
        trust_remote=given.trust_remote,
        screen=screen,
        runtime=given.runtime,
        unstick=given.unstick,
    )
    return options, given.json
