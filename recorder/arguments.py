"""Values on the command line: what each kind must look like, and what is said of one that does not."""

import argparse
import math
from typing import TYPE_CHECKING

from kart_pipeline.core.errors import KartError

if TYPE_CHECKING:
    from kart_pipeline.desktop.source import Where


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def share(text: str) -> float:
    """From 0 to 1."""
    return number(text, 1.0, "a number from 0 to 1")


def rate(text: str) -> float:
    """In Hz."""
    value = number(text, 999.0, "a rate above 0 and below 1000")
    if not value:
        raise argparse.ArgumentTypeError("'0' is not a rate above 0 and below 1000")
    return value


def seconds(text: str) -> float:
    """Up to a day."""
    return number(text, 86_400.0, "a number of seconds from 0 to a day")


def wheel(text: str) -> float:
    """Of a steering wheel, in degrees from its middle."""
    value = number(text, 3600.0, "an angle from 1 to 3600 degrees")
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not an angle from 1 to 3600 degrees")
    return value


def even_height(text: str) -> int:
    """Of frames in pixels, 0 for as it is."""
    if not text.isdecimal() or int(text) % 2 or 0 < int(text) < 32:
        raise argparse.ArgumentTypeError(f"{text!r} is not 0, or an even number of at least 32")
    return int(text)


def names(text: str) -> list[str]:
    """Separated by commas."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names, as steer,throttle")
    return found


def number(text: str, most: float, what: str) -> float:
    """From 0 to `most`; `what` describes it."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most:  # NaN fails this too
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def add_where(group: "argparse._MutuallyExclusiveGroup") -> None:
    """Options that say what of the screen is meant; `where` reads them."""
    group.add_argument("--window", metavar="TITLE", help="the inside of the window with TITLE in its title")
    group.add_argument("--region", metavar="X,Y,W,H", help="these pixels of the desktop")
    group.add_argument("--monitor", type=count, metavar="N", help="a whole monitor")


def where(args: argparse.Namespace) -> "Where | None":
    """What of the screen is meant; None where nothing was said.

    Raises:
        KartError: it is no part of a screen.
    """
    from kart_pipeline.desktop.rect import Rect
    from kart_pipeline.desktop.source import Where

    if args.window is not None and not args.window.strip():
        raise KartError("--window needs a part of the window's title; `python -m recorder screens` shows them.")
    if args.window is None and args.region is None and args.monitor is None:
        return None
    return Where(args.window or "", Rect.parse(args.region) if args.region is not None else None, args.monitor)
