"""Autopilot-TensorFlow's recordings: a folder of `N.jpg` and a `data.txt` of lines `N.jpg angle`, later with a time.

The angle is the steering wheel's, in degrees to the right, as a real car's bus tells it; there is nothing but steering.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from recorder.importers.base import Format, LeftOut, Recording, Row
from recorder.importers.pictures import find_picture
from recorder.importers.text import number, read_text

DATA = "data.txt"
RATE_HZ = 30.0  # assumed: of recordings without times only the number of pictures is known
FULL_LOCK = 540.0  # degrees from the middle: a car's wheel turns some three times from lock to lock
SPEC = ActionSpec(axes=("steer",), mirrored_axes=("steer",))
# Up to here angles could be radians: a wheel at its lock is at some 10 of them, and who drives 10 degrees at most
# drives a straight road.
_DOUBTFUL = 4 * math.pi
_LINE = re.compile(r"(?P<picture>.+?)\s+(?P<angle>[^\s,]+)(?:\s*,\s*(?P<time>.+))?")
_CLOCK = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}):(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Line:
    """One usable line: its picture, the angle as it is written, and when, in ns."""

    line: int
    picture: str
    angle: float
    time_ns: int | None


@dataclass(frozen=True)
class Autopilot(Format):
    """What Autopilot-TensorFlow learned from.

    Args:
        unit: "degrees" or "radians"; None for degrees, as long as they can be nothing else.
        full_lock: the angle that is full steering, in degrees.
    """

    name = "autopilot"
    game = "autopilot"
    marker = DATA

    unit: str | None = None
    full_lock: float = FULL_LOCK

    def read(self, folder: Path) -> list[Recording]:
        """See `Format.read`."""
        lines, left_out = read_data(folder / DATA)
        scale = self._degrees(folder / DATA, lines)
        rows: list[Row] = []
        times: list[int | None] = []
        for item in lines:
            angle = item.angle * scale
            if abs(angle) > self.full_lock:
                left_out.append(
                    LeftOut(item.line, f"the angle is {angle:g} degrees, beyond {self.full_lock:g} (--full-lock)")
                )
                continue
            rows.append(Row(item.line, item.picture, SPEC.action(steer=angle / self.full_lock)))
            times.append(item.time_ns)
        known = [time for time in times if time is not None]
        return [
            Recording(
                folder=folder,
                labels=folder / DATA,
                spec=SPEC,
                rows=rows,
                left_out=sorted(left_out, key=lambda item: item.line),
                pictures=[find_picture(row.picture, folder) for row in rows],
                ticks=[row.line - 1 for row in rows],
                rate_hz=RATE_HZ,
                times_ns=known if len(known) == len(rows) else None,
                driver={"kind": "human", "device": "steering wheel"},
                source={"full_lock_degrees": self.full_lock, "unit": "degrees" if scale == 1 else "radians"},
            )
        ]

    def _degrees(self, path: Path, lines: list[Line]) -> float:
        """What an angle is to be multiplied with."""
        most = max((abs(item.angle) for item in lines), default=0.0)
        if self.unit == "radians":
            if most > _DOUBTFUL:
                raise KartError(
                    f"{path} holds angles up to {most:g}: no wheel turns so many radians. Are they degrees?"
                )
            return 180 / math.pi
        if self.unit is None and 0 < most <= _DOUBTFUL:
            raise KartError(
                f"The largest angle in {path} is {most:g}: radians, or degrees of a straight road? "
                "Say --unit radians, or --unit degrees."
            )
        return 1.0


def read_data(path: Path) -> tuple[list[Line], list[LeftOut]]:
    """The lines of a data.txt, and those that cannot be used.

    Raises:
        KartError: it is no such file at all: empty, binary, or its first line has no picture and angle.
    """
    file = read_text(path, "Autopilot-TensorFlow")
    lines: list[Line] = []
    left_out: list[LeftOut] = []
    written = file.lines()
    for line, text in written:
        match = _LINE.fullmatch(text)
        angle = number(match["angle"]) if match else None
        if line == written[-1][0] and not file.whole:
            left_out.append(LeftOut(line, f"the line breaks off: {text[:60]!r}"))
        elif match is None or angle is None:
            if not lines and not left_out:
                raise file.refusal(f"line {line} is {text[:60]!r}, not a picture and an angle.")
            left_out.append(LeftOut(line, f"not a picture and an angle: {text[:60]!r}"))
        elif not math.isfinite(angle):
            left_out.append(LeftOut(line, f"the angle is {angle:g}"))
        else:
            lines.append(Line(line, match["picture"], angle, _time(match["time"])))
    return lines, left_out


def _time(text: str | None) -> int | None:
    """`2018-07-01 17:10:33:123` in ns of no matter which zone; None where there is no such time."""
    match = _CLOCK.fullmatch(text or "")
    if not match:
        return None
    try:
        second = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:  # a thirteenth month
        return None
    return (round(second.timestamp()) * 1000 + int(match[2])) * 1_000_000
