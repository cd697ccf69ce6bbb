"""`python -m benchmarks.races --model-uri models:/kart-supertuxkart@champion`: whole races, and the robot's.

    race 0, 1, 2 …, on each track: three laps by the model, in the first ones by the robot too ──▶ a table

In real time, about three minutes a race. Every race is kept in KART_HOME/races/<model>/, so that an interrupted run
goes on, and two runs with different `--tracks` can go side by side. Seeds are those of `driving.seeds.PLAYER`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.seeds import PLAYER
from kart_pipeline.driving.tally import Drive
from kart_pipeline.games.supertuxkart.game import TRACKS

NEVER_SEEN = "hacienda"
STUCK_S, PATIENCE = 60, 6  # as the game's options, for races in which stuck karts are backed out or rescued
_RESAMPLES = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive the races that are missing and print the table."""
    given = _parser().parse_args(arguments)
    name = re.sub(r"[^0-9A-Za-z]+", "-", given.model_uri).strip("-") + ("-unstick" if given.unstick else "")
    folder = Settings.from_env().home / "races" / name
    tracks = given.tracks.split(",")
    try:
        for race in range(given.races):
            for track in tracks:
                _race(folder, given, track, race)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; the same command goes on from here.\n")
    _tell(folder, tracks, given.laps)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.races", description=__doc__.split("\n\n")[0])
    parser.add_argument("--model-uri", required=True, metavar="URI")
    parser.add_argument("--races", type=int, default=10, help="a track (default 10)")
    parser.add_argument("--robot", type=int, default=3, metavar="N", help="the robot drives the first N (default 3)")
    parser.add_argument("--laps", type=int, default=3, help="a race (default 3)")
    parser.add_argument("--runtime", default="auto", help="as of the player")
    parser.add_argument("--unstick", action="store_true", help="back out where it is stuck, as the player's option")
    parser.add_argument("--tracks", default=",".join([*TRACKS, NEVER_SEEN]), metavar="A,B", help="default all five")
    return parser


def _race(folder: Path, given: argparse.Namespace, track: str, race: int) -> None:
    """One race, unless it was driven before.

    Raises:
        KartError: the player failed.
    """
    path = folder / f"{track}-{given.laps}-{race}.json"
    if path.exists():
        return
    command = [sys.executable, "-m", "player", "--model-uri", given.model_uri, "--game", "supertuxkart", "--json"]
    command += ["--option", f"laps={given.laps}", "--option", f"track={track}", "--seeds", f"{PLAYER.start + race},"]
    if given.unstick:
        command += ["--unstick", "--option", f"stuck_s={STUCK_S}", "--option", f"patience={PATIENCE}"]
    command += ["--runtime", given.runtime, *(["--compare", "expert"] if race < given.robot else [])]
    unseen = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=unseen, check=False)
    if done.returncode:
        raise KartError(f"`{' '.join(command[1:])}` failed with status {done.returncode}; see above.")
    write_json(path, json.loads(done.stdout)["scorecards"])


def _tell(folder: Path, tracks: Sequence[str], laps: int) -> None:
    say = Console(soft_wrap=True, highlight=False, markup=False, emoji=False).print
    say(f"\n{machine()}\n\nRaces of {laps} laps; times by the game's own clock, of races that were finished:\n")
    heading = ("track", "finished", "laps driven", "mean time, s", "the robot's, s", "against the robot")
    heading += ("off the road", "stuck", "backed out")
    say(f"| {' | '.join(heading)} |\n| --- |{' ---: |' * (len(heading) - 1)}")
    for track in tracks:
        races = [_cards(path) for path in sorted(folder.glob(f"{track}-{laps}-*.json"))]
        if races:
            drives, robot = ([race[place].drives[0] for race in races if len(race) > place] for place in (0, 1))
            say(_row(track, laps, drives, robot))
    say("\nIntervals: 95 %, bootstrap over races.")


def _cards(path: Path) -> list[Scorecard]:
    """The model's, and the robot's where it drove too."""
    return [Scorecard.from_dict(card) for card in json.loads(path.read_text(encoding="utf-8"))]


def _row(track: str, laps: int, drives: Sequence[Drive], robot: Sequence[Drive]) -> str:
    times = [drive.finish_s for drive in drives if drive.finish_s is not None]
    robots = [drive.finish_s for drive in robot if drive.finish_s is not None]
    off = [drive.off_track for drive in drives if drive.off_track is not None]
    cells = [
        f"{track}{' (never seen)' if track == NEVER_SEEN else ''}",
        f"{len(times)} of {len(drives)}",
        _interval([laps * (drive.progress or 0.0) for drive in drives], ".2f"),
        _interval(times, ".1f"),
        f"{np.mean(robots):.1f} ({len(robots)})" if robots else "-",
        _ratio(times, robots),
        f"{np.mean(off):.1%}" if off else "-",
        str(sum(drive.ended == "stuck" for drive in drives)),
        str(sum(drive.recoveries for drive in drives)),
    ]
    return f"| {' | '.join(cells)} |"


def _ratio(times: Sequence[float], robots: Sequence[float]) -> str:
    if not (times and robots):
        return "-"
    return _interval([time / float(np.mean(robots)) for time in times], ".3f")


def _interval(values: Sequence[float], spec: str) -> str:
    """Mean and interval; of fewer than three values the mean alone."""
    if not values:
        return "-"
    mean = format(float(np.mean(values)), spec)
    if len(values) < 3:
        return mean
    drawn = np.random.default_rng(0).choice(values, (_RESAMPLES, len(values))).mean(axis=1)
    low, high = (format(float(value), spec) for value in np.percentile(drawn, (2.5, 97.5)))
    return f"{mean} ({low} to {high})"


if __name__ == "__main__":
    sys.exit(main())
