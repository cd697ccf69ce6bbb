"""What all figures are drawn with: colours, panels without global state, and PNG bytes of a bounded size."""

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from kart_pipeline.core.errors import KartError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EMBEDDABLE = 48_000  # bytes: base64 adds a third, and each picture stays in Dagster's event log for ever

TRUE, PREDICTED, SECOND = "#1f2933", "#d1495b", "#2e86ab"
SHARES = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2)  # of the full size, tried in turn for a limit


def grid(count: int, columns: int, width: float, height: float) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels, each `width` x `height` inches, without pyplot: no global state, any thread."""
    from matplotlib.figure import Figure

    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.4), layout="constrained")
    panels = np.ravel(np.asarray(figure.subplots(rows, columns, squeeze=False)))
    for panel in panels[count:]:
        panel.set_axis_off()
    return figure, list(panels[:count])


def legend(figure: "Figure", panel: "Axes") -> None:
    """The lines of one panel, named above the whole figure."""
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), fontsize=8, frameon=False)


def png(figure: "Figure", max_bytes: int | None) -> bytes:
    """The figure rendered at ever lower resolution until it fits."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")  # settled: laying out again takes longer than rendering

    def rendered(share: float) -> Image.Image:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        figure.set_dpi(120 * share)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        return Image.fromarray(drawn).convert("RGB")

    return fitted((rendered(share) for share in SHARES), max_bytes)


def shrunk(picture: bytes, max_bytes: int) -> bytes:
    """A PNG reduced until it fits: a figure that is wanted in two sizes is drawn once, for drawing takes a second."""
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    sizes = (scaled(whole.size, share) for share in SHARES)
    return fitted((whole.resize(size, Image.Resampling.LANCZOS) for size in sizes), max_bytes)


def fitted(pictures: Iterable[Image.Image], max_bytes: int | None) -> bytes:
    """The first of ever smaller pictures whose PNG, if need be in 64 colours, is at most `max_bytes`."""
    for picture in pictures:
        for form in _forms(picture):
            buffer = io.BytesIO()
            form.save(buffer, "PNG")
            if max_bytes is None or buffer.tell() <= max_bytes:
                return buffer.getvalue()
    raise KartError(f"No legible size of a figure fits into {max_bytes} bytes; show fewer heads or frames in it.")


def _forms(picture: Image.Image) -> Iterator[Image.Image]:
    """The second is made only where the first is too large."""
    yield picture
    yield picture.quantize(64, dither=Image.Dither.NONE)


def scaled(size: tuple[int, int], share: float) -> tuple[int, int]:
    """`share` of a size in whole pixels."""
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))
