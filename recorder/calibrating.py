"""The command `calibrate`: its options."""

import argparse

from kart_pipeline.core.errors import KartError
from recorder import arguments

TIMES = 12  # presses; a minute of them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    add = parser.add_argument
    add("--game", required=True, metavar="NAME", help="what is played there, as mario_kart_64")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--window", metavar="TITLE", help="the inside of the window with TITLE in its title")
    where.add_argument("--region", metavar="X,Y,W,H", help="these pixels of the desktop")
    where.add_argument("--monitor", type=arguments.count, metavar="N", help="a whole monitor")
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
    from kart_pipeline.desktop.rect import Rect
    from kart_pipeline.desktop.source import Where
    from recorder.delay.command import Plan, calibrate
    from recorder.devices.choose import PadChoice

    if args.window is not None and not args.window.strip():
        raise KartError("--window needs a part of the window's title; `python -m recorder screens` shows them.")
    where = Where(args.window or "", Rect.parse(args.region) if args.region else None, args.monitor)
    plan = Plan(args.game, where, args.press, PadChoice.parse(args.pad or "auto"), args.times)
    calibrate(plan, as_json=args.json)


def _times(text: str) -> int:
    from recorder.delay.measuring import FEWEST

    times = arguments.count(text)
    if times < FEWEST:
        raise argparse.ArgumentTypeError(f"{text} presses tell too little; {FEWEST} are the fewest")
    return times
