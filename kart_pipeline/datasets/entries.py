"""What a training set says of each session that is in it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from kart_pipeline.datasets.gather import Gathered

SessionSide = Literal["train", "val", "both", "none"]


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session in a training set.

    Attributes:
        id, digest, group: from its manifest.
        track: from there too; its group where that names none.
        split: its side; "both" where a part of it is held out.
        rows: how many are in.
        corrections: in how many of them a teacher corrected a policy.
    """

    id: str
    digest: str
    group: str
    track: str
    split: SessionSide
    rows: int
    corrections: int


def session_entry(item: Gathered, sides: npt.NDArray[np.str_]) -> SessionEntry:
    """The entry of a session whose rows are on `sides` `(rows,)`; "" is neither side."""
    has: dict[tuple[bool, bool], SessionSide]
    has = {(True, False): "train", (False, True): "val", (True, True): "both", (False, False): "none"}
    inside = sides != ""
    return SessionEntry(
        id=item.info.session,
        digest=item.info.digest,
        group=item.info.group,
        track=item.track,
        split=has["train" in sides, "val" in sides],
        rows=int(inside.sum()),
        corrections=int(item.correction[inside].sum()),
    )
