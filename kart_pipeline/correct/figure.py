"""The rounds as a picture: what each model scores, against the round, the frames it learned from and the minutes."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kart_pipeline.correct.rounds import Round

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CHAMPION, _OTHER, _EXPERT, _DRIFT = "#1b6ca8", "#9db8cc", "#555555", "#b5541c"


def rounds_figure(game: str, rounds: Sequence[Round], dpi: int = 110) -> bytes:
    """Four panels as PNG: the score against round, labelled frames and minutes, and the drift of the driver.

    Filled points took the champion's place. The bars are 95 % intervals of the mean over tracks.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(13, 3.6), layout="constrained")
    panels: Any = figure.subplots(1, 4)
    ways: tuple[tuple[str, Callable[[Round], float]], ...] = (
        ("round", lambda item: item.number),
        ("labelled frames", lambda item: item.frames),
        ("minutes so far, scoring included", lambda item: item.minutes),
    )
    for panel, (label, of) in zip(panels, ways, strict=False):
        _scores(panel, rounds, of)
        panel.set_xlabel(label)
        panel.sharey(panels[0])
    panels[0].set_ylabel("score on unseen tracks")
    panels[0].legend(loc="lower right", fontsize="small", frameon=False)
    _drift(panels[3], rounds)
    for panel in (panels[0], panels[3]):
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    for panel in panels:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{game}: correction rounds")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def _scores(panel: "Axes", rounds: Sequence[Round], of: Callable[[Round], float]) -> None:
    known = [item for item in rounds if item.mean is not None]
    panel.plot([of(item) for item in known], [item.mean for item in known], color=_OTHER, lw=1, zorder=1)  # type: ignore[arg-type] # known
    for item in known:
        mean = item.mean or 0.0
        low, high = (item.low, item.high) if item.low is not None and item.high is not None else (mean, mean)
        became = item.champion == item.version
        panel.errorbar(
            of(item),
            mean,
            yerr=[[mean - low], [high - mean]],
            fmt="o",
            color=_CHAMPION,
            mfc=_CHAMPION if became else "white",
            capsize=3,
        )
    panel.plot(
        [of(item) for item in known if item.decile is not None],
        [item.decile for item in known if item.decile is not None],
        ls=":",
        color=_CHAMPION,
        label="worst decile",
    )
    experts = [item.expert for item in known if item.expert is not None]
    if experts:
        panel.axhline(experts[-1], color=_EXPERT, ls="--", lw=1, label="expert")


def _drift(panel: "Axes", rounds: Sequence[Round]) -> None:
    known = [item for item in rounds if item.drift is not None]
    panel.plot([item.number for item in known], [item.drift for item in known], "o-", color=_DRIFT)  # type: ignore[arg-type] # known
    panel.set_xlabel("round")
    panel.set_ylabel("|driver - expert| while corrected")
    panel.set_ylim(bottom=0)
