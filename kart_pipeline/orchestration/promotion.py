"""Whether a new driver takes the champion's place: a decision on figures, with its reason in a sentence."""

from dataclasses import dataclass

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.scorecard import Scorecard, compare
from kart_pipeline.orchestration.report import HeldOut, Report


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
        warning = ""
        if candidate.drives is None and candidate.held_out is not None and candidate.held_out.relative >= 1:
            warning = " It errs more than a driver who always does the same: record more, or train longer."
        return Decision(True, f"Version {candidate.version} is the first champion.{warning}")
    if champion.version == candidate.version:
        return Decision(False, f"Version {candidate.version} is the champion already.")
    who = f"Version {candidate.version}", f"the champion, version {champion.version},"
    if candidate.drives is not None:
        if champion.drives is None or not comparable(candidate, champion):
            raise KartError(f"{who[0]} and {who[1]} did not drive the same seeds; materialise `scorecard` again.")
        return _by_score(who, candidate.drives, champion.drives)
    if candidate.held_out is None or champion.held_out is None:
        raise KartError(
            f"{who[0]} and {who[1]} were not judged on held-out sessions; materialise `training_set` and `scorecard`."
        )
    return _by_error(who, candidate.held_out, champion.held_out)


def _by_score(who: tuple[str, str], ours: Scorecard, theirs: Scorecard) -> Decision:
    said = f"{who[0]} scores {ours.mean:.1f}, {who[1]} {theirs.mean:.1f}"
    if len(ours.drives) > 1:
        lead = compare(ours, theirs)
        said += (
            f" on the same {lead.seeds} seeds (difference {lead.difference:+.1f}, 95 % interval {lead.low:+.1f} to "
            f"{lead.high:+.1f})"
        )
    return _decision(ours.mean > theirs.mean, said)


def _by_error(who: tuple[str, str], ours: HeldOut, theirs: HeldOut) -> Decision:
    if ours.training_set == theirs.training_set:
        errors = ours.euclidean, theirs.euclidean
        measure = f"on the same {ours.rows} held-out rows"
    else:
        errors = ours.relative, theirs.relative
        measure = "as a share of the best constant's error, each on its own held-out rows"
    return _decision(errors[0] < errors[1], f"{who[0]} errs by {errors[0]:.4f}, {who[1]} by {errors[1]:.4f} {measure}")


def _decision(better: bool, said: str) -> Decision:
    return Decision(better, f"{said}." if better else f"{said}: not better, so the champion stays.")
