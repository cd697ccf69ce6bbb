"""Values on the command line: what each kind must look like, and what is said of one that does not."""

import argparse
import math


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
