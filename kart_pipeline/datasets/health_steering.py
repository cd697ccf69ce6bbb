"""Is the steering of this session fit to learn from? Verdicts on its smoothness and on where it goes."""

import numpy as np
import pyarrow as pa

from kart_pipeline.core.manifest import Manifest
from kart_pipeline.datasets.labels import labelled, steering, vectors
from kart_pipeline.datasets.verdict import Verdict, sound, warning

JUMP = 0.5  # a quarter of the stick's way in one step
MOST_JUMPS = 0.1  # TensorKart's "drives straight" had 0.36: taps shorter than a step, so half of each turn is missed

STRAIGHT = 0.05
MOST_STRAIGHT = 0.7  # beyond it "always straight" is right so often that a network hardly learns to turn

LOPSIDED = 2.0  # times as much to one side; a network that is unsure then turns to that side
FEWEST_TURNS = 0.1  # of the labels; with fewer, a bend more or less decides


def aliasing(manifest: Manifest, table: pa.Table) -> Verdict:
    """Steering is smooth at this rate: few jumps from one step to the next."""
    axis = steering(manifest.spec)
    if axis is None:
        return sound("aliasing", "There is no axis.", {})
    steer = vectors(table, [axis])[:, 0]
    jumps = np.abs(np.diff(steer))[np.diff(table.column("step").to_numpy()) == 1]
    share = float((jumps > JUMP).mean()) if len(jumps) else 0.0
    figures = {"share": share, "mean_change": float(jumps.mean()) if len(jumps) else 0.0}
    said = f"{axis} jumps by more than {JUMP} in {share:.0%} of the steps"
    if share > MOST_JUMPS:
        return warning(
            "aliasing",
            f"{said}: taps are shorter than a step and many turns look straight; steer smoothly or record faster "
            f"than {manifest.rate_hz:g} Hz.",
            figures,
        )
    return sound("aliasing", f"{said}.", figures)


def straight(manifest: Manifest, table: pa.Table) -> Verdict:
    """The steering of the labels is not nearly always zero."""
    shares = _shares(manifest, table)
    if not shares:
        return sound("straight", "There is no labelled axis.", {})
    said = (
        f"{shares['straight']:.0%} of the labels are straight, {shares['left']:.0%} left, {shares['right']:.0%} right"
    )
    if shares["straight"] > MOST_STRAIGHT:
        return warning("straight", f"{said}: record more turns, or slower ones; balancing can mend little.", shares)
    return sound("straight", f"{said}.", shares)


def sides(manifest: Manifest, table: pa.Table) -> Verdict:
    """The labels steer to both sides, or training can mirror them."""
    shares = _shares(manifest, table)
    if not shares:
        return sound("sides", "There is no labelled axis.", {})
    less, more = sorted(("left", "right"), key=lambda side: shares[side])
    said = f"{shares['left']:.0%} of the labels steer left, {shares['right']:.0%} right"
    if shares[more] < max(FEWEST_TURNS, LOPSIDED * shares[less]):
        return sound("sides", f"{said}.", shares)
    mirrored = steering(manifest.spec) in manifest.spec.mirrored_axes
    if mirrored:
        return sound("sides", f"{said}: training shows every second row mirrored, which makes up for it.", shares)
    return warning("sides", f"{said}: drive the track the other way too, or name the axis as one to mirror.", shares)


def _shares(manifest: Manifest, table: pa.Table) -> dict[str, float]:
    """How many of the labels steer straight, left and right; empty without an axis or labels."""
    axis = steering(manifest.spec)
    steer = vectors(table, [f"label_{axis}"]) if axis else np.empty((0, 1), np.float32)
    steer = steer[labelled(steer), 0]
    if not len(steer):
        return {}
    return {
        "straight": float((np.abs(steer) < STRAIGHT).mean()),
        "left": float((steer <= -STRAIGHT).mean()),
        "right": float((steer >= STRAIGHT).mean()),
    }
