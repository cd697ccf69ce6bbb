"""Films drives into one mp4: a file that any player shows, written beside the drive and renamed into place at the end.

on_step ──▶ picture of the game and reading ──▶ queue ──▶ thread: overlay ──▶ H.264 ──▶ temporary file ──▶ FILE.mp4
"""

import math
import queue
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.tally import Drive
from kart_pipeline.games.base import PROGRESS, Game
from player.picture.encoder import Encoder, Reel, best_codec
from player.picture.overlay import Overlay, Reading

MOST_FPS = 30  # of the film; more costs time and size, and shows a person nothing new
Dress = Callable[[Reading], Reading]

HOLD_S = 1.5  # how long the end of a drive stays on the screen


class Film:
    """An mp4 of one or more drives, one after the other; a context manager.

    Leaving the block finishes the file, also after an exception or Ctrl-C: what was filmed so far can be watched. Where
    nothing was filmed, or encoding failed, no file appears and an older one of that name stays.

    Args:
        path: ends in `.mp4`; folders are made.
        speed: of playback, 1 being the game's own.
        chart: with a strip chart of the last seconds.

    Attributes:
        written: the file is complete and in its place.
        dropped: frames left out because encoding did not keep up with a real-time game.

    Raises:
        KartError: another suffix, a speed that is not above 0, or PyAV is not installed.
    """

    def __init__(self, path: Path, *, speed: float = 1.0, chart: bool = False) -> None:
        if path.suffix.lower() != ".mp4":
            raise KartError(f"The video {path.name} must be named *.mp4.")
        if path.is_dir():
            raise KartError(f"The video {path} is a folder; name a file in it.")
        if not (math.isfinite(speed) and 0.01 <= speed <= 100):
            raise KartError(f"A video's speed is a factor from 0.01 to 100, not {speed}.")
        try:
            import av  # noqa: F401 - asked for before the drive, not at its first frame
        except ImportError as error:
            raise KartError(f"Videos need PyAV ({error}): pip install 'kart-pipeline[player]'.") from error
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise KartError(f"The video {path} cannot be written: {error}.") from error
        self.path = path
        self.speed = speed
        self._chart = chart
        self.written = False
        self.dropped = 0
        self._reel: Reel | None = None
        self._files = ExitStack()
        self._end = 0  # of the drives filmed so far

    @property
    def frames(self) -> int:
        """Written so far."""
        return 0 if self._reel is None else self._reel.frames

    def scene(self, game: Game, driver: Driver, dress: Dress = lambda reading: reading) -> "Scene":
        """An observer that films the next drive of `driver` in `game`; `dress` adds to the readings."""
        fps = Fraction(game.rate_hz * self.speed).limit_denominator(1000)
        fps /= max(1, math.ceil(fps / MOST_FPS))
        return Scene(self, game, driver, fps, self._end, dress)

    def put(self, slot: int, picture: RGB, reading: Reading, *, fps: Fraction, spec: ActionSpec, wait: bool) -> None:
        """Hand a frame to the encoding thread.

        Args:
            slot: position in the film, in frames of `fps`; before a slot that is left out, the frame stays longer.
            picture: uint8 RGB, of the same size throughout the film; nobody changes it afterwards.
            reading: shown below it.
            fps: of the film, the same throughout.
            spec: of the reading's action, the same throughout.
            wait: for room in the queue; else drop the frame where there is none.

        Raises:
            KartError: an earlier frame could not be encoded.
        """
        if self._reel is None:
            overlay = Overlay(spec, picture.shape[1], picture.shape[0], chart=self._chart)
            try:
                temporary = self._files.enter_context(replace_file(self.path))
                self._reel = Reel(lambda: Encoder(temporary, overlay, fps, best_codec()))
            except OSError as error:
                raise self._failed(error) from error
        elif self._reel.failure is not None:
            raise self._failed(self._reel.failure) from self._reel.failure
        try:
            self._reel.waiting.put((slot, picture, reading), block=wait)
        except queue.Full:
            self.dropped += 1
        self._end = slot + 1

    def close(self) -> None:
        """Finish the file and rename it into place.

        Raises:
            KartError: encoding failed; no file was left.
        """
        with self._files:
            if self._reel is None:
                return
            if (failure := self._reel.finish()) is not None:
                raise self._failed(failure) from failure
        self.written = True

    def _failed(self, failure: Exception) -> KartError:
        return KartError(f"The video {self.path} cannot be written: {failure}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.close()
        except KartError as second:
            if error is None:
                raise
            error.add_note(str(second))


class Scene:
    """Films one drive: an observer of the loop; `end` holds the last picture with the drive's result.

    Args:
        film: takes the frames.
        game: shows the pictures.
        driver: its name is the title; what its attribute `seen` holds, if it has one, is the inset.
        fps: of the film.
        begin: the slot of the film at which this drive begins.
        dress: adds to the readings what only the drive knows; takes microseconds.
    """

    def __init__(self, film: Film, game: Game, driver: Driver, fps: Fraction, begin: int, dress: Dress) -> None:
        self._dress = dress
        self._film = film
        self._game = game
        self._driver = driver
        self._fps = fps
        self._begin = begin
        self._start_ns = 0
        self._last: tuple[int, RGB, Step] | None = None

    def on_step(self, step: Step) -> None:
        """Film the step if its turn in the film has come."""
        if self._last is None:
            self._start_ns = step.frame.t_ns
        # A hair more than the quotient, so that rounding does not make every other frame late.
        slot = self._begin + math.floor(self._seconds(step) / self._film.speed * self._fps + 1e-6)
        if self._last is not None and slot <= self._last[0]:
            return
        picture = self._game.picture()
        self._last = slot, step.frame.rgb if picture is None else picture, step
        self._put(*self._last, self._reading(step), wait=self._game.simulated)

    def end(self, drive: Drive) -> None:
        """Show how it ended for a moment; a drive that was not filmed stays out."""
        if self._last is None:
            return
        slot, before, step = self._last
        picture = self._game.picture()
        if picture is None:
            picture = before
        reading = replace(
            self._reading(step),
            seconds=drive.game_seconds,
            progress=drive.progress,
            banner=f"{drive.ended}  ·  {drive.score:.0f} points  ·  {drive.game_seconds:.1f} s",
        )
        # Twice, because a frame lasts until the next one's slot, and the last of all for one slot only.
        for after in (1, max(2, round(HOLD_S * self._fps))):
            self._put(slot + after, picture, step, reading, wait=True)

    def _put(self, slot: int, picture: RGB, step: Step, reading: Reading, *, wait: bool) -> None:
        self._film.put(slot, picture, reading, fps=self._fps, spec=step.choice.action.spec, wait=wait)

    def _seconds(self, step: Step) -> float:
        return (step.frame.t_ns - self._start_ns) / 1e9

    def _reading(self, step: Step) -> Reading:
        reading = Reading(
            driver=self._driver.name,
            track=self._game.track,
            action=step.choice.action,
            seconds=self._seconds(step),
            score=self._game.score,
            progress=step.frame.state.get(PROGRESS),
            speed=self._film.speed,
            seen=getattr(self._driver, "seen", None),
        )
        return self._dress(reading)
