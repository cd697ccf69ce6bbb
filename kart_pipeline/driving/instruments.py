"""What hands do, as pictures: a strip chart of the past seconds, a stick, buttons; and all of them below a frame.

Each is a function from a state to a picture, uint8 `(height, width, 3)`, for whichever window or video shows it.
"""

import itertools
from collections import deque
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from PIL.ImageFont import load_default

from kart_pipeline.core.action import Action, ActionSpec, roles
from kart_pipeline.core.frame import RGB

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

Colour = tuple[int, int, int]
Floats = npt.NDArray[np.float64]

BACKGROUND: Colour = (17, 20, 26)
GROOVE: Colour = (44, 50, 61)
TEXT: Colour = (236, 239, 244)
FAINT: Colour = (143, 152, 168)
# Okabe and Ito's palette, which stays apart for the colour-blind
STEER: Colour = (86, 180, 233)
FORWARD: Colour = (0, 178, 130)
BACKWARD: Colour = (230, 110, 30)
LIT: Colour = (240, 200, 60)
ALARM: Colour = (200, 50, 50)

_AXES = (STEER, FORWARD, BACKWARD, LIT)  # in the order of the spec, the steering first
_PANEL = 116  # pixels: height of the instruments below a frame of the full width
_HEAD = 26
_NOTE = 20  # of a second line
FULL_WIDTH = 480


@cache
def _font(size: int) -> "FreeTypeFont | ImageFont":
    """Pillow's own: nothing to install. Loading it takes longer than all of the drawing."""
    return load_default(size)


class History:
    """The actions of the past seconds.

    Args:
        spec: of the actions.
        seconds: for which they are kept.
    """

    def __init__(self, spec: ActionSpec, seconds: float) -> None:
        self.spec = spec
        self.seconds = seconds
        self._samples: deque[tuple[float, Action, bool]] = deque()

    def add(self, t_s: float, action: Action, *, aside: bool = False) -> None:
        """What was done at a time.

        Args:
            t_s: in seconds of any clock that does not go back.
            action: what was done.
            aside: drawn on another ground, as time that is not recorded, or in which somebody else drives.
        """
        self._samples.append((t_s, action, aside))
        while self._samples[0][0] < t_s - self.seconds:
            self._samples.popleft()

    @property
    def last(self) -> Action | None:
        """The newest action."""
        return self._samples[-1][1] if self._samples else None

    def arrays(self) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        """Times `(N,)` before the newest, 0 or less; axes `(N, A)`; and what is aside `(N,)`."""
        if not self._samples:
            return np.empty(0), np.empty((0, len(self.spec.axes))), np.empty(0, bool)
        times, actions, aside = zip(*self._samples, strict=True)
        axes = np.array([action.axes for action in actions]).reshape(len(times), len(self.spec.axes))
        return np.array(times) - times[-1], axes, np.array(aside)


def strip_chart(history: History, width: int, height: int) -> RGB:
    """The axes over time: right or up is up, now is at the right edge; a line for each second."""
    canvas = Image.new("RGB", (width, height), GROOVE)
    pen = ImageDraw.Draw(canvas)
    times, axes, aside = history.arrays()
    x = (width - 1) * (1 + times / history.seconds)
    edges = np.flatnonzero(np.diff(aside.astype(np.int8), prepend=0, append=0))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        pen.rectangle((x[first], 0, x[min(last, len(x) - 1)], height), fill=BACKGROUND)
    for second in range(1, int(history.seconds)):
        at = (width - 1) * (1 - second / history.seconds)
        pen.line((at, 0, at, height), fill=(60, 67, 80))
    pen.line((0, height / 2, width, height / 2), fill=FAINT)
    y = (height - 5) / 2 * (1 - axes) + 2
    # the steering is drawn last, over the others
    for column in reversed(range(axes.shape[1])):
        if len(x) > 1:
            points = np.stack([x, y[:, column]], axis=1)
            pen.line([tuple(point) for point in points.tolist()], fill=_AXES[column % len(_AXES)], width=2)
    left = 4.0
    for name, colour in zip(history.spec.axes, itertools.cycle(_AXES), strict=False):
        pen.text((left, height - 2), name, fill=colour, font=_font(10), anchor="ld")
        left += pen.textlength(name, font=_font(10)) + 8
    return np.asarray(canvas)


def stick(action: Action, size: int, advice: Action | None = None) -> RGB:
    """Where the stick stands: the steering across, what drives on or pitches up.

    Args:
        action: what is done.
        size: of the picture, pixels each way.
        advice: what somebody else would do, as a ring.
    """
    canvas = Image.new("RGB", (size, size), BACKGROUND)
    pen = ImageDraw.Draw(canvas)
    middle, reach = (size - 1) / 2, 0.36 * size
    pen.ellipse((middle - reach, middle - reach, middle + reach, middle + reach), fill=GROOVE, outline=FAINT)
    pen.line((middle - reach, middle, middle + reach, middle), fill=FAINT)
    pen.line((middle, middle - reach, middle, middle + reach), fill=FAINT)
    knob = 0.12 * size
    x, y = (middle + reach * way for way in _stands(action))
    pen.line((middle, middle, x, y), fill=STEER, width=3)
    pen.ellipse((x - knob, y - knob, x + knob, y + knob), fill=STEER)
    if advice is not None:
        x, y = (middle + reach * way for way in _stands(advice))
        pen.ellipse((x - knob, y - knob, x + knob, y + knob), outline=TEXT, width=2)
    return np.asarray(canvas)


def _stands(action: Action) -> tuple[float, float]:
    """Where a stick stands, -1 to 1 to the right and down."""
    steer, drive = roles(action.spec)
    return float(action[steer]) if steer else _balance(action), -float(action[drive]) if drive else 0.0


def _balance(action: Action) -> float:
    """Of a game that is steered by two buttons."""
    return sum(float(action[right]) - float(action[left]) for left, right in action.spec.mirrored_buttons[:1])


def buttons(action: Action, width: int, height: int) -> RGB:
    """A lamp for each button, lit while it is pressed; what does not fit is left out."""
    canvas = Image.new("RGB", (width, height), BACKGROUND)
    pen = ImageDraw.Draw(canvas)
    font = _font(max(9, round(0.6 * height)))
    x = 0.0
    for name, pressed in zip(action.spec.buttons, action.buttons, strict=True):
        wide = pen.textlength(name, font=font) + 0.8 * height
        pen.rounded_rectangle((x, 1, x + wide, height - 2), height / 3, fill=LIT if pressed else GROOVE)
        ink = BACKGROUND if pressed else FAINT
        pen.text((x + wide / 2, height / 2), name, fill=ink, font=font, anchor="mm")
        x += wide + 0.3 * height
    return np.asarray(canvas)


@dataclass(frozen=True, slots=True)
class Headline:
    """One line or two above the frame.

    Attributes:
        text: what is going on.
        lit: it goes as it should: a lamp stands before it.
        right: at the right edge.
        alarm: a line over the frame, of something to be mended at once; "" for none.
        lamp: its colour; that of a camera is red.
        note: a second line, smaller; "" for none.
    """

    text: str
    lit: bool = True
    right: str = ""
    alarm: str = ""
    lamp: Colour = ALARM
    note: str = ""


def panel_size(frame: tuple[int, int], width: int = FULL_WIDTH, *, note: bool = False) -> tuple[int, int]:
    """Width and height of `panel` for frames of this width and height, with a second line above or without."""
    return width, _HEAD + _NOTE * note + round(width * frame[1] / frame[0]) + _PANEL


def panel(
    rgb: RGB,
    history: History,
    headline: Headline,
    width: int = FULL_WIDTH,
    *,
    advice: Action | None = None,
    sharp: bool = False,
) -> RGB:
    """A frame with the headline above and strip chart, stick and buttons below it.

    Args:
        rgb: the frame, uint8 `(h, w, 3)`.
        history: what was done.
        headline: above the frame.
        width: of the picture.
        advice: what somebody else would do now, see `stick`.
        sharp: the frame's pixels are to be seen as they are.
    """
    _, height = panel_size((rgb.shape[1], rgb.shape[0]), width, note=bool(headline.note))
    canvas = Image.new("RGB", (width, height), BACKGROUND)
    head = _HEAD + _NOTE * bool(headline.note)
    scaling = Image.Resampling.NEAREST if sharp else Image.Resampling.BILINEAR
    canvas.paste(Image.fromarray(np.ascontiguousarray(rgb)).resize((width, height - head - _PANEL), scaling), (0, head))
    pen = ImageDraw.Draw(canvas)
    _head(pen, headline, width)
    if headline.alarm:
        pen.rectangle((0, head, width, head + 24), fill=ALARM)
        pen.text((width / 2, head + 12), headline.alarm, fill=TEXT, font=_font(13), anchor="mm")
    top = height - _PANEL
    side = _PANEL - 8
    chart = strip_chart(history, width - side - 12, side - 28)
    canvas.paste(Image.fromarray(chart), (4, top + 4))
    if history.last is not None:
        canvas.paste(Image.fromarray(stick(history.last, side, advice)), (width - side - 4, top + 4))
        canvas.paste(Image.fromarray(buttons(history.last, width - side - 12, 20)), (4, height - 24))
    return np.asarray(canvas)


def _head(pen: ImageDraw.ImageDraw, headline: Headline, width: int) -> None:
    font = _font(14)
    middle = _HEAD / 2
    if headline.lit:
        pen.ellipse((8, middle - 5, 18, middle + 5), fill=headline.lamp)
    else:
        pen.rectangle((9, middle - 5, 12, middle + 5), fill=LIT)
        pen.rectangle((15, middle - 5, 18, middle + 5), fill=LIT)
    pen.text((26, middle), headline.text, fill=TEXT, font=font, anchor="lm")
    pen.text((width - 8, middle), headline.right, fill=FAINT, font=font, anchor="rm")
    pen.text((8, _HEAD + _NOTE / 2 - 3), headline.note, fill=FAINT, font=_font(11), anchor="lm")
