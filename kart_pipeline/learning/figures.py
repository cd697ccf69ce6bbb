"""Pictures that a person judges a training run by: PNG bytes, small enough on request to live in an event log."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.datasets.balance import Histogram
from kart_pipeline.learning.drawing import PREDICTED, SECOND, TRUE, grid, legend, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Vectors = npt.NDArray[np.float32]

_SCATTERED = 2000  # points of a scatter: more take seconds to draw and show no more


def loss_curves(history: Sequence[dict[str, float]], best_epoch: int, max_bytes: int | None = None) -> bytes:
    """Training and validation loss over the epochs, in sum and for each head.

    Args:
        history: as in `TrainingResult`.
        best_epoch: counted from 1; it is marked.
        max_bytes: largest size of the PNG.
    """
    from matplotlib.ticker import MaxNLocator

    heads = [name for name in history[0] if not name.startswith("val_")]
    figure, panels = grid(len(heads), columns=min(3, len(heads)), width=3.6, height=2.6)
    epochs = np.arange(1, len(history) + 1)
    for panel, name in zip(panels, heads, strict=True):
        panel.plot(
            epochs, [entry[name] for entry in history], ".-", color=SECOND, label="training (augmented, weighted)"
        )
        panel.plot(epochs, [entry[f"val_{name}"] for entry in history], ".-", color=PREDICTED, label="validation")
        panel.axvline(best_epoch, color="0.75", linewidth=1, zorder=0)
        panel.set_title("all heads" if name == "loss" else name.removesuffix("_loss"))
        panel.set_xlabel("epoch")
        panel.set_ylim(bottom=0)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("loss")
    legend(figure, panels[0])
    return png(figure, max_bytes)


def predicted_against_true(
    true: Vectors,
    predicted: Vectors,
    spec: ActionSpec,
    rate_hz: float,
    stretch: int = 300,
    max_bytes: int | None = None,
) -> bytes:
    """For each head a scatter (axes) or the probabilities by truth (buttons), and a stretch of the drive over time.

    Args:
        true: float32 `(n, len(spec))`, the labels in the order of driving.
        predicted: the answers to them, buttons as probabilities.
        spec: names the columns.
        rate_hz: rows per second of the time axis.
        stretch: how many rows to show over time, from the first on.
        max_bytes: largest size of the PNG.
    """
    from matplotlib.figure import Figure

    count = len(spec)
    figure = Figure(figsize=(9, 0.6 + 1.7 * count), layout="constrained")
    panels: Any = figure.subplots(count, 2, width_ratios=[1, 4], squeeze=False)
    seconds = np.arange(min(stretch, len(true))) / rate_hz
    for place, name in enumerate(spec.names):
        over_time, beside = panels[place, 1], panels[place, 0]
        truth, guess = true[:, place], predicted[:, place]
        if name in spec.axes:
            _scatter(beside, truth, guess)
        else:
            _probabilities(beside, truth, guess)
        beside.set_ylabel(f"{name}\npredicted")
        over_time.plot(
            seconds, truth[: len(seconds)], color=TRUE, linewidth=1.2, label="driven", drawstyle="steps-post"
        )
        over_time.plot(seconds, guess[: len(seconds)], color=PREDICTED, linewidth=1.2, label="predicted")
        over_time.set_ylim((-1.1, 1.1) if name in spec.axes else (-0.1, 1.1))
        over_time.margins(x=0)
    panels[-1, 1].set_xlabel("held-out drive, s")
    legend(figure, panels[0, 1])
    return png(figure, max_bytes)


def steering_histogram(steering: Histogram, name: str, max_bytes: int | None = None) -> bytes:
    """How often each direction, `name`, is learned from, before and after weighting."""
    figure, (panel,) = grid(1, columns=1, width=7, height=2.8)
    edges = np.array(steering.edges)
    panel.bar(edges[:-1], steering.before, np.diff(edges), align="edge", color="0.8", label="rows")
    panel.stairs(steering.after, edges, color=PREDICTED, linewidth=1.6, label="rows x weight")
    panel.set_xlabel(name)
    panel.set_ylabel("training rows")
    panel.set_title(f"{sum(steering.before)} rows, worth {steering.effective_rows:.0f} equal ones", fontsize=9)
    panel.margins(x=0)
    legend(figure, panel)
    return png(figure, max_bytes)


def search_history(
    values: Mapping[int, float],
    pruned: Sequence[int],
    importance: Mapping[str, float],
    objective: str,
    *,
    maximise: bool,
    max_bytes: int | None = None,
) -> bytes:
    """What the trials of a search came to, and how much that depended on what was drawn for them.

    Args:
        values: by the trial's number.
        pruned: numbers of the trials that were cut short.
        importance: share of the values' variance, by hyper-parameter; empty where too few trials tell.
        objective: what the values are.
        maximise: more is better.
        max_bytes: largest size of the PNG.
    """
    from matplotlib.ticker import MaxNLocator

    figure, panels = grid(2 if importance else 1, columns=2, width=5, height=2.8)
    history = panels[0]
    numbers = sorted(values)
    best = (np.maximum if maximise else np.minimum).accumulate([values[number] for number in numbers])
    history.plot(numbers, best, color=PREDICTED, drawstyle="steps-post", label="best so far")
    history.plot(numbers, [values[number] for number in numbers], "o", color=SECOND, markersize=4, label="trial")
    history.plot(
        pruned, [0.03] * len(pruned), "|", color="0.5", transform=history.get_xaxis_transform(), label="cut short"
    )
    history.set(xlabel="trial", ylabel=objective)
    history.xaxis.set_major_locator(MaxNLocator(integer=True))
    if importance:
        names = sorted(importance, key=lambda name: importance[name])
        panels[1].barh(names, [importance[name] * 100 for name in names], color=SECOND)
        panels[1].set(xlabel="% of the variance", title="importance")
    legend(figure, history)
    return png(figure, max_bytes)


def _scatter(panel: "Axes", truth: Vectors, guess: Vectors) -> None:
    panel.plot([-1, 1], [-1, 1], color="0.75", linewidth=1, zorder=0)
    some = slice(None, None, -(-len(truth) // _SCATTERED))
    alpha = max(0.15, min(0.6, 150 / len(truth)))
    panel.scatter(truth[some], guess[some], s=5, color=PREDICTED, alpha=alpha, linewidths=0)
    panel.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel="driven", aspect="equal")


def _probabilities(panel: "Axes", truth: Vectors, guess: Vectors) -> None:
    """Two histograms lying on their side: of the probabilities where the button was up, and where it was down."""
    bins = np.linspace(0, 1, 11)
    for pressed, colour, where in ((False, SECOND, "up"), (True, PREDICTED, "down")):
        chosen = guess[(truth >= 0.5) == pressed]
        share = np.histogram(chosen, bins)[0] / max(1, len(chosen))
        panel.stairs(share * 100, bins, orientation="horizontal", color=colour, label=f"{where} ({len(chosen)})")
    panel.set(ylim=(-0.1, 1.1), yticks=(0, 0.5, 1), xlim=(0, 105), xlabel="% of rows")
    panel.legend(fontsize=6, frameon=False, loc="center right")
