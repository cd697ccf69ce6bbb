"""Which rows are learned from and which are held out: whole sessions, groups of them or tracks, never single frames.

Neighbouring frames are near copies; held out one by one, they would be known from their neighbours, and a network that
learned nothing but pictures by heart would look good. `split_frames` does just that, for `benchmarks.leak` to show it.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError

Side = Literal["train", "val"]
HoldOut = Literal["group", "session", "track", "frame"]  # what is held out whole


def position(group: str) -> float:
    """A group's fixed place in [0, 1): the first 8 bytes of the SHA-256 of its name, as a fraction."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64


def split_groups(groups: Iterable[str], val_fraction: float) -> dict[str, Side]:
    """A side for each of at least two groups of sessions.

    A group is held out where its `position` is below `val_fraction`. That depends on its name alone, so further
    sessions never move earlier ones; except that, where a side would be empty, the group nearest to it changes over.

    Args:
        groups: at least two different names; order and repetition do not matter.
        val_fraction: above 0, below 1; of many groups, about this share is held out.

    Raises:
        KartError: a fraction out of range.
    """
    check_fraction(val_fraction)
    ordered = sorted(set(groups), key=position)
    held_out = sum(position(group) < val_fraction for group in ordered)
    held_out = min(max(held_out, 1), len(ordered) - 1)
    return {group: "val" if place < held_out else "train" for place, group in enumerate(ordered)}


def split_tail(
    session_index: npt.NDArray[np.integer], row: npt.NDArray[np.integer], val_fraction: float, embargo: int
) -> npt.NDArray[np.str_]:
    """Sides for the rows of a single group: the end is held out, as Keras' `validation_split` does it.

    Args:
        session_index: `(n,)`, ascending.
        row: `(n,)`, the frame within its session, ascending there.
        val_fraction: above 0, below 1; the first `floor(n * (1 - val_fraction))` rows are learned from.
        embargo: so many frames before the first held-out one belong to neither side; with `(stack - 1) * stride` of
            the contract, no stack of one side shares a frame with one of the other.

    Returns:
        `(n,)` of "train", "val" and "" (embargo).

    Raises:
        KartError: a fraction out of range, or too few rows for two sides.
    """
    check_fraction(val_fraction)
    cut = math.floor(len(row) * (1 - val_fraction))
    if 0 < cut < len(row):
        sides = np.where(np.arange(len(row)) < cut, "train", "val")
        same_session = session_index[:cut] == session_index[cut]
        sides[:cut][same_session & (row[:cut] >= row[cut] - embargo)] = ""
        if (sides == "train").any():
            return sides
    raise KartError(
        f"{len(row)} labelled rows of a single group of sessions are too few to hold out {val_fraction:.0%} of them; "
        "record more."
    )


def split_frames(count: int, val_fraction: float) -> npt.NDArray[np.str_]:
    """Sides for rows drawn at random, whatever session they are of: the split that leaks. Only to show how much.

    Args:
        count: rows, at least two.
        val_fraction: above 0, below 1; this share of the rows is held out, at least one row of each side.

    Returns:
        `(count,)` of "train" and "val", the same for the same count.

    Raises:
        KartError: a fraction out of range, or too few rows for two sides.
    """
    check_fraction(val_fraction)
    if count < 2:
        raise KartError("A single labelled row cannot be split into two sides; record more.")
    held_out = min(max(round(count * val_fraction), 1), count - 1)
    return np.where(np.random.default_rng(0).permutation(count) < held_out, "val", "train")


def describe(sides: Mapping[str, Side], hold_out: HoldOut) -> str:
    """A split by `split_groups` in words; `hold_out` says what it was given the names of."""
    held_out = sum(side == "val" for side in sides.values())
    return f"by {'session' if hold_out == 'group' else hold_out}: {held_out} of {len(sides)} {hold_out}s are held out"


def describe_tail(val_fraction: float, embargo: int) -> str:
    """A split by `split_tail` in words."""
    between = f", {embargo} frames before them are used for neither" if embargo else ""
    return (
        f"by time, within one group of sessions: its last {val_fraction:.0%} of rows are held out{between}; "
        "record another track or seed for an honest split"
    )


def describe_frames(val_fraction: float) -> str:
    """A split by `split_frames` in words."""
    return f"by frame: {val_fraction:.0%} of the rows, drawn at random; their neighbours are learned from, so it leaks"


def check_hold_out(hold_out: str) -> None:
    """Raise KartError where nothing of that name can be held out."""
    if hold_out not in get_args(HoldOut):
        raise KartError(f"What is held out is one of {', '.join(get_args(HoldOut))}, not {hold_out!r}.")


def check_fraction(val_fraction: float) -> None:
    """Raise KartError for a share that leaves one side empty."""
    if not 0 < val_fraction < 1:  # NaN fails this too
        raise KartError(f"The share of held-out rows must be above 0 and below 1, not {val_fraction}.")
