"""`make score`, or `python -m benchmarks.score`: how well the pipeline drives, from nothing, on tracks nobody has seen.

    correction rounds from nothing ──▶ the champion, the expert and a constant on 100 unseen tracks ──▶ tables

Everything happens in a folder of its own, KART_HOME/score/<game>, and goes on there after an interruption. The tracks
are the first seeds of `driving.seeds.PLAYER`: no recording, no training and no choice of a champion uses them.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.settings import Settings
from kart_pipeline.correct import kept, rounds
from kart_pipeline.correct.__main__ import main as correct
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.seeds import PLAYER
from kart_pipeline.driving.tables import markdown
from kart_pipeline.games.registry import GAMES

RESULTS = "unseen.json"
# With 20 tracks a model whose every tenth drive fails can look like a good one; 30 show it more often.
TERMS = ("--episodes", "12", "--drives", "6", "--minutes", "5", "--seeds", "30")


@dataclass(frozen=True, slots=True)
class Published:
    """A figure from elsewhere, which differs in more than the driver: read the remark."""

    who: str
    score: str
    remark: str
    source: str


PUBLISHED: Mapping[str, Sequence[Published]] = {
    "car_racing": (
        Published(
            "threshold of Gymnasium", "900", "counts as solved", "gymnasium.spec('CarRacing-v3').reward_threshold"
        ),
        Published(
            "World Models (Ha & Schmidhuber, 2018)",
            "906 ± 21",
            "100 tracks, reinforcement learning in a learned model, CarRacing-v0",
            "arXiv:1803.10122",
        ),
        Published(
            "human imitation, Freiburg Deep Learning Lab",
            "885.6 ± 9.7",
            "15 tracks, up to 2000 steps, grey, 5 classes, a decoding tuned by hand",
            "github.com/ErlisLushtaku/DeepLearningLab-CarRacing-ImitationLearningAndReinforcementLearning",
        ),
        Published(
            "PPO expert, UBC EECE 571S",
            "904 (keys), 879 (continuous)",
            "20 tracks",
            "github.com/FalKon1256/UBC-EECE-571S",
        ),
        Published(
            "DAgger from that expert, 20,000 steps",
            "94.6 to 96.4 % of it",
            "20 tracks",
            "github.com/FalKon1256/UBC-EECE-571S",
        ),
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing and print the tables."""
    options = _parser().parse_args(arguments)
    try:
        for name, least in (("rounds", 0), ("seeds", 1), ("workers", 1)):
            if getattr(options, name) < least:
                raise KartError(f"--{name} must be at least {least}, not {getattr(options, name)}.")
        home = (Settings.from_env().home / "score" / options.game).absolute()
        os.environ["KART_HOME"] = str(home)
        for elsewhere in ("KART_STORE", "MLFLOW_TRACKING_URI"):  # sessions and models that are there are not "nothing"
            os.environ.pop(elsewhere, None)
        status = _rounds(home, options)
        if status:
            return status
        found = _unseen(home, options)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; the same command goes on from here.\n")
        return 130
    _tell(home, options.game, found)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.score", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--game", default="car_racing", choices=sorted(name for name in GAMES if not GAMES[name].emulated)
    )
    parser.add_argument("--rounds", type=int, default=2, help="correction rounds (default 2)")
    parser.add_argument("--seeds", type=int, default=100, help="unseen tracks (default 100)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("correct", nargs="*", metavar="-- OPTION", help="further options of kart_pipeline.correct")
    return parser


def _rounds(home: Path, options: argparse.Namespace) -> int:
    """The correction rounds that are still missing."""
    journal = rounds.load(home, options.game)
    if journal.complete and len(journal.rounds) > options.rounds:
        return 0
    wanted = max(0, options.rounds - journal.asked(0).last)
    return correct(
        ["--game", options.game, "--rounds", str(wanted), "--workers", str(options.workers), *TERMS, *options.correct]
    )


def _unseen(home: Path, options: argparse.Namespace) -> list[Scorecard]:
    """The scorecards on the unseen tracks; those of the same champion on the same tracks are not driven again."""
    champion = rounds.load(home, options.game).rounds[-1].champion
    known = {"game": options.game, "version": champion, "seeds": options.seeds}
    path = home / RESULTS
    found: dict[str, Any] = kept.load(path, dict, {})
    if found.get("of") == known:
        return [Scorecard.from_dict(card) for card in found["scorecards"]]
    command = [sys.executable, "-m", "player", "--model-uri", f"models:/kart-{options.game}/{champion}"]
    workers = GAMES[options.game].workers(options.workers)
    command += ["--game", options.game, "--seeds", str(options.seeds), "--workers", str(workers)]
    done = subprocess.run(
        [*command, "--compare", "expert,straight", "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise KartError(f"`{' '.join(command[1:])}` failed with status {done.returncode}; see above.")
    cards = json.loads(done.stdout)["scorecards"]
    write_json(path, {"of": known, "scorecards": cards})
    return [Scorecard.from_dict(card) for card in cards]


def _tell(home: Path, game: str, cards: Sequence[Scorecard]) -> None:
    say = Console(soft_wrap=True, highlight=False, markup=False, emoji=False).print
    journal = rounds.load(home, game)
    seeds = sorted({drive.seed for card in cards for drive in card.drives if drive.seed is not None})
    say(f"\n{machine()}\n\nRounds, each model scored on tracks that only the champion is chosen by:\n")
    say("| round | model | score | 95 % interval | worst decile | frames | minutes so far |")
    say("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for item in journal.rounds:
        low, high, decile = (("-" if value is None else f"{value:.0f}") for value in (item.low, item.high, item.decile))
        mean = "-" if item.mean is None else f"{item.mean:.1f}"
        star = "*" if item.champion == item.version else ""
        cells = (item.number, f"v{item.version}{star}", mean, f"{low} to {high}", decile, f"{item.frames:,}")
        say(f"| {' | '.join(map(str, cells))} | {item.minutes:.1f} |")
    say("\n* was champion when the round ended.")
    unseen = f"seeds {seeds[0]} to {seeds[-1]}" if seeds else "no seeds"
    say(f"\nOn {len(seeds)} tracks that nobody has seen ({unseen}, the block {PLAYER.start} …):\n")
    say(markdown(cards))
    if game in PUBLISHED:
        say("\nPublished elsewhere, under conditions of their own:\n")
        say("| driver | score | how | source |\n| --- | --- | --- | --- |")
        for item in PUBLISHED[game]:
            say(f"| {item.who} | {item.score} | {item.remark} | {item.source} |")


if __name__ == "__main__":
    sys.exit(main())
