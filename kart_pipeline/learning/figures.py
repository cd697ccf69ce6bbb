"""Pictures that a person judges a training run by: PNG bytes, small enough on request to live in an event log."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.datasets.balance import Histogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Vectors = npt.NDArray[np.float32]

EMBEDDABLE = 48_000  # bytes: base64 adds a third, and each picture stays in Dagster's event log for ever

TRUE, PREDICTED, SECOND = "#1f2933", "#d1495b", "#2e86ab"
_SCATTERED = 2000  # points of a scatter: more take seconds to draw and show no more
_SHARES = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2)  # of the full size, tried in turn for a limit


def loss_curves(history: Sequence[dict[str, float]], best_epoch: int, max_bytes: int | None = None) -> bytes:
    """Training and validation loss over the epochs, in sum and for each head.

    Args:
        history: as in `TrainingResult`.
        best_epoch: counted from 1; it is marked.
        max_bytes: largest size of the PNG.
    """
    from matplotlib.ticker import MaxNLocator

    heads = [name for name in history[0] if not name.startswith("val_")]
    figure, panels = _panels(len(heads), columns=min(3, len(heads)), width=3.6, height=2.6)
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
    _legend(figure, panels[0])
    return _png(figure, max_bytes)


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
    _legend(figure, panels[0, 1])
    return _png(figure, max_bytes)


def steering_histogram(steering: Histogram, name: str, max_bytes: int | None = None) -> bytes:
    """How often each direction, `name`, is learned from, before and after weighting."""
    figure, (panel,) = _panels(1, columns=1, width=7, height=2.8)
    edges = np.array(steering.edges)
    panel.bar(edges[:-1], steering.before, np.diff(edges), align="edge", color="0.8", label="rows")
    panel.stairs(steering.after, edges, color=PREDICTED, linewidth=1.6, label="rows x weight")
    panel.set_xlabel(name)
    panel.set_ylabel("training rows")
    panel.set_title(f"{sum(steering.before)} rows, worth {steering.effective_rows:.0f} equal ones", fontsize=9)
    panel.margins(x=0)
    _legend(figure, panel)
    return _png(figure, max_bytes)


def contact_sheet(
    frames: npt.NDArray[np.uint8],
    contract: Contract,
    labels: Vectors | None = None,
    columns: int = 4,
    max_bytes: int | None = None,
) -> bytes:
    """`sheet` as PNG of at most `max_bytes`, reduced in size if need be."""
    whole = sheet(frames, contract, labels, columns)
    return _fitted((whole.resize(_scaled(whole.size, share), Image.Resampling.BOX) for share in _SHARES), max_bytes)


def sheet(
    frames: npt.NDArray[np.uint8], contract: Contract, labels: Vectors | None = None, columns: int = 4
) -> Image.Image:
    """Inputs as the network sees them, in the order given; a stack's frames side by side, the oldest left.

    Args:
        frames: uint8 `(n, *contract.input_shape)`.
        contract: says what the channels are.
        labels: float32 `(n, len(spec))`: axes as bars from the middle below each input, pressed buttons by name.
        columns: inputs in a row.
    """
    if not len(frames):
        raise KartError("A contact sheet needs at least one frame.")
    tiles = [_tile(frame, contract, None if labels is None else labels[i]) for i, frame in enumerate(frames)]
    width, height = tiles[0].size
    gap = 4
    columns = min(columns, len(tiles))
    whole = Image.new("RGB", (columns * (width + gap) - gap, -(-len(tiles) // columns) * (height + gap) - gap), "white")
    for i, tile in enumerate(tiles):
        whole.paste(tile, (i % columns * (width + gap), i // columns * (height + gap)))
    return whole


def visible(frame: npt.NDArray[np.uint8], contract: Contract) -> RGB:
    """One prepared frame `contract.frame_shape` in RGB `(H, W, 3)`, for eyes: YUV loses its last bits on the way."""
    mode = {"rgb": "RGB", "yuv": "YCbCr", "grey": "L"}[contract.colour]
    pixels = frame[..., 0] if contract.colour == "grey" else frame
    height, width = pixels.shape[:2]
    picture = Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())
    return np.asarray(picture.convert("RGB"))


def _tile(frame: npt.NDArray[np.uint8], contract: Contract, label: Vectors | None) -> Image.Image:
    """One input, enlarged to be seen if it is small, with its label below."""
    parts = np.split(frame, contract.stack, axis=-1)
    picture = Image.fromarray(np.concatenate([visible(part, contract) for part in parts], axis=1))
    if picture.width < 160:
        picture = picture.resize(_scaled(picture.size, 2), Image.Resampling.NEAREST)
    if label is None:
        return picture
    spec = contract.spec
    bar = 7
    tile = Image.new("RGB", (picture.width, picture.height + bar * len(spec.axes) + 12 * bool(spec.buttons)), "white")
    tile.paste(picture)
    draw = ImageDraw.Draw(tile)
    middle = (picture.width - 1) / 2
    for place, value in enumerate(label[: len(spec.axes)]):
        top = picture.height + bar * place
        left, right = sorted((middle, middle + float(value) * middle))
        draw.rectangle((left, top + 1, right, top + bar - 2), fill=(PREDICTED, SECOND)[place % 2])
        draw.line((middle, top, middle, top + bar - 1), fill=TRUE)
    pressed = [name for name, value in zip(spec.buttons, label[len(spec.axes) :], strict=True) if value >= 0.5]
    draw.text((2, tile.height - 12), " ".join(pressed), fill=TRUE)
    return tile


def _panels(count: int, columns: int, width: float, height: float) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels, each `width` x `height` inches, without pyplot: no global state, any thread."""
    from matplotlib.figure import Figure

    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.4), layout="constrained")
    grid = np.ravel(np.asarray(figure.subplots(rows, columns, squeeze=False)))
    for panel in grid[count:]:
        panel.set_axis_off()
    return figure, list(grid[:count])


def _legend(figure: "Figure", panel: "Axes") -> None:
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), fontsize=8, frameon=False)


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


def _png(figure: "Figure", max_bytes: int | None) -> bytes:
    """The figure rendered at ever lower resolution until it fits."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # settled: laying out again takes longer than rendering

    def rendered(share: float) -> Image.Image:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=120 * share)
        return Image.open(buffer).convert("RGB")

    return _fitted((rendered(share) for share in _SHARES), max_bytes)


def _fitted(pictures: Any, max_bytes: int | None) -> bytes:
    """The first of ever smaller pictures whose PNG, if need be in 64 colours, is at most `max_bytes`."""
    for picture in pictures:
        for form in (picture, picture.quantize(64, dither=Image.Dither.NONE)):
            buffer = io.BytesIO()
            form.save(buffer, "PNG", optimize=True)
            if max_bytes is None or buffer.tell() <= max_bytes:
                return buffer.getvalue()
    raise KartError(f"No legible size of a figure fits into {max_bytes} bytes; show fewer heads or frames in it.")


def _scaled(size: tuple[int, int], share: float) -> tuple[int, int]:
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))
