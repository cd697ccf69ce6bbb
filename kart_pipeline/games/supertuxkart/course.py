"""How far a race has come: wraps at the finish line counted, progress over all laps, on the road or off it."""

from kart_pipeline.games.supertuxkart.line import DriveLine, Place, Values


class Course:
    """Follows one kart through one race; `look` at it again and again.

    Karts begin some metres before the line: what is driven up to there is part of the race, but of no lap.

    Args:
        line: of the track.
        laps: of the race.
        position: where the kart begins, float64 `(3,)`.

    Attributes:
        place: where the kart is now.
        total: metres from the finish line, over all laps; below 0 before the line was crossed for the first time.
    """

    def __init__(self, line: DriveLine, laps: int, position: Values) -> None:
        self._line = line
        self._laps = laps
        self.place: Place = line.place(position)
        self.total = self.place.along if self.place.along < line.length / 2 else self.place.along - line.length
        self._begin = self.total

    def look(self, position: Values) -> None:
        """The kart is at `position` now. What looks like more than half a lap forward was a way back over the line."""
        before, self.place = self.place.along, self._line.place(position, near=self.place.along)
        half = self._line.length / 2
        self.total += (self.place.along - before + half) % self._line.length - half

    @property
    def lap(self) -> int:
        """Laps completed."""
        return min(self._laps, max(0, int(self.total // self._line.length)))

    @property
    def progress(self) -> float:
        """Share of the whole race, 0 to 1."""
        share = (self.total - self._begin) / (self._laps * self._line.length - self._begin)
        return min(1.0, max(0.0, share))

    @property
    def off_track(self) -> bool:
        """Whether the kart's middle is beside the road."""
        return self.place.beside > self.place.half_width

    @property
    def finished(self) -> bool:
        """Whether the line has been crossed after the last lap."""
        return self.total >= self._laps * self._line.length

    @property
    def metres(self) -> float:
        """Of the whole race."""
        return self._laps * self._line.length - self._begin
