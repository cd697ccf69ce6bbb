"""`python -m benchmarks.label_delay FOLDER`: is a driver better whose labels are shifted by the measured delay?

    the sessions of SuperTuxKart ──▶ contract with delay_ms 0 ──▶ network ──▶ score ─┐
                                 └─▶ contract with delay_ms 46 ─▶ network ──▶ score ─┴─▶ a table

The sessions are those of KART_HOME, as `python -m recorder capture --game supertuxkart --driver expert --noise 0.8
--episodes 16` records them. Both networks get the recipe of `make demo-supertuxkart` for the same epochs, and drive the
same seeds. What is finished is kept in FOLDER, so that an interrupted run goes on.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.settings import Settings
from kart_pipeline.correct.road import recipe
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.orchestration.materialise import make_model, materialise_sessions

GAME = "supertuxkart"
MEASURED_MS = 46.0  # by `benchmarks.key_delay`
_NO_LIMIT_MIN = 24 * 60.0  # epochs end the training, not the clock: both networks learn equally long


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and drive what is missing, and print the table.

    Returns:
        The exit status: 0; 2 after a mistake that a person can mend; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label_delay", description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="of the two homes and their results")
    parser.add_argument("--delay", type=float, default=MEASURED_MS, metavar="MS", help=f"default {MEASURED_MS:g}")
    parser.add_argument("--epochs", type=int, default=4, help="of each training (default 4)")
    parser.add_argument("--seeds", type=int, default=4, help="that each drives (default 4: once on each track)")
    parser.add_argument("--max-steps", type=int, metavar="N", help="end each drive after N steps")
    given = parser.parse_args(arguments)
    try:
        cards = [_scored(given, delay_ms) for delay_ms in (0.0, given.delay)]
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; the same command goes on from here.\n")
        return 130
    _tell(cards, (0.0, given.delay))
    return 0


def _scored(given: argparse.Namespace, delay_ms: float) -> Scorecard:
    """The drives of one network, trained before unless it was.

    Raises:
        KartError: there are no sessions, or a stage failed.
    """
    home = given.folder.absolute() / f"{delay_ms:g} ms"
    result = home / "score.json"
    if not result.exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "contracts.toml").write_text(f"[{GAME}]\ndelay_ms = {delay_ms}\n", encoding="utf-8")
        settings = replace(Settings.from_env(), home=home, tracking_uri=f"sqlite:///{(home / 'mlflow.db').as_posix()}")
        write_json(result, _driven(settings, _model(settings, given.epochs), given))
    return Scorecard.from_dict(json.loads(result.read_text(encoding="utf-8")))


def _model(settings: Settings, epochs: int) -> str:
    known = settings.home / "model.json"
    if not known.exists():
        console = Console(stderr=True)
        materialise_sessions(settings, console=console)
        hyper = replace(recipe(_NO_LIMIT_MIN), epochs=epochs)
        write_json(known, make_model(settings, GAME, hyper, console=console)["driver_model"]["model"])
    uri: str = json.loads(known.read_text(encoding="utf-8"))
    return uri


def _driven(settings: Settings, uri: str, given: argparse.Namespace) -> object:
    """The player's own scorecard, of drives that nothing else runs beside."""
    command = [sys.executable, "-m", "player", "score", "--model-uri", uri, "--game", GAME, "--json"]
    command += [
        "--seeds",
        str(given.seeds),
        *([] if given.max_steps is None else ["--max-steps", str(given.max_steps)]),
    ]
    unseen = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment = {**unseen, "KART_HOME": str(settings.home), "MLFLOW_TRACKING_URI": settings.tracking_uri}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode:
        raise KartError(f"`{' '.join(command[1:])}` failed with status {done.returncode}; see above.")
    return json.loads(done.stdout)["scorecards"][0]


def _tell(cards: Sequence[Scorecard], delays: Sequence[float]) -> None:
    say = Console(soft_wrap=True, highlight=False, markup=False, emoji=False).print
    say(f"\n{machine()}\n\n| labels later by | finished | mean score (95 %) | off the road | each drive |")
    say("| --- | ---: | ---: | ---: | --- |")
    for delay_ms, card in zip(delays, cards, strict=True):
        low, high = card.interval or (card.mean, card.mean)
        finished = sum(drive.finish_s is not None for drive in card.drives)
        off = sum(drive.off_track or 0.0 for drive in card.drives) / len(card.drives)
        each = ", ".join(f"{drive.track} {drive.score:.0f}" for drive in card.drives)
        cells = (f"{delay_ms:g} ms", f"{finished} of {len(card.drives)}", f"{card.mean:.0f} ({low:.0f} to {high:.0f})")
        say(f"| {' | '.join(cells)} | {off:.1%} | {each} |")


if __name__ == "__main__":
    sys.exit(main())
