"""Where and when a picture changes by more than it does of its own accord."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.frame import RGB

Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.bool_]  # (ROWS, COLUMNS)

ROWS, COLUMNS = 12, 16  # cells of a picture: small enough that a needle or a digit shows in one
_FLOOR = 0.25  # mean change of a cell, of 255: two of the 400 pixels of a cell at 320x240 by 50
_MARGIN = 2.0  # times the largest change of a cell and its neighbours before: what moves there may go on a bit faster

_ANSWERS = 0.7  # share of presses after which a cell that answers changes
_AT_REST = 0.3  # share of presses before which it may change as well
_NEAR = 0.25  # as good as the best, less so much of the difference of both


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at the picture.

    Attributes:
        t_ns: of `core.frame.now_ns`.
        moved: mean absolute change of each cell since the look before, float32 `(ROWS, COLUMNS)`, of 255.
    """

    t_ns: int
    moved: Floats


class Looks:
    """The looks of the last seconds.

    Args:
        seconds: how far they reach back.
    """

    def __init__(self, seconds: float) -> None:
        self._reach_ns = round(seconds * 1e9)
        self._looks: deque[Look] = deque()
        self._last: RGB | None = None

    def add(self, rgb: RGB, t_ns: int) -> None:
        """Take in a picture uint8 `(H, W, 3)`, always of one size, as it was on the screen at `t_ns`."""
        last, self._last = self._last, rgb
        if last is None:
            return
        self._looks.append(Look(t_ns, cell_means(np.maximum(rgb, last) - np.minimum(rgb, last))))
        while self._looks[0].t_ns < t_ns - self._reach_ns:
            self._looks.popleft()

    def between(self, first_ns: int, last_ns: int) -> list[Look]:
        """Those after the first time, up to the last."""
        return [look for look in self._looks if first_ns < look.t_ns <= last_ns]

    def forget(self) -> None:
        """Begin anew."""
        self._looks.clear()
        self._last = None


def cell_means(change: npt.NDArray[np.uint8]) -> Floats:
    """Mean of each cell of a picture `(H, W, 3)`: float32 `(ROWS, COLUMNS)`."""
    height, width = change.shape[:2]
    tops = np.linspace(0, height, ROWS + 1).astype(int)
    lefts = np.linspace(0, width, COLUMNS + 1).astype(int)
    summed = np.add.reduceat(change.reshape(height, 3 * width), tops[:-1], axis=0, dtype=np.uint32)
    summed = np.add.reduceat(summed, 3 * lefts[:-1], axis=1)
    pixels = np.diff(tops)[:, None] * np.diff(lefts)[None, :]
    return np.asarray(summed / (3 * pixels), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The looks around one press.

    Attributes:
        pressed_ns: when it was pressed.
        quiet: looks at which nobody did anything, long before the press.
        before: the looks from there to the press.
        after: the looks from the press on, over as long a time.
    """

    pressed_ns: int
    quiet: Sequence[Look]
    before: Sequence[Look]
    after: Sequence[Look]

    def stirred(self) -> tuple[Cells, Cells]:
        """Which cells changed by more than was usual until then: before the press, and after it."""
        before = _beyond(self.before, _usual(self.quiet))
        after = _beyond(self.after, _usual([*self.quiet, *self.before]))
        return np.asarray(before.any(axis=0)), np.asarray(after.any(axis=0))

    def first_change(self, cells: Cells) -> tuple[int, int] | None:
        """The time after which, and that by which, one of `cells` changed; None where none did after the press."""
        beyond = _beyond(self.after, _usual([*self.quiet, *self.before]))[:, cells].any(axis=1)
        if not beyond.any():
            return None
        first = int(beyond.argmax())
        since = self.after[first - 1].t_ns if first else max(self.pressed_ns, self.before[-1].t_ns)
        return since, self.after[first].t_ns


def _usual(looks: Sequence[Look]) -> Floats:
    """Up to where the change of each cell is nothing new."""
    most = np.max([look.moved for look in looks], axis=0)
    padded = np.pad(most, 1)
    around = np.max([padded[y : y + ROWS, x : x + COLUMNS] for y in range(3) for x in range(3)], axis=0)
    return np.asarray(_FLOOR + _MARGIN * around, np.float32)


def _beyond(looks: Sequence[Look], limit: Floats) -> Cells:
    """`(looks, ROWS, COLUMNS)`: where each look changed by more."""
    return np.asarray([look.moved > limit for look in looks], np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What several presses have in common.

    A game moves of its own accord, and now and then where nothing moved before; but not after every press and before
    none. So the cells that answer are found over all presses, and only they are looked at.

    Attributes:
        cells: that answer; none where no place of the picture does.
        restless: share of presses before which something stirred, anywhere.
    """

    cells: Cells
    restless: float

    @classmethod
    def of(cls, windows: Sequence[Window]) -> "Answer":
        """Of at least one press."""
        pairs = [window.stirred() for window in windows]
        before, after = (np.mean([pair[i] for pair in pairs], axis=0) for i in (0, 1))
        restless = float(np.mean([pair[0].any() for pair in pairs]))
        able = (after >= _ANSWERS) & (before <= _AT_REST)
        if not able.any():
            return cls(able, restless)
        gain = np.where(able, after - before, -1.0)
        return cls(gain >= gain.max() - _NEAR, restless)
