"""Whether a new driver takes the champion's place: a decision on figures, with its reason in a sentence."""

import math
from dataclasses import dataclass

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.scorecard import Comparison, Scorecard, compare
from kart_pipeline.orchestration.report import STRAIGHT, HeldOut, Report

# With fewer, winning on every single one is more likely than 2.5 % by luck alone (1/2 to the power of seeds), and the
# bootstrap's interval, which cannot reach beyond the differences seen, is far too narrow.
LEAST_SEEDS = 6


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

    In a game the score decides: the candidate is better where the 95 % bootstrap interval of its lead, seed by seed,
    lies above 0, over at least `LEAST_SEEDS`. Elsewhere the smaller error on held-out rows does, compared as it is
    where the rows are the same, and as a share of the best constant's error where they are not. A figure that is not a
    number never wins.

    Raises:
        KartError: there are no figures to compare.
    """
    who = f"Version {candidate.version}"
    if champion is not None and champion.version == candidate.version:
        return Decision(False, f"{who} is the champion already.")
    if not _sound(candidate):
        stays = "there is no champion yet" if champion is None else "the champion stays"
        return Decision(False, f"{who} has a score or an error that is not a number, so {stays}.")
    if champion is None:
        return Decision(True, f"{who} is the first champion.{_warning(candidate)}")
    rival = f"the champion, version {champion.version},"
    if candidate.drives is not None:
        if champion.drives is None or not comparable(candidate, champion):
            raise KartError(f"{who} and {rival} did not drive the same seeds; materialise `scorecard` again.")
        return _by_score((who, rival), candidate.drives, champion.drives)
    if candidate.held_out is None or champion.held_out is None:
        raise KartError(
            f"{who} and {rival} were not judged on held-out sessions; materialise `training_set` and `scorecard`."
        )
    return _by_error((who, rival), candidate.held_out, champion.held_out)


def _sound(report: Report) -> bool:
    """Whether the figures that decide are numbers."""
    if report.drives is not None:
        return math.isfinite(report.drives.mean)
    return report.held_out is None or math.isfinite(report.held_out.euclidean)


def _warning(first: Report) -> str:
    """What is to be said of a first champion that is not better than a driver who always does the same."""
    if first.drives is None:
        lost = first.held_out is not None and first.held_out.relative >= 1
        return " It errs more than a driver who always does the same: record more, or train longer." if lost else ""
    straight = next((card for card in first.others if card.driver == STRAIGHT), None)
    if straight is None:
        return ""
    scores = f"{first.drives.mean:.1f} against {straight.mean:.1f}"
    if len(first.drives.drives) < 2:
        return "" if first.drives.mean > straight.mean else f" It does not drive better than straight ahead ({scores})."
    lead = compare(first.drives, straight)
    if lead.better:
        return ""
    return (
        f" It is not shown to drive better than straight ahead ({scores}, {_interval(lead)}): record more, or train "
        "longer."
    )


def _by_score(who: tuple[str, str], ours: Scorecard, theirs: Scorecard) -> Decision:
    said = f"{who[0]} scores {ours.mean:.1f}, {who[1]} {theirs.mean:.1f}"
    if not math.isfinite(theirs.mean):
        return Decision(True, f"{said}, which is not a number.")
    if len(ours.drives) < LEAST_SEEDS:
        seeds = "1 seed" if len(ours.drives) == 1 else f"{len(ours.drives)} seeds"
        return Decision(
            False, f"{said} on {seeds}, which shows nothing: the champion stays. Score on {LEAST_SEEDS} or more."
        )
    lead = compare(ours, theirs)
    said += f" on the same {lead.seeds} seeds ({_interval(lead)})"
    return Decision(
        lead.better, f"{said}." if lead.better else f"{said}: not shown to be better, so the champion stays."
    )


def _interval(lead: Comparison) -> str:
    return f"difference {lead.difference:+.1f}, 95 % interval {lead.low:+.1f} to {lead.high:+.1f}"


def _by_error(who: tuple[str, str], ours: HeldOut, theirs: HeldOut) -> Decision:
    if ours.training_set == theirs.training_set:
        errors = ours.euclidean, theirs.euclidean
        measure = f"on the same {ours.rows} held-out rows"
    else:
        errors = ours.relative, theirs.relative
        measure = "as a share of the best constant's error, each on its own held-out rows"
    said = f"{who[0]} errs by {errors[0]:.4f}, {who[1]} by {errors[1]:.4f} {measure}"
    better = math.isfinite(errors[0]) and not errors[0] >= errors[1]  # whatever is a number beats NaN
    return Decision(better, f"{said}." if better else f"{said}: not better, so the champion stays.")
