"""Pictures of drives: scores seed by seed, maps of where a driver fails, its steering beside the expert's."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.tally import Drive
from kart_pipeline.driving.trace import Trace
from kart_pipeline.learning.drawing import PREDICTED, SECOND, TRUE, grid, legend, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXPERT = "expert"  # whose drives show the road, as its scorecard names it
MAPS = 6  # of the worst drives, where each has a track of its own
PLACES = 25  # stretches of the track that errors are averaged over

_ROAD, _ASTRAY = "0.86", "#d00000"


def scores_by_seed(cards: Sequence[Scorecard], max_bytes: int | None = None) -> bytes:
    """The scores of two drivers on the same seeds, those of the first in rising order; of further ones only the mean.

    Args:
        cards: the driver in question first, then who it is measured against.
        max_bytes: largest size of the PNG.
    """
    figure, (panel,) = grid(1, columns=1, width=8, height=3.2)
    ranked = sorted(cards[0].drives, key=lambda drive: drive.score)
    at = np.arange(len(ranked))
    scores = np.array([drive.score for drive in ranked])
    if len(cards) > 1:
        known = {drive.seed: drive.score for drive in cards[1].drives}
        others = np.array([known.get(drive.seed, np.nan) for drive in ranked])
        panel.vlines(at, scores, others, color="0.75", linewidth=1.5, zorder=1)
        _dots(panel, at, others, SECOND, cards[1])
    _dots(panel, at, scores, PREDICTED, cards[0])
    several = len(ranked) <= 30
    panel.set_xticks(at if several else [])
    panel.set_xticklabels([str(drive.seed) for drive in ranked] if several else [], rotation=90, fontsize=7)
    panel.set(xlabel=f"seed ({len(ranked)} tracks, the worst drive left)", ylabel="score")
    panel.grid(axis="y", color="0.93")
    panel.spines[["top", "right"]].set_visible(False)
    means = [f"{card.driver}: {card.mean:.0f}" for card in cards[2:]]
    panel.set_title(f"mean of {', '.join(means)}" if means else "", fontsize=8, loc="left")
    legend(figure, panel)
    return png(figure, max_bytes)


def where_it_fails(
    card: Scorecard, traces: Sequence[Trace], road: Sequence[Trace], max_bytes: int | None = None
) -> bytes | None:
    """Maps of the worst drives from above, coloured by speed, red off the road; None where the game tells no places.

    A game of one track gets a single map with all drives.

    Args:
        card: the drives.
        traces: of these drives.
        road: traces of who stays on the road, such as the expert's on the same seeds; may be empty.
        max_bytes: largest size of the PNG.
    """
    known = {trace.seed: trace for trace in traces if trace.has_place}
    worst = [drive for drive in sorted(card.drives, key=lambda drive: drive.score) if drive.seed in known]
    if not worst:
        return None
    single = len(worst) > 1 and len({drive.track for drive in worst}) == 1
    shown = [worst] if single else [[drive] for drive in worst[:MAPS]]
    drawn = [known[drive.seed] for drives in shown for drive in drives if drive.seed is not None]
    fastest = max([1e-9, *(float(np.nanmax(trace.speed)) for trace in drawn if not np.isnan(trace.speed).all())])
    figure, panels = grid(len(shown), columns=1 if single else min(3, len(shown)), width=6 if single else 3, height=3)
    lines: Any = None
    for panel, drives in zip(panels, shown, strict=True):
        for trace in (item for item in road if item.has_place and item.track == drives[0].track):
            panel.plot(trace.x, trace.y, color=_ROAD, linewidth=7, solid_capstyle="round", zorder=0)
        for drive in drives:
            lines = _way(panel, known[drive.seed or 0], fastest)
        panel.set_aspect("equal", adjustable="box")
        panel.set_axis_off()
        panel.set_title(f"{len(drives)} drives" if single else _caption(drives[0]), fontsize=8)
    if lines is not None:
        bar = figure.colorbar(lines, ax=panels, shrink=0.6, pad=0.02)
        bar.set_label("speed (red: off the road, triangle: start, cross: end)", fontsize=8)
    return png(figure, max_bytes)


def error_along_track(card: Scorecard, traces: Sequence[Trace], max_bytes: int | None = None) -> bytes | None:
    """The steering of the worst and of a typical drive beside the expert's word, and the difference over all drives.

    None where no teacher looked on, or the game does not tell how far a drive is.

    Args:
        card: the drives.
        traces: of these drives, with the expert's word as label.
        max_bytes: largest size of the PNG.
    """
    known = {trace.seed: trace for trace in traces if trace.has_label}
    ranked = [drive for drive in sorted(card.drives, key=lambda drive: drive.score) if drive.seed in known]
    if not ranked:
        return None
    chosen = {"worst": ranked[0], "typical": ranked[(len(ranked) - 1) // 2]} if len(ranked) > 1 else {"": ranked[0]}
    figure, panels = grid(len(chosen) + 1, columns=1, width=9, height=1.8)
    widest = max(
        float(np.nanmax(np.abs([known[drive.seed or 0].steer, known[drive.seed or 0].label]))) for drive in ranked
    )
    for panel, (which, drive) in zip(panels, chosen.items(), strict=False):
        _steering(panel, known[drive.seed or 0], max(0.2, 1.1 * widest))
        panel.set_title(f"{which} {_caption(drive)}".strip(), fontsize=8, loc="left")
        panel.set_ylabel("steering")
    _differences(panels[-1], [known[drive.seed or 0] for drive in ranked])
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlim(0, 100)
    panels[-1].set_xlabel("share of the race done, %")
    legend(figure, panels[0])
    return png(figure, max_bytes)


def drift(traces: Sequence[Trace]) -> float | None:
    """Mean absolute difference of the steering and the expert's word over all samples; None where nobody looked on."""
    differences = np.concatenate([np.abs(trace.steer - trace.label) for trace in traces] or [np.empty(0)])
    known = differences[~np.isnan(differences)]
    return float(known.mean()) if len(known) else None


def figures(
    cards: Sequence[Scorecard], traces: Mapping[str, Sequence[Trace]], max_bytes: int | None = None
) -> dict[str, bytes]:
    """All of the above that the game allows for, as PNG by name.

    Args:
        cards: the driver in question first.
        traces: by driver.
        max_bytes: largest size of each.
    """
    ours = traces.get(cards[0].driver, ())
    shown = {
        "scores_by_seed": scores_by_seed(cards, max_bytes),
        "where_it_fails": where_it_fails(cards[0], ours, traces.get(EXPERT, ()), max_bytes),
        "error_along_track": error_along_track(cards[0], ours, max_bytes),
    }
    return {name: png for name, png in shown.items() if png is not None}


def _dots(
    panel: "Axes", at: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], colour: str, of: Scorecard
) -> None:
    panel.scatter(at, scores, s=26, color=colour, label=f"{of.driver}, mean {of.mean:.0f}", zorder=2)
    panel.axhline(of.mean, color=colour, linewidth=0.8, linestyle=":", zorder=0)


def _caption(drive: Drive) -> str:
    off = f", {drive.off_track:.1%} off the road" if drive.off_track else ""
    return f"seed {drive.seed}: {drive.score:.0f}{off}, {drive.ended}"


def _way(panel: "Axes", trace: Trace, fastest: float) -> Any:
    """One drive's way; returns what a colour bar needs, where the game tells speeds."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize

    points = np.stack([trace.x, trace.y], axis=1)
    pieces: Any = np.stack([points[:-1], points[1:]], axis=1)
    off = np.nan_to_num(trace.off_track[1:]) > 0
    panel.plot(*points[0], marker=">", color=TRUE, markersize=5, zorder=4)
    panel.plot(*points[-1], marker="x", color=TRUE, markersize=6, zorder=4)
    panel.update_datalim(points)
    told = not np.isnan(trace.speed).all()
    normal = Normalize(0, fastest)
    lines = LineCollection(pieces[~off], cmap="viridis", norm=normal, linewidths=1.8, zorder=2)
    if told:
        lines.set_array(trace.speed[1:][~off])
    else:
        lines.set_color(SECOND)
    panel.add_collection(lines)
    panel.add_collection(LineCollection(pieces[off], colors=_ASTRAY, linewidths=2.2, zorder=3))
    panel.autoscale_view()
    return lines if told else None


def _steering(panel: "Axes", trace: Trace, most: float) -> None:
    progress = 100 * trace.progress
    off = np.nan_to_num(trace.off_track) > 0
    panel.fill_between(progress, -most, most, where=off, color=_ASTRAY, alpha=0.15, linewidth=0, label="off the road")
    panel.plot(progress, trace.label, color=TRUE, linewidth=1.2, label="expert")
    panel.plot(progress, trace.steer, color=PREDICTED, linewidth=1.2, label="driven")
    panel.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    panel.set_ylim(-most, most)


def _differences(panel: "Axes", traces: Sequence[Trace]) -> None:
    """Mean over all drives of how far the steering is from the expert's word, by stretches of the track."""
    progress = np.concatenate([trace.progress for trace in traces])
    difference = np.concatenate([np.abs(trace.steer - trace.label) for trace in traces])
    whole = ~(np.isnan(progress) | np.isnan(difference))
    edges = np.linspace(0, 1, PLACES + 1)
    rows, _ = np.histogram(progress[whole], edges)
    sums, _ = np.histogram(progress[whole], edges, weights=difference[whole])
    means: npt.NDArray[np.float64] = np.divide(sums, rows, out=np.full(PLACES, np.nan), where=rows > 0)
    panel.stairs(means, 100 * edges, fill=True, color=SECOND, alpha=0.7)
    panel.set_title(f"all {len(traces)} drives: mean difference {difference[whole].mean():.3f}", fontsize=8, loc="left")
    panel.set_ylabel("difference")
    panel.set_ylim(bottom=0)
