"""A part of the desktop, in pixels."""

import re
from dataclasses import asdict, dataclass

from kart_pipeline.core.errors import KartError

_TEXT = re.compile(r"\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*")
_LEAST = 16  # pixels on a side: less is no picture of a game


@dataclass(frozen=True, slots=True)
class Rect:
    """Pixels of the desktop; 0, 0 is its upper left corner, and a second monitor may lie at negative places."""

    left: int
    top: int
    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> "Rect":
        """From `x,y,width,height`.

        Raises:
            KartError: it is no such text, or too small to show a game.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise KartError(f"{text!r} is no region: write x,y,width,height in pixels, as 100,50,640,480.")
        rect = cls(*map(int, match.groups()))
        if rect.is_tiny:
            raise KartError(f"A region of {rect.size} shows nothing; take at least {_LEAST}x{_LEAST} pixels.")
        return rect

    @property
    def right(self) -> int:
        """Of the first column beyond it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """Of the first row beyond it."""
        return self.top + self.height

    @property
    def is_tiny(self) -> bool:
        """Too small to show a game."""
        return min(self.width, self.height) < _LEAST

    @property
    def size(self) -> str:
        """As 640x480."""
        return f"{self.width}x{self.height}"

    def within(self, other: "Rect") -> "Rect":
        """What of it lies in `other`; width or height is 0 where nothing does."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect(left, top, max(0, right - left), max(0, bottom - top))

    def to_dict(self) -> dict[str, int]:
        """As mss and the manifest want it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.left},{self.top},{self.width},{self.height}"
