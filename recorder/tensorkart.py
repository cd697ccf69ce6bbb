"""TensorKart's recordings: a folder of `img_N.png` and a `data.csv` without header (path, x, y, A, B, RB).

The format has no clock, no track and no game in it; its pictures' paths are relative to where its recorder once ran.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PureWindowsPath

from kart_pipeline.core.action import Action
from kart_pipeline.core.errors import KartError
from kart_pipeline.games.controls import N64_SPEC

CSV = "data.csv"
RATE_HZ = 3.6  # by the race clock in recorded pictures; its timer of 200 ms is re-armed after the work is done
_COLUMNS = 1 + len(N64_SPEC)
_ROUNDING = 1e-3  # -32768 / 32767 is a little beyond -1
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its number from 1, the path of its picture as written there, and what the driver did."""

    line: int
    picture: str
    action: Action


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that cannot be imported, and why."""

    line: int
    reason: str


def find_folders(given: Path) -> list[Path]:
    """The recordings at `given`: a folder with a data.csv, such a file itself, or a folder with such folders in it.

    Two levels down are searched, as TensorKart's own checkout has them in samples/<recording>/data.csv.

    Raises:
        KartError: there is none.
    """
    if given.is_file() and given.name == CSV:
        return [given.parent]
    if (given / CSV).is_file():
        return [given]
    inside = sorted(path.parent for depth in ("*", "*/*") for path in given.glob(f"{depth}/{CSV}"))
    if not inside:
        raise KartError(f"{given} holds no {CSV}, nor do the folders in it; name a folder that TensorKart recorded.")
    return inside


def read_csv(path: Path) -> tuple[list[Row], list[LeftOut]]:
    """The lines of a data.csv, and those whose labels are not usable.

    Raises:
        KartError: it is no such file at all: empty, binary, with a header, or with another number of columns.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KartError(f"{path} cannot be read: {error}.") from error
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    whole = data.endswith((b"\n", b"\r"))
    lines = list(_split(path, data))
    for number, cells in lines:
        if len(cells) != _COLUMNS:
            if number == lines[-1][0] and not whole and rows:
                left_out.append(LeftOut(number, "the line breaks off"))
                continue
            raise KartError(
                f"{path} is not TensorKart's: line {number} has {len(cells)} columns instead of {_COLUMNS} "
                f"(path, x, y, A, B, RB): {_excerpt(cells)}"
            )
        try:
            numbers = [float(cell) for cell in cells[1:]]
        except ValueError:
            if not rows and not left_out and not any(map(_is_number, cells[1:])):
                raise KartError(
                    f"{path} begins with a header ({_excerpt(cells)}), which TensorKart's files do not have; "
                    "take line 1 out if the columns are path, x, y, A, B, RB."
                ) from None
            left_out.append(LeftOut(number, f"a label is no number: {_excerpt(cells[1:])}"))
            continue
        reason = _out_of_range(numbers)
        if reason:
            left_out.append(LeftOut(number, reason))
        else:
            rows.append(Row(number, cells[0], N64_SPEC.clipped(numbers)))
    return rows, left_out


def _split(path: Path, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that is not blank, with its number."""
    binary = _CONTROL.search(data)
    if binary:
        line = data.count(b"\n", 0, binary.start()) + 1
        raise KartError(f"{path} is not TensorKart's: line {line} holds bytes that are no text.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # what Python wrote on a western Windows
    reader = csv.reader(io.StringIO(text, newline=""))
    found = False
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found = True
                yield reader.line_num, cells
    except csv.Error as error:
        raise KartError(f"{path} is not TensorKart's: line {reader.line_num} cannot be read ({error}).") from error
    if not found:
        raise KartError(f"{path} is empty.")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _out_of_range(numbers: Sequence[float]) -> str | None:
    for name, value in zip(N64_SPEC.names, numbers, strict=True):
        if name in N64_SPEC.axes and not abs(value) <= 1 + _ROUNDING:  # NaN fails this too
            return f"{name} is {value:g}, outside [-1, 1]"
        if name in N64_SPEC.buttons and value not in (0, 1):
            return f"{name} is {value:g}, neither 0 nor 1"
    return None


def _excerpt(cells: Sequence[str]) -> str:
    text = ",".join(cells)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def find_picture(written: str, folder: Path) -> Path | None:
    """The picture that a line of `folder`'s data.csv means, None where there is none.

    The path was right on the recording machine, seen from the folder that TensorKart ran in. So the longest end of it
    that leads somewhere from the csv's own folder is taken; only then the path as it stands. Windows' separators count.
    """
    path = PureWindowsPath(written.strip())
    parts = [part for part in path.parts[1 if path.anchor else 0 :] if part != ".."]
    for start in range(len(parts)):
        found = folder.joinpath(*parts[start:])
        if _is_file(found):
            return found
    as_given = Path(path.as_posix())
    return as_given if _is_file(as_given) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the system allows
        return False


def ticks(rows: Sequence[Row]) -> list[int]:
    """Which tick of the recorder's timer each row was: the number in `img_N` where all have one and it grows.

    A lap from which somebody took pictures out keeps its gaps that way. Otherwise rows are counted.
    """
    numbers = [re.fullmatch(r"img_(\d{1,9})\.\w+", PureWindowsPath(row.picture).name) for row in rows]
    found = [int(match[1]) for match in numbers if match]
    if len(found) == len(rows) and all(a < b for a, b in pairwise(found)):
        return found
    return [row.line - 1 for row in rows]
