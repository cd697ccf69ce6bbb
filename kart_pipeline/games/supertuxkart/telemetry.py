"""What the running game tells: a script in its track logs where the kart is, a thread reads the log."""

import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from kart_pipeline.core.frame import now_ns
from kart_pipeline.games.supertuxkart.line import Values

# AngelScript: runs in the game once a frame, from the start of the race on.
SCRIPT = """\
void onStart()
{
    Utils::setTimeout("tellKart", 0.0f);
}

void tellKart()
{
    Vec3 place = Kart::getLocation(0);
    Vec3 speed = Kart::getVelocity(0);
    Utils::logInfo("kart " + place.getX() + " " + place.getY() + " " + place.getZ() + " "
                           + speed.getX() + " " + speed.getY() + " " + speed.getZ());
    Utils::setTimeout("tellKart", 0.0f);
}
"""

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_LINE = re.compile(r"Script: kart " + " ".join([_NUMBER] * 6) + r"\s*$")
_RACE_TIME = re.compile(rf"fps: time {_NUMBER} ")  # with --fps-debug, once a frame
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_KEPT_LINES = 12  # of the game's other words, to say what went wrong


@dataclass(frozen=True, slots=True, eq=False)
class Kart:
    """The player's kart at one moment.

    Attributes:
        t_ns: when the game's word arrived, by `core.frame.now_ns`.
        race_s: the game's own clock, seconds from the start of the race; on a machine that is too slow for the game it
            falls behind the clock on the wall.
        position, velocity: float64 `(3,)` in metres and metres per second: x to the right, y up, z forward on the map.
    """

    t_ns: int
    position: Values
    velocity: Values
    race_s: float = 0.0

    @property
    def speed(self) -> float:
        """Over the ground, m/s."""
        return float(np.hypot(self.velocity[0], self.velocity[2]))


def parse_line(text: str, t_ns: int, race_s: float = 0.0) -> Kart | None:
    """The kart that a line of the game's log tells of; None where it tells of something else."""
    match = _LINE.search(text)
    if not match:
        return None
    numbers = np.array(match.groups(), np.float64)
    return Kart(t_ns, numbers[:3], numbers[3:], race_s)


def parse_race_time(text: str) -> float | None:
    """The race time that a line of the log tells, in seconds; None where it tells of something else."""
    match = _RACE_TIME.search(text)
    return float(match[1]) if match else None


class Telemetry:
    """Reads the log of a game in a thread of its own, until the game closes it.

    Args:
        log: standard output of the game.
        clock: gives each line its time.

    Attributes:
        lines: how many told of the kart.
        over: the log has ended.
    """

    def __init__(self, log: IO[bytes], clock: Callable[[], int] = now_ns) -> None:
        self._log = log
        self._clock = clock
        self._words: deque[str] = deque(maxlen=_KEPT_LINES)
        self._begun = threading.Event()
        self._latest: Kart | None = None
        self._race_s = 0.0
        self.lines = 0
        self.over = False
        self._thread = threading.Thread(target=self._read, name="supertuxkart telemetry", daemon=True)
        self._thread.start()

    @property
    def latest(self) -> Kart | None:
        """What was told last; None before the race."""
        return self._latest

    @property
    def words(self) -> Sequence[str]:
        """The last lines of the log that told of anything else."""
        return tuple(self._words)

    def wait(self, seconds: float) -> Kart | None:
        """The first word of the kart; None where none comes in that time, or the log ends."""
        self._begun.wait(seconds)
        return self._latest

    def close(self) -> None:
        """Wait for the end of the log; the game must have ended."""
        self._thread.join(5.0)
        self._log.close()

    def _read(self) -> None:
        for raw in self._log:
            t_ns = self._clock()
            text = _COLOUR.sub("", raw.decode("utf-8", "replace")).strip()
            race_s = parse_race_time(text)
            kart = parse_line(text, t_ns, self._race_s)
            if race_s is not None:
                self._race_s = race_s
            elif kart is not None:
                self._latest = kart
                self.lines += 1
                self._begun.set()
            elif text:
                self._words.append(text)
        self.over = True
        self._begun.set()
