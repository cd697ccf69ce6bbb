"""What Udacity's driving simulator records: driving_log.csv and IMG/.

A line is center, left, right, steering, throttle, brake, speed. Paths are absolute ones of the machine that recorded;
the pictures' names hold the time.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PureWindowsPath

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from recorder.importers.base import Format, LeftOut, Recording, Row
from recorder.importers.pictures import find_picture
from recorder.importers.text import TextFile, excerpt, number, read_text

CSV = "driving_log.csv"
RATE_HZ = 15.0  # its recorder waits a fifteenth of a second between samples
SPEC = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))
COLUMNS = ("center", "left", "right", "steering", "throttle", "brake", "speed")
_NUMBERS = COLUMNS[3:]
_ROUNDING = 1e-3
_STAMP = re.compile(r"_(\d{4}(?:_\d{2}){5}_\d{3})\.\w+$")


@dataclass(frozen=True, slots=True)
class Line:
    """One usable line: the pictures by camera, and what it says in numbers."""

    line: int
    pictures: dict[str, str]
    steer: float
    throttle: float
    speed: float


@dataclass(frozen=True)
class Udacity(Format):
    """What Udacity's simulator recorded.

    Args:
        side_offset: what a side camera's picture adds to the steering, to the right on the left one; such a picture
            looks as if the car stood beside its line. None leaves the side cameras out.
    """

    name = "udacity"
    game = "udacity"
    marker = CSV

    side_offset: float | None = None

    def read(self, folder: Path) -> list[Recording]:
        """See `Format.read`."""
        lines, left_out = read_log(folder / CSV)
        sided = any(line.pictures.get(side) for line in lines for side in ("left", "right"))
        found = [self._camera("center", folder, lines, left_out, told=sided and self.side_offset is None)]
        if self.side_offset is not None:
            if not sided:
                raise KartError(f"{folder / CSV} names no pictures of side cameras; leave --side-offset out.")
            found += [self._camera(side, folder, lines, left_out) for side in ("left", "right")]
        return found

    def _camera(
        self, camera: str, folder: Path, lines: list[Line], left_out: list[LeftOut], *, told: bool = False
    ) -> Recording:
        offset = {"left": 1.0, "right": -1.0}.get(camera, 0.0) * (self.side_offset or 0.0)
        rows = [_row(line, camera, offset) for line in lines]
        hint = "The left and right cameras were left out; --side-offset 0.15 makes sessions of them."
        return Recording(
            folder=folder,
            labels=folder / CSV,
            spec=SPEC,
            rows=rows,
            left_out=list(left_out),
            pictures=[find_picture(row.picture, folder) for row in rows],
            ticks=[row.line - 1 for row in rows],
            rate_hz=RATE_HZ,
            times_ns=_times(rows),
            part="" if camera == "center" else camera,
            driver={"kind": "human"},
            source={"camera": camera, **({"steering_offset": offset} if offset else {})},
            notices=(hint,) if told else (),
        )


def _row(line: Line, camera: str, offset: float) -> Row:
    action = SPEC.action(steer=line.steer, throttle=line.throttle)
    label: Action | None = None
    if offset:
        label = SPEC.action(steer=max(-1.0, min(1.0, line.steer + offset)), throttle=line.throttle)
    return Row(line.line, line.pictures[camera], action, label, state={"speed_mph": line.speed})


def read_log(path: Path) -> tuple[list[Line], list[LeftOut]]:
    """The lines of a driving_log.csv, and those that cannot be used.

    Raises:
        KartError: it is no such file at all: empty, binary, other columns, or numbers with a decimal comma.
    """
    file = read_text(path, "Udacity's simulator")
    lines: list[Line] = []
    left_out: list[LeftOut] = []
    written = list(file.cells())
    columns: tuple[str, ...] | None = None
    for line, raw in written:
        cells = [cell.strip() for cell in raw]
        if columns is None:
            columns, header = _columns(file, line, cells)
            if header:
                continue
        if len(cells) != len(columns):
            if line == written[-1][0] and not file.whole and len(cells) < len(columns):
                left_out.append(LeftOut(line, "the line breaks off"))
                continue
            raise _miscounted(file, line, cells, len(columns))
        found = _line(line, dict(zip(columns, cells, strict=True)))
        (lines if isinstance(found, Line) else left_out).append(found)  # type: ignore[arg-type]
    return lines, left_out


def _columns(file: TextFile, line: int, cells: list[str]) -> tuple[tuple[str, ...], bool]:
    """The names of the columns, and whether this line is a header that says them."""
    named = tuple("brake" if cell.lower() == "reverse" else cell.lower() for cell in cells)
    if "center" in named or "steering" in named:
        if missing := set(COLUMNS[:1] + _NUMBERS) - set(named):
            raise file.refusal(f"its header lacks {', '.join(sorted(missing))}: {excerpt(cells)}")
        return named, True
    if len(cells) != len(COLUMNS):
        raise _miscounted(file, line, cells, len(COLUMNS))
    return COLUMNS, False


def _miscounted(file: TextFile, line: int, cells: list[str], wanted: int) -> KartError:
    hint = ""
    if wanted < len(cells) <= wanted + len(_NUMBERS):
        hint = "; its numbers seem to have decimal commas, put points there"
    return file.refusal(
        f"line {line} has {len(cells)} columns instead of {wanted} ({', '.join(COLUMNS)}): {excerpt(cells)}{hint}."
    )


def _line(line: int, cells: dict[str, str]) -> Line | LeftOut:
    numbers = {name: number(cells[name]) for name in _NUMBERS}
    for name, value in numbers.items():
        if value is None:
            return LeftOut(line, f"{name} is no number: {cells[name][:60]!r}")
    steer, throttle, brake, speed = (value for value in numbers.values() if value is not None)
    for name, value, least in (("steering", steer, -1.0), ("throttle", throttle, -1.0), ("brake", brake, 0.0)):
        if not least - _ROUNDING <= value <= 1 + _ROUNDING:  # NaN fails this too
            return LeftOut(line, f"{name} is {value:g}, outside [{least:g}, 1]")
    if not abs(speed) < 1e6:
        return LeftOut(line, f"speed is {speed:g}")
    # Both come from one axis of the driver's, the brake from its lower half.
    action = SPEC.clipped([steer, throttle - brake])
    pictures = {camera: cells.get(camera, "") for camera in COLUMNS[:3]}
    return Line(line, pictures, action.axes[0], action.axes[1], speed)


def _times(rows: list[Row]) -> list[int] | None:
    """When each picture was taken, by its name; None where not all names say so."""
    times = []
    for row in rows:
        stamp = _STAMP.search(PureWindowsPath(row.picture).name)
        try:
            # of no time zone; only differences count
            taken = datetime.strptime(f"{stamp[1]} +0000", "%Y_%m_%d_%H_%M_%S_%f %z") if stamp else None
        except ValueError:  # a thirteenth month
            taken = None
        if taken is None:
            return None
        times.append(round(taken.timestamp() * 1000) * 1_000_000)
    return times
