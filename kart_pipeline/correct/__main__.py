"""`make correct`, or `python -m kart_pipeline.correct --game car_racing --rounds 3`: rounds of corrections, unattended.

    first model ──▶ ┌ the champion drives new tracks, the expert says what would have been right ──▶ sessions ┐
                    └ champion, if better ◀── scorecard ◀── training on all sessions ◀── frames of the new ones ┘

The first model is trained on drives of the game's expert, which are recorded where there are none; a champion that is
there already is taken as it is. An interrupted run goes on where it stopped, with the same command.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.correct.campaign import Campaign, Wishes
from kart_pipeline.correct.road import recipe
from kart_pipeline.games.bizhawk.game import NAME as BIZHAWK
from kart_pipeline.games.registry import GAMES, openable
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.networks import NETWORKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds.

    Returns:
        The exit status: 0; 2 after a mistake that a person can mend; 130 after Ctrl-C.
    """
    given = _parser().parse_args(arguments)
    console = Console()
    try:
        Campaign(console, Settings.from_env(), _wishes(given)).run()
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        console.print("\nInterrupted. Nothing is half-written; the same command goes on from here.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kart_pipeline.correct",
        description="Correct a game's champion round by round: it drives, the expert says what would have been right, "
        "a new model learns from that, and the score decides. Everything is kept in KART_HOME (default .kart).",
    )
    add = parser.add_argument
    add("--game", default="car_racing", choices=openable(), help="default car_racing")
    add(
        "--rounds",
        type=int,
        default=3,
        metavar="N",
        help="correction rounds beyond those that are finished, or all of those that a run which broke off is to come "
        "to; default 3",
    )
    add("--episodes", type=int, default=12, metavar="N", help="drives of the expert to begin with; default 12")
    add(
        "--recovery",
        type=int,
        default=0,
        metavar="N",
        help="have N further drives of the expert, of 3 s each, that begin beside the line; default 0",
    )
    add("--drives", type=int, default=6, metavar="N", help="corrected drives a round; default 6")
    add("--minutes", type=float, default=5.0, metavar="M", help="of each training; default 5")
    add("--seeds", type=int, default=20, metavar="N", help="tracks that each model is scored on; default 20")
    about = "processes for recording and scoring a simulated game; default 2"
    add("--workers", type=int, default=2, metavar="N", help=about)
    add("--max-steps", type=int, metavar="N", help="end each drive after N steps")
    add("--warm-start", action="store_true", help="trainings of the rounds begin with the champion's weights")
    add("--newest", action="store_true", help="correct the newest model, whether it became champion or not")
    add(
        "--noise", type=float, default=0.0, metavar="SCALE", help="knock the corrected model's hands, 0 to 1; default 0"
    )
    add(
        "--correction-weight",
        type=float,
        metavar="W",
        help="how many times as much as others a row counts in which a model was corrected",
    )
    add(
        "--seconds-off-track",
        type=float,
        default=2.0,
        metavar="S",
        help="a corrected drive ends after so long off the road; default 2",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another hyper-parameter of the training (as network=residual) or setting of the training set (as "
        "balance=both); can be repeated",
    )
    return parser


def _wishes(given: argparse.Namespace) -> Wishes:
    """What the command line asks for.

    Raises:
        KartError: a number out of range, a name that is no setting, or a value that does not suit one.
    """
    for name, least in (
        ("rounds", 0),
        ("episodes", 2),
        ("recovery", 0),
        ("drives", 1),
        ("seeds", 1),
        ("workers", 1),
        ("max_steps", 1),
    ):
        value = getattr(given, name)
        if value is not None and value < least:
            raise KartError(f"--{name.replace('_', '-')} must be at least {least}, not {value}.")
    if not 0 <= given.noise <= 1:  # NaN fails this too
        raise KartError(f"--noise is a number from 0 to 1, not {given.noise}.")
    if not given.seconds_off_track > 0:
        raise KartError(f"--seconds-off-track must be above 0, not {given.seconds_off_track}.")
    named, training_set = _settings(given.set)
    if given.correction_weight is not None:
        training_set["correction_weight"] = given.correction_weight
    hyper = HyperParameters.from_dict({**recipe(given.minutes).to_dict(), **named})
    _check(hyper, training_set)
    return Wishes(
        game=_game(given.game),
        rounds=given.rounds,
        episodes=given.episodes,
        recovery=given.recovery,
        drives=given.drives,
        seeds=given.seeds,
        workers=given.workers,
        hyper=hyper,
        training_set=training_set,
        warm_start=given.warm_start,
        newest=given.newest,
        noise=given.noise,
        off_track_s=given.seconds_off_track,
        max_steps=given.max_steps,
    )


def _game(name: str) -> str:
    """The game whose sessions, model and rounds these are; nobody sits beside them to start an emulator.

    Raises:
        KartError: it is not said what is to be launched.
    """
    if name != BIZHAWK:
        return name
    launched = [game for game in openable() if game not in GAMES]
    if len(launched) != 1:
        raise KartError(
            "Rounds start BizHawk by themselves: say with `launch` in bizhawk.toml of KART_HOME how (docs/bizhawk.md), "
            f"and name that game. {'There is none yet.' if not launched else f'There are {launched}.'}"
        )
    return launched[0]


def _settings(texts: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The hyper-parameters and the settings of the training set among `NAME=VALUE`."""
    hyper: dict[str, Any] = {}
    training_set: dict[str, Any] = {}
    known = [item.name for item in fields(HyperParameters)]
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise KartError(f"--set takes NAME=VALUE, as network=pilotnet; not {text!r}.")
        if name in known:
            hyper[name] = _value(value)
            continue
        from kart_pipeline.orchestration.assets.training_set import TrainingSetConfig

        others = list(TrainingSetConfig.model_fields)
        if name not in others:
            raise KartError(f"--set knows no {name!r}; it knows: {', '.join(sorted([*known, *others]))}.")
        training_set[name] = _value(value)
    return hyper, training_set


def _check(hyper: HyperParameters, training_set: Mapping[str, Any]) -> None:
    """Raise KartError for what the first training would refuse, after minutes of recording."""
    if hyper.network not in NETWORKS:
        raise KartError(f"There is no network {hyper.network!r}; choose one of {', '.join(sorted(NETWORKS))}.")
    if not training_set:
        return
    from pydantic import ValidationError

    from kart_pipeline.orchestration.assets.training_set import TrainingSetConfig, check

    try:
        check(TrainingSetConfig(**training_set))
    except ValidationError as error:
        first = error.errors()[0]
        raise KartError(f"{first['loc'][0]} is not {first['input']!r}: {first['msg'].lower()}.") from error


def _value(text: str) -> Any:
    """A number, true, false or null as JSON writes them; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main())
