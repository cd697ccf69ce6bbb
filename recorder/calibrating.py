"""The command `calibrate`: its options."""

import argparse

from kart_pipeline.core.errors import KartError
from recorder import arguments

TIMES = 12  # presses; a minute of them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    add = parser.add_argument
    add("--game", required=True, metavar="NAME", help="what is played there, as mario_kart_64")
    arguments.add_where(parser.add_mutually_exclusive_group())
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--pad", metavar="WAY", help="what you press a button of: auto (default), sdl, inputs, keyboard")
    who.add_argument("--press", metavar="KEY", help="the program presses this key by itself, as x, space or left")
    add(
        "--times",
        type=_times,
        default=TIMES,
        metavar="N",
        help=f"presses (default {TIMES}); more make the delay surer",
    )


def run(args: argparse.Namespace) -> None:
    """Measure the delay and keep it.

    Raises:
        KartError: there is nothing to see or to press with, or what was measured cannot be believed.
    """
    from recorder.delay.command import Plan, calibrate
    from recorder.devices.choose import PadChoice

    where = arguments.where(args)
    if where is None:
        raise KartError("Say what of the screen shows the game: --window TITLE, --region x,y,w,h or --monitor N.")
    plan = Plan(args.game, where, args.press, PadChoice.parse(args.pad or "auto"), args.times)
    calibrate(plan, as_json=args.json)


def _times(text: str) -> int:
    from recorder.delay.measuring import FEWEST

    times = arguments.count(text)
    if times < FEWEST:
        raise argparse.ArgumentTypeError(f"{text} presses tell too little; {FEWEST} are the fewest")
    return times
