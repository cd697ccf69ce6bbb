"""Draws what the driver does below the picture of the game: wheel and pedals, score, progress, time, playback speed.

The layout is given in units of 1/600 of the picture's width, so that it looks alike at every size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from PIL.ImageFont import load_default

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import RGB
from kart_pipeline.driving.instruments import (
    BACKGROUND,
    BACKWARD,
    FAINT,
    FORWARD,
    GROOVE,
    LIT,
    STEER,
    TEXT,
    Colour,
    History,
    strip_chart,
)

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

LEAST_WIDTH, MOST_WIDTH = 480, 1280  # pixels of the finished picture
_CHART_S = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the overlay shows at one moment.

    Attributes:
        driver: who drives, for the title.
        track: course, as the game names it.
        action: what is being done.
        seconds: since the start, in the game's time.
        score: in the game's own units.
        progress: share of the race that is done; None where the game does not tell.
        speed: of playback, 1 being the game's own.
        seen: what the network was shown, uint8 RGB of any size, as an inset; None for drivers without one.
        banner: a line across the picture, such as how the drive ended.
        who: has the controls, in words, in the place of the speed of playback; "" where it is always the driver.
        colour: of these words.
        aside: somebody else than the driver drives, see `History.add`.
        figures: by name, in the place of score and progress; None shows those.
    """

    driver: str
    track: str
    action: Action
    seconds: float
    score: float
    progress: float | None = None
    speed: float = 1.0
    seen: RGB | None = None
    banner: str = ""
    who: str = ""
    colour: Colour = TEXT
    aside: bool = False
    figures: Mapping[str, str] | None = None


class Overlay:
    """Draws readings below pictures of one size.

    Args:
        spec: channels of the actions to come; each axis gets a bar, each button a lamp.
        width, height: of the pictures to come. Small ones are enlarged by a whole factor, large ones reduced.
        chart: with a strip chart of the last seconds at the bottom.

    Attributes:
        width, height: of what `draw` returns, both even, as video wants them.
    """

    def __init__(self, spec: ActionSpec, width: int, height: int, *, chart: bool = False) -> None:
        factor: float = -(-LEAST_WIDTH // width) if width < LEAST_WIDTH else min(1.0, MOST_WIDTH / width)
        self._spec = spec
        self._picture = _even(width * factor), _even(height * factor)
        # Whole factors keep the pixels of a small picture square and sharp; a reduced one needs a filter.
        self._filter = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BILINEAR
        self._unit = self._picture[0] / 600
        rows = len(spec.axes) + bool(spec.buttons)
        self.width = self._picture[0]
        self.height = self._picture[1] + _even(self._unit * max(98, 58 + 22 * rows + 4 * bool(spec.buttons)))
        self._history = History(spec, _CHART_S) if chart else None
        if chart:
            self._chart_top = self.height
            self.height += _even(self._unit * 78)
        self._small, self._middle, self._large = (self._font(size) for size in (13, 16, 23))

    def _font(self, size: float) -> "FreeTypeFont | ImageFont":
        """Pillow's own font: nothing to install, and the same on every system."""
        return load_default(max(9, round(size * self._unit)))

    def draw(self, picture: RGB, reading: Reading) -> RGB:
        """uint8 `(height, width, 3)`: the picture of the game, scaled, with the reading below it."""
        canvas = Image.new("RGB", (self.width, self.height), BACKGROUND)
        scaled = Image.fromarray(np.ascontiguousarray(picture))
        if scaled.size != self._picture:
            scaled = scaled.resize(self._picture, self._filter)
        canvas.paste(scaled, (0, 0))
        if reading.seen is not None:
            self._inset(canvas, reading.seen)
        pen = ImageDraw.Draw(canvas, "RGBA")
        if reading.banner:
            self._banner(pen, reading.banner)
        self._progress(pen, reading.progress)
        self._titles(pen, reading)
        self._controls(pen, reading.action)
        self._figures(pen, reading)
        if self._history is not None:
            self._chart(canvas, self._history, reading)
        return np.asarray(canvas)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """Canvas pixels of a point of the panel, given in units from its upper left corner."""
        return x * self._unit, self._picture[1] + y * self._unit

    def _inset(self, canvas: Image.Image, seen: RGB) -> None:
        """What the network sees, in the upper right corner, framed."""
        scale = min(170 / seen.shape[1], 110 / seen.shape[0]) * self._unit
        width, height = round(seen.shape[1] * scale), round(seen.shape[0] * scale)
        edge, margin = max(1, round(1.5 * self._unit)), round(12 * self._unit)
        left = self._picture[0] - margin - width
        pen = ImageDraw.Draw(canvas, "RGBA")
        label = round(20 * self._unit)
        pen.rectangle(
            (left - edge, margin - edge, left + width + edge - 1, margin + height + label + edge - 1),
            fill=(*BACKGROUND, 235),
        )
        canvas.paste(Image.fromarray(seen).resize((width, height), Image.Resampling.BILINEAR), (left, margin))
        middle = left + width / 2, margin + height + label / 2
        pen.text(middle, "network input", fill=TEXT, font=self._small, anchor="mm")

    def _banner(self, pen: ImageDraw.ImageDraw, text: str) -> None:
        width, height = self._picture
        half = 24 * self._unit
        pen.rectangle((0, height / 2 - half, width, height / 2 + half), fill=(*BACKGROUND, 215))
        pen.text((width / 2, height / 2), text, fill=TEXT, font=self._large, anchor="mm")

    def _chart(self, canvas: Image.Image, history: History, reading: Reading) -> None:
        history.add(reading.seconds, reading.action, aside=reading.aside)
        left = round(16 * self._unit)
        size = self.width - 2 * left, round(66 * self._unit)
        canvas.paste(Image.fromarray(strip_chart(history, *size)), (left, self._chart_top))

    def _progress(self, pen: ImageDraw.ImageDraw, progress: float | None) -> None:
        pen.rectangle((*self._at(0, 0), *self._at(600, 4)), fill=GROOVE)
        if progress:
            pen.rectangle((*self._at(0, 0), *self._at(600 * min(1.0, progress), 4)), fill=LIT)

    def _titles(self, pen: ImageDraw.ImageDraw, reading: Reading) -> None:
        x, y = self._at(16, 25)
        title = _shortened(reading.driver, 34)
        pen.text((x, y), title, fill=TEXT, font=self._middle, anchor="lm")
        x += pen.textlength(title, font=self._middle) + 12 * self._unit
        pen.text((x, y), _shortened(reading.track, 24), fill=FAINT, font=self._middle, anchor="lm")
        text = _shortened(reading.who, 30) or f"{reading.speed:g}x"
        half = pen.textlength(text, font=self._small) / 2 + 7 * self._unit
        x, y = self._at(584, 25)
        pen.rounded_rectangle((x - 2 * half, y - 10 * self._unit, x, y + 10 * self._unit), 5 * self._unit, fill=GROOVE)
        pen.text((x - half, y), text, fill=reading.colour, font=self._small, anchor="mm")

    def _controls(self, pen: ImageDraw.ImageDraw, action: Action) -> None:
        y = 52.0
        for name, value in zip(self._spec.axes, action.axes, strict=True):
            if name in self._spec.mirrored_axes:
                colour = STEER
            else:
                # A throttle axis brakes below zero; a brake axis of its own brakes above it.
                colour = BACKWARD if (value < 0) != ("brake" in name) else FORWARD
            self._bar(pen, y, name, value, colour)
            y += 22
        x, y = 16.0, y + 3
        for name, pressed in zip(self._spec.buttons, action.buttons, strict=True):
            x = self._lamp(pen, x, y, name, pressed)

    def _bar(self, pen: ImageDraw.ImageDraw, y: float, name: str, value: float, colour: tuple[int, int, int]) -> None:
        """A bar from its middle to `value` in [-1, 1]."""
        left, right = 84, 284
        middle = (left + right) / 2
        tip = middle + value * (right - left) / 2
        pen.text(self._at(16, y), _shortened(name, 10), fill=FAINT, font=self._small, anchor="lm")
        pen.rounded_rectangle((*self._at(left, y - 6), *self._at(right, y + 6)), 3 * self._unit, fill=GROOVE)
        if abs(tip - middle) * self._unit >= 1:
            pen.rectangle((*self._at(min(middle, tip), y - 6), *self._at(max(middle, tip), y + 6)), fill=colour)
        pen.rectangle((*self._at(middle - 0.7, y - 8), *self._at(middle + 0.7, y + 8)), fill=TEXT)
        pen.text(self._at(330, y), f"{value:+.2f}", fill=TEXT, font=self._small, anchor="rm")

    def _lamp(self, pen: ImageDraw.ImageDraw, x: float, y: float, name: str, pressed: bool) -> float:
        """A button's name on a lamp that is lit while it is pressed; returns where the next one goes."""
        text = _shortened(name, 10)
        width = pen.textlength(text, font=self._small) / self._unit + 14
        box = (*self._at(x, y - 9), *self._at(x + width, y + 9))
        pen.rounded_rectangle(box, 5 * self._unit, fill=LIT if pressed else GROOVE)
        colour = BACKGROUND if pressed else FAINT
        pen.text(self._at(x + width / 2, y), text, fill=colour, font=self._small, anchor="mm")
        return x + width + 6

    def _figures(self, pen: ImageDraw.ImageDraw, reading: Reading) -> None:
        figures = [("time", f"{reading.seconds:.1f} s")]
        if reading.figures is not None:
            figures[:0] = reading.figures.items()
        else:
            if reading.progress is not None:
                figures.insert(0, ("progress", f"{100 * reading.progress:.0f} %"))
            figures.insert(0, ("score", f"{reading.score:.0f}"))
        for column, (label, text) in enumerate(reversed(figures)):
            x = 584 - 87 * column
            pen.text(self._at(x, 52), label, fill=FAINT, font=self._small, anchor="rm")
            pen.text(self._at(x, 75), text, fill=TEXT, font=self._large, anchor="rm")


def _even(size: float) -> int:
    """The nearest even number, at least 2: chroma of yuv420p covers two pixels each way."""
    return max(2, round(size / 2) * 2)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
