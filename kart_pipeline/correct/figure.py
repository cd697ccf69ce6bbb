"""The rounds as a picture: what each model scores, against the round, the frames it learned from and the minutes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kart_pipeline.correct.rounds import Round
from kart_pipeline.learning.drawing import PREDICTED, SECOND, TRUE, grid, legend, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WAYS: tuple[tuple[str, Callable[[Round], float]], ...] = (
    ("round", lambda item: item.number),
    ("labelled frames learned from", lambda item: item.frames),
    ("minutes so far, scoring included", lambda item: item.minutes),
)


def rounds_figure(game: str, rounds: Sequence[Round], max_bytes: int | None = None) -> bytes:
    """Four panels as PNG: the score against round, labelled frames and minutes, and the drift of the driver.

    Filled points became champion. The bars are 95 % intervals of the mean over tracks, bootstrapped.

    Args:
        game: for the title.
        rounds: in their order; those that were not scored have no point.
        max_bytes: largest size of the PNG.
    """
    figure, panels = grid(len(_WAYS) + 1, len(_WAYS) + 1, 3.4, 3.2)
    scored = [item for item in rounds if item.mean is not None]
    for panel, (label, of) in zip(panels, _WAYS, strict=False):
        _scores(panel, scored, of)
        panel.set_xlabel(label)
        panel.locator_params(axis="x", nbins=5)
        panel.sharey(panels[0])
    panels[0].set_ylabel("score on unseen tracks")
    legend(figure, panels[0])
    drifted = [item for item in rounds if item.drift is not None]
    drift = panels[-1]
    drift.plot([item.number for item in drifted], [item.drift or 0.0 for item in drifted], "o-", color=PREDICTED)
    knocked = "\n(knocks of its hands included)" if any(item.noise for item in drifted) else ""
    drift.set(xlabel="round", ylabel=f"|driver - expert| while corrected{knocked}")
    drift.set_ylim(0, 1.15 * max((item.drift or 0.0 for item in drifted), default=1.0))
    for panel in (panels[0], drift):
        panel.set_xticks([item.number for item in rounds])
        panel.set_xlim(-0.3, max(item.number for item in rounds) + 0.3)
    for panel in panels:
        panel.grid(alpha=0.25)
    figure.suptitle(f"{game}: correction rounds", x=0.01, ha="left", fontsize=10)
    return png(figure, max_bytes)


def _scores(panel: "Axes", rounds: Sequence[Round], of: Callable[[Round], float]) -> None:
    places = [of(item) for item in rounds]
    panel.plot(places, [item.mean or 0.0 for item in rounds], color=SECOND, lw=1)
    for became, label in ((True, "mean, became champion"), (False, "mean, did not")):
        shown = [item for item in rounds if (item.champion == item.version) == became]
        means = [item.mean or 0.0 for item in shown]
        bars = [
            [mean - (mean if item.low is None else item.low) for item, mean in zip(shown, means, strict=True)],
            [(mean if item.high is None else item.high) - mean for item, mean in zip(shown, means, strict=True)],
        ]
        panel.errorbar(
            [of(item) for item in shown],
            means,
            yerr=bars,
            fmt="o",
            color=SECOND,
            markerfacecolor=SECOND if became else "white",
            capsize=3,
            label=label,
        )
    panel.plot(places, [item.decile for item in rounds], "v:", ms=4, lw=1, color=SECOND, label="worst decile")  # type: ignore[arg-type] # those scored have one
    experts = [item.expert for item in rounds if item.expert is not None]
    if experts:
        panel.axhline(experts[-1], color=TRUE, ls="--", lw=1, label="expert")
