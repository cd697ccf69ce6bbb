"""Figures of what a trained network gets wrong, and of what it looks at: PNG bytes, see `drawing.png`."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.datasets.balance import BINS
from kart_pipeline.datasets.labels import direction_name, directions
from kart_pipeline.learning.drawing import PREDICTED, SECOND, TRUE, grid, legend, png
from kart_pipeline.learning.saliency import Images, Influence, lit
from kart_pipeline.learning.sheets import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Vectors = npt.NDArray[np.float32]

_FEWEST = 5  # rows of a bin whose mean is drawn
_MOST_HEADS = 3  # of a figure of saliency
_STRONGEST = 99.5  # percentile of the influence that is drawn brightest


def error_by_direction(true: Vectors, predicted: Vectors, spec: ActionSpec, max_bytes: int | None = None) -> bytes:
    """How wrong each head is where the road goes left, straight on and right.

    A mean error that falls from left to right crosses out turns: the network steers less than was driven.

    Args:
        true: float32 `(n, len(spec))`, the labels.
        predicted: the answers to them, buttons as probabilities.
        spec: names the columns; `labels.directions` must find a direction in it.
        max_bytes: largest size of the PNG.
    """
    way = directions(true, spec)
    if way is None:
        raise ValueError(f"{spec} does not steer.")
    figure, panels = grid(len(spec), columns=min(2, len(spec)), width=5, height=2.3)
    edges = np.linspace(-1, 1, BINS + 1)
    bins = np.clip(np.searchsorted(edges, way, "right") - 1, 0, BINS - 1)
    rows = np.bincount(bins, minlength=BINS)
    drawn = rows >= min(_FEWEST, rows.max())
    middle = (edges[:-1] + edges[1:])[drawn] / 2

    def mean(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        means: npt.NDArray[np.float64] = np.bincount(bins, values, minlength=BINS)[drawn] / rows[drawn]
        return means

    for place, (panel, name) in enumerate(zip(panels, spec.names, strict=True)):
        _shares(panel, edges, rows)
        wrong = predicted[:, place] - true[:, place]
        if name in spec.axes:
            panel.plot(middle, mean(np.abs(wrong)), ".-", color=PREDICTED, label="mean absolute error")
            panel.plot(middle, mean(wrong), ".-", color=SECOND, label="mean error")
        else:
            missed = (predicted[:, place] >= 0.5) != (true[:, place] >= 0.5)
            panel.plot(middle, mean(missed), ".-", color=PREDICTED)
        panel.axhline(0, color="0.6", linewidth=0.8)
        title = name if name in spec.axes else f"{name}: share wrong"
        panel.set(title=title, xlabel=f"driven: {direction_name(spec)} (grey: rows)", xlim=(-1, 1))
    if spec.axes:
        legend(figure, panels[0])
    return png(figure, max_bytes)


def button_confusion(true: Vectors, predicted: Vectors, spec: ActionSpec, max_bytes: int | None = None) -> bytes:
    """For each button how often it was up or down, and what the network made of that.

    Args:
        true: float32 `(n, len(spec))`, the labels.
        predicted: the answers to them, buttons as probabilities; pressed from 0.5 on.
        spec: has at least one button.
        max_bytes: largest size of the PNG.
    """
    count = len(spec.buttons)
    figure, panels = grid(count, columns=min(4, count), width=2.5, height=2.4)
    for number, (panel, name) in enumerate(zip(panels, spec.buttons, strict=True)):
        place = len(spec.axes) + number
        driven, guessed = true[:, place] >= 0.5, predicted[:, place] >= 0.5
        rows = np.array([[np.sum((driven == one) & (guessed == other)) for other in (0, 1)] for one in (0, 1)])
        share = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
        panel.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (y, x), value in np.ndenumerate(rows):
            colour = "white" if share[y, x] > 0.6 else TRUE
            panel.text(x, y, f"{share[y, x]:.1%}\n{value}", ha="center", va="center", color=colour, fontsize=8)
        panel.set(xticks=(0, 1), yticks=(0, 1), xlabel="predicted")
        panel.set_xticklabels(("up", "down"))
        panel.set_yticklabels(("up", "down"))
        panel.set_title(f"{name}: down {driven.mean():.1%}, predicted {guessed.mean():.1%}", fontsize=8)
    panels[0].set_ylabel("driven")
    return png(figure, max_bytes)


def where_it_looks(
    images: Images,
    influence: Influence,
    true: Vectors,
    predicted: Vectors,
    contract: Contract,
    max_bytes: int | None = None,
) -> bytes:
    """Inputs in a row, and below them for each head what its answer depends on; of a stack the newest frame is shown.

    Args:
        images: uint8 `(n, *contract.input_shape)`.
        influence: of them, from `saliency.influence`.
        true: float32 `(n, len(spec))`, their labels.
        predicted: the answers to them, buttons as probabilities.
        contract: says what the channels are.
        max_bytes: largest size of the PNG.
    """
    spec = contract.spec
    heads = spec.names[:_MOST_HEADS]
    shape = contract.frame_shape[0] / contract.frame_shape[1]
    figure, panels = grid((1 + len(heads)) * len(images), columns=len(images), width=1.9, height=1.75 * shape + 0.15)
    rows = [panels[start : start + len(images)] for start in range(0, len(panels), len(images))]
    for panel in panels:
        panel.set(xticks=(), yticks=())
        panel.spines[:].set_visible(False)
    shown = [visible(image[..., -contract.channels :], contract) for image in images]
    _name(rows[0][0], "input")
    for panel, frame in zip(rows[0], shown, strict=True):
        panel.imshow(frame, interpolation="nearest")
    for place, (name, row) in enumerate(zip(heads, rows[1:], strict=True)):
        strongest = max(float(np.percentile(influence[..., place], _STRONGEST)), 1e-6)
        _name(row[0], f"{name}\nbrightest:\n±{strongest:.2f}")
        for number, panel in enumerate(row):
            panel.imshow(lit(shown[number], influence[number, :, :, place] / strongest), interpolation="nearest")
            panel.set_title(f"driven {true[number, place]:+.2f}, predicted {predicted[number, place]:+.2f}", fontsize=7)
    return png(figure, max_bytes)


def _name(panel: "Axes", text: str) -> None:
    """What a row of pictures is, to its left, however low the pictures are."""
    panel.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=8)


def _shares(panel: "Axes", edges: npt.NDArray[np.float64], rows: npt.NDArray[np.intp]) -> None:
    """How many rows each bin has, as bars behind the lines."""
    behind = panel.twinx()
    behind.bar(edges[:-1], rows, np.diff(edges), align="edge", color="0.9")
    behind.set(yticks=(), ylim=(0, 3 * max(rows.max(), 1)))
    panel.set_zorder(behind.get_zorder() + 1)
    panel.patch.set_visible(False)
