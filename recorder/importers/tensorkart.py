"""TensorKart's recordings: a folder of `img_N.png` and a `data.csv` without header (path, x, y, A, B, RB).

The format has no clock, no track and no game in it; its pictures' paths are relative to where its recorder once ran.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PureWindowsPath

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.controls import N64_SPEC
from recorder.importers.base import Format, LeftOut, Recording, Row
from recorder.importers.pictures import find_picture
from recorder.importers.text import excerpt, number, read_text

CSV = "data.csv"
RATE_HZ = 3.6  # by the race clock in recorded pictures; its timer of 200 ms is re-armed after the work is done
_COLUMNS = 1 + len(N64_SPEC)
_ROUNDING = 1e-3  # -32768 / 32767 is a little beyond -1


class TensorKart(Format):
    """What TensorKart recorded; its own checkout has recordings in samples/<recording>/data.csv."""

    name = "tensorkart"
    game = "mario_kart_64"
    marker = CSV

    def read(self, folder: Path) -> list[Recording]:
        """See `Format.read`."""
        rows, left_out = read_csv(folder / CSV)
        return [
            Recording(
                folder=folder,
                labels=folder / CSV,
                spec=N64_SPEC,
                rows=rows,
                left_out=left_out,
                pictures=[find_picture(row.picture, folder) for row in rows],
                ticks=ticks(rows),
                rate_hz=RATE_HZ,
            )
        ]


def read_csv(path: Path) -> tuple[list[Row], list[LeftOut]]:
    """The lines of a data.csv, and those whose labels are not usable.

    Raises:
        KartError: it is no such file at all: empty, binary, with a header, or with another number of columns.
    """
    file = read_text(path, "TensorKart")
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    lines = list(file.cells())
    for line, cells in lines:
        if len(cells) != _COLUMNS:
            if line == lines[-1][0] and not file.whole and rows:
                left_out.append(LeftOut(line, "the line breaks off"))
                continue
            raise file.refusal(
                f"line {line} has {len(cells)} columns instead of {_COLUMNS} (path, x, y, A, B, RB): {excerpt(cells)}"
            )
        numbers = [found for cell in cells[1:] if (found := number(cell)) is not None]
        if not numbers and not rows and not left_out:
            raise KartError(
                f"{path} begins with a header ({excerpt(cells)}), which TensorKart's files do not have; "
                "take line 1 out if the columns are path, x, y, A, B, RB."
            )
        if len(numbers) < len(N64_SPEC):
            left_out.append(LeftOut(line, f"a label is no number: {excerpt(cells[1:])}"))
        elif reason := _out_of_range(numbers):
            left_out.append(LeftOut(line, reason))
        else:
            rows.append(Row(line, cells[0], N64_SPEC.clipped(numbers)))
    return rows, left_out


def _out_of_range(numbers: Sequence[float]) -> str | None:
    for name, value in zip(N64_SPEC.names, numbers, strict=True):
        if name in N64_SPEC.axes and not abs(value) <= 1 + _ROUNDING:  # NaN fails this too
            return f"{name} is {value:g}, outside [-1, 1]"
        if name in N64_SPEC.buttons and value not in (0, 1):
            return f"{name} is {value:g}, neither 0 nor 1"
    return None


def ticks(rows: Sequence[Row]) -> list[int]:
    """Which tick of the recorder's timer each row was: the number in `img_N` where all have one and it grows.

    A lap from which somebody took pictures out keeps its gaps that way. Otherwise rows are counted.
    """
    numbers = [re.fullmatch(r"img_(\d{1,9})\.\w+", PureWindowsPath(row.picture).name) for row in rows]
    found = [int(match[1]) for match in numbers if match]
    if len(found) == len(rows) and all(a < b for a, b in pairwise(found)):
        return found
    return [row.line - 1 for row in rows]
