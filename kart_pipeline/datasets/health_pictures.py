"""Do the pictures of this session show the game and nothing else? Verdicts on them as they were recorded."""

from collections.abc import Sequence

import numpy as np

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.labels import Bools
from kart_pipeline.datasets.verdict import Verdict, sound, warning

SAMPLES = 24  # spread over the session: more than that many pictures of a race have no row in common by chance
STILL = 8  # of 255: rows that change less, at their most changing pixel of a hundred, are a frame around the game
FEWEST_ROWS = 2  # a single one is what scaling does to an edge
LEAST_MOVING = 0.25  # of the rows must move for the others to mean anything: else the game stands


def check_pictures(session: Session, contract: Contract) -> list[Verdict]:
    """All verdicts on pictures as they were recorded; `SAMPLES` of them are decoded, where the store is a local one."""
    if session.manifest.source.get("kind") == "simulated":
        return [sound("border", "The game itself gave the pictures.", {})]
    if session.local_path is None:
        return [sound("border", "Pictures are looked at in a local store only.", {})]
    frames = session.map()
    try:
        return [border(frames, contract)]
    except KartError as error:  # a damaged picture; whether they are many, the frames' checks tell
        return [warning("border", f"The pictures cannot be looked at: {error}", {})]
    finally:
        frames.close()


def border(frames: Sequence[RGB], contract: Contract) -> Verdict:
    """No title bar or black border gets through the crop.

    Args:
        frames: all of the session's pictures as recorded, uint8 `(H, W, 3)`, by row.
        contract: says which part of them is used.
    """
    if len(frames) < SAMPLES:
        return sound("border", "Too few pictures to tell what never changes.", {})
    places = np.linspace(0, len(frames) - 1, SAMPLES).round().astype(int)
    low = high = np.asarray(frames[int(places[0])])
    for place in places[1:]:
        picture = frames[int(place)]
        low, high = np.minimum(low, picture), np.maximum(high, picture)
    change = (high - low).max(axis=2)  # of each pixel; a title's cursor or clock may still blink
    for mask in contract.masks:  # the network does not see it
        x0, y0, x1, y1 = mask.pixels(change.shape[1], change.shape[0])
        change[y0:y1, x0:x1] = 255
    still = [np.percentile(change, 99, axis=axis) < STILL for axis in (1, 0)]
    height, width = change.shape
    if still[0].mean() > 1 - LEAST_MOVING:
        return sound("border", "Most of the picture never changes, so that nothing can be said of its border.", {})
    edges = {
        "top": _length(still[0]),
        "bottom": _length(still[0][::-1]),
        "left": _length(still[1]),
        "right": _length(still[1][::-1]),
    }
    left, top, right, bottom = contract.crop.pixels(width, height)
    within = {
        "top": edges["top"] - top,
        "bottom": edges["bottom"] - (height - bottom),
        "left": edges["left"] - left,
        "right": edges["right"] - (width - right),
    }
    seen = [f"{within[side]} px at the {side}" for side in edges if within[side] >= FEWEST_ROWS]
    if seen:
        return warning(
            "border",
            f"The crop shows {', '.join(seen)} that never change: a title bar or a frame around the game; set `crop` "
            "in contracts.toml, or record the inside of the window (`capture --window`).",
            edges,
        )
    around = [f"{size} px at the {side}" for side, size in edges.items() if size >= FEWEST_ROWS]
    if around:
        return sound("border", f"{', '.join(around)} never change, and the crop leaves them out.", edges)
    return sound("border", "The game fills the picture.", edges)


def _length(still: Bools) -> int:
    """How many of `still` bool `(N,)` are true from its beginning on."""
    return len(still) if still.all() else int(np.argmin(still))
