"""Whether a new driver takes the champion's place: a decision on figures, with its reason in a sentence."""

from dataclasses import dataclass

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.scorecard import compare
from kart_pipeline.orchestration.report import Report


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, and why."""

    promote: bool
    reason: str


def comparable(candidate: Report, champion: Report | None) -> bool:
    """Whether both drove the same seeds under the same limit."""
    return (
        champion is not None
        and champion.drives is not None
        and champion.seeds == candidate.seeds
        and champion.max_steps == candidate.max_steps
    )


def decide(candidate: Report, champion: Report | None) -> Decision:
    """Compare a candidate with the present champion, if there is one.

    In a game, by the mean score over the same seeds; elsewhere by the error on held-out rows, which is compared as it
    is where the rows are the same, and as a share of the best constant's error where they are not.

    Raises:
        KartError: there are no figures to compare.
    """
    if champion is None:
        return Decision(True, f"Version {candidate.version} is the first champion.")
    if champion.version == candidate.version:
        return Decision(False, f"Version {candidate.version} is the champion already.")
    if candidate.drives is not None:
        return _by_score(candidate, champion)
    if candidate.held_out is None or champion.held_out is None:
        raise KartError(
            f"Versions {candidate.version} and {champion.version} were not judged on held-out sessions; materialise "
            "`training_set` and `scorecard` again."
        )
    return _by_error(candidate, champion)


def _by_score(candidate: Report, champion: Report) -> Decision:
    if candidate.drives is None or champion.drives is None or not comparable(candidate, champion):
        raise KartError(
            f"Versions {candidate.version} and {champion.version} did not drive the same seeds; materialise "
            "`scorecard` again."
        )
    ours, theirs = candidate.drives.mean, champion.drives.mean
    said = f"Version {candidate.version} scores {ours:.1f}, the champion, version {champion.version}, {theirs:.1f}"
    if len(set(candidate.seeds)) > 1:
        seeds = compare(candidate.drives, champion.drives)
        said += (
            f" on the same {seeds.seeds} seeds (difference {seeds.difference:+.1f}, 95 % interval {seeds.low:+.1f} to "
            f"{seeds.high:+.1f})"
        )
    if ours > theirs:
        return Decision(True, f"{said}.")
    return Decision(False, f"{said}: not better, so the champion stays.")


def _by_error(candidate: Report, champion: Report) -> Decision:
    ours, theirs = candidate.held_out, champion.held_out
    if ours is None or theirs is None:
        raise KartError("There is nothing to compare.")
    if ours.training_set == theirs.training_set:
        a, b = ours.euclidean, theirs.euclidean
        measure = f"on the same {ours.rows} held-out rows"
    else:
        a, b = ours.relative, theirs.relative
        measure = "as a share of the best constant's error, each on its own held-out rows"
    said = (
        f"Version {candidate.version} errs by {a:.4f}, the champion, version {champion.version}, by {b:.4f} {measure}"
    )
    if a < b:
        return Decision(True, f"{said}.")
    return Decision(False, f"{said}: not better, so the champion stays.")
