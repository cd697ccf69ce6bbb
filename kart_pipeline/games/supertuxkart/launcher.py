"""Starts SuperTuxKart straight into a race, in a folder of its own, and ends it."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.supertuxkart.config import write_config
from kart_pipeline.games.supertuxkart.processes import Child
from kart_pipeline.games.supertuxkart.telemetry import Kart, Telemetry
from kart_pipeline.games.supertuxkart.tracks import find_track, make_telling

INSTALL = "sudo apt-get install --no-install-recommends supertuxkart xvfb libgl1-mesa-dri"
HISTORY = "history.dat"  # what Ctrl+F11 writes: every key that the game took
_GAMES = "/usr/games"  # where Debian puts it, which is not on everybody's PATH
_PREFIX = "kart-supertuxkart-"
_LOCK = "lock"
_START_S = 90.0  # to the race, on a slow or busy machine


@dataclass(frozen=True, slots=True)
class RacePlan:
    """What is raced.

    Attributes:
        track: a name of `tracks.race_tracks`.
        laps: of it.
        width, height: of the picture, in pixels.
        kart: which is driven.
        difficulty: 0 to 3; it sets the top speed.
        reverse: whether it is driven the other way round.
    """

    track: str
    laps: int
    width: int = 320
    height: int = 240
    kart: str = "tux"
    difficulty: int = 0
    reverse: bool = False


def executable() -> str:
    """Where the game is.

    Raises:
        KartError: it is not installed.
    """
    found = shutil.which("supertuxkart") or shutil.which("supertuxkart", path=_GAMES)
    if found is None:
        raise KartError(
            f"SuperTuxKart is not installed; on Debian and Ubuntu: {INSTALL} (660 MB to download). Elsewhere, start "
            "the game yourself and record its window."
        )
    return found


class Race:
    """A running game, in the race. Each has a home of its own: no person's settings and no race before it matter.

    Args:
        plan: what is raced.
        display: the X display to show it on.

    Attributes:
        folder: the game's working directory.

    Raises:
        KartError: it is not installed, the track is unknown, or the race does not come about.
    """

    def __init__(self, plan: RacePlan, display: str) -> None:
        program, track = executable(), find_track(plan.track)
        sweep()
        self._home = home = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = FileLock(home / _LOCK)
        self.folder = home / "work"
        try:
            self._lock.acquire(timeout=0)
            self.folder.mkdir()
            write_config(home / "config", plan.width, plan.height)
            name = make_telling(track, home / "tracks")
        except OSError as error:
            self._clean()
            raise KartError(f"SuperTuxKart cannot be given its folder {home} ({error}); make room there.") from error
        command = [
            *("stdbuf", "-oL", program),
            *("--windowed", f"--screensize={plan.width}x{plan.height}", "--race-now"),
            *(f"--trackdir={home / 'tracks'}/", f"--track={name}"),
            *(f"--kart={plan.kart}", "--numkarts=1", f"--laps={plan.laps}", f"--difficulty={plan.difficulty}"),
            *("--disable-item-collection", "--fps-debug"),
            *(("--reverse",) if plan.reverse else ()),
        ]
        try:
            self._game = Child(command, environ=_environ(home, display), folder=self.folder)
        except BaseException:
            self._clean()
            raise
        self.telemetry = Telemetry(self._game.output)
        try:
            kart = self.telemetry.wait(_START_S)
            if kart is None:
                raise KartError(self._why())
            self.first: Kart = kart
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether the game runs."""
        return self._game.alive

    @property
    def pid(self) -> int:
        """Of the game's process."""
        return self._game.process.pid

    def close(self) -> None:
        """End the game and remove its folder; may be called more than once."""
        self._game.end()
        self.telemetry.close()
        self._clean()

    def _clean(self) -> None:
        self._lock.release()
        shutil.rmtree(self._home, ignore_errors=True)

    def _why(self) -> str:
        words = " | ".join(self.telemetry.words[-3:]) or "nothing"
        if self.telemetry.over:
            return f"SuperTuxKart ended before the race began; its last words: {words}."
        return f"SuperTuxKart has not begun its race after {_START_S:.0f} s; its last words: {words}."


def sweep() -> None:
    """Remove the folders of games whose player was killed; the kernel has ended the games themselves."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if not (folder / _LOCK).exists():  # made a moment ago
            continue
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):  # in use, or of another user
            continue
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _environ(home: Path, display: str) -> dict[str, str]:
    """Of the game: our own, with a home of its own and no sound."""
    environ = dict(os.environ)
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        environ.pop(name, None)
    # What was compiled for the last race need not be compiled again; the variable is Mesa's.
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environ.setdefault("MESA_SHADER_CACHE_DIR", str(cache))
    return environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "DISPLAY": display,
        "SDL_AUDIODRIVER": "dummy",
        "ALSOFT_DRIVERS": "null",
    }
