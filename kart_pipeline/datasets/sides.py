"""The side of each row of a training set, by what is to be held out whole."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.gather import Gathered
from kart_pipeline.datasets.split import (
    HoldOut,
    check_hold_out,
    describe,
    describe_frames,
    describe_tail,
    split_frames,
    split_groups,
    split_tail,
)


def choose_sides(
    gathered: Sequence[Gathered], hold_out: HoldOut, val_fraction: float, embargo: int
) -> tuple[npt.NDArray[np.str_], str]:
    """A side for each row of all sessions, one session after the other.

    Args:
        gathered: the sessions.
        hold_out: "group" (what was seen in one session of it helps to drive the others), "session", "track", or
            "frame", which leaks. Where all sessions are of a single group, the end of the last is held out.
        val_fraction: above 0, below 1.
        embargo: frames before a held-out end that belong to neither side, see `split_tail`.

    Returns:
        `(rows,)` of "train", "val" and "" (embargo), and the split in words.

    Raises:
        KartError: no such way to hold out, a fraction out of range, or too little for two sides.
    """
    check_hold_out(hold_out)
    counts = [len(item.row) for item in gathered]
    if hold_out == "frame":
        return split_frames(sum(counts), val_fraction), describe_frames(val_fraction)
    names = [
        {"group": item.info.group, "session": item.info.session, "track": item.track}[hold_out] for item in gathered
    ]
    if len(set(names)) > 1:
        sides = split_groups(names, val_fraction)
        return np.repeat([sides[name] for name in names], counts), describe(sides, hold_out)
    if hold_out != "group":
        raise KartError(
            f"All labelled rows are of one {hold_out}, {names[0]}, so no other can be held out; record another, "
            "or hold out by group."
        )
    session_index = np.repeat(np.arange(len(gathered)), counts)
    row = np.concatenate([item.row for item in gathered])
    return split_tail(session_index, row, val_fraction, embargo), describe_tail(val_fraction, embargo)
