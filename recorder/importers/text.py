"""Text files that other programs wrote, on other systems: BOM, line ends, code pages, what is no text at all."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class TextFile:
    """The content of `path`, a file of the program `program`; `whole` is false where the last line has no end."""

    path: Path
    program: str
    text: str

    @property
    def whole(self) -> bool:
        """Whether the last line was written to its end."""
        return self.text.endswith(("\n", "\r"))

    def refusal(self, why: str) -> KartError:
        """The file is none of the program's."""
        return KartError(f"{self.path} is not {self.program}'s: {why}")

    def lines(self) -> list[tuple[int, str]]:
        """The lines that are not blank, stripped, with their numbers from 1.

        Raises:
            KartError: there is none.
        """
        parts = re.split(r"\r+\n|\n|\r", self.text)  # Python's text mode on Windows makes \r\r\n of \r\n
        found = [(number, part.strip()) for number, part in enumerate(parts, 1) if part.strip()]
        if not found:
            raise KartError(f"{self.path} is empty.")
        return found

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        """The cells of each line of a CSV that is not blank, with its number from 1.

        Raises:
            KartError: there is none, or a line cannot be read.
        """
        reader = csv.reader(io.StringIO(self.text, newline=""))
        found = False
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    found = True
                    yield reader.line_num, cells
        except csv.Error as error:
            raise self.refusal(f"line {reader.line_num} cannot be read ({error}).") from error
        if not found:
            raise KartError(f"{self.path} is empty.")


def read_text(path: Path, program: str) -> TextFile:
    """The text of a file that `program` is said to have written.

    Raises:
        KartError: it cannot be read, or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KartError(f"{path} cannot be read: {error}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # what Python wrote on a western Windows
    file = TextFile(path, program, text)
    if binary := _CONTROL.search(text):
        line = text.count("\n", 0, binary.start()) + 1
        raise file.refusal(f"line {line} holds bytes that are no text.")
    return file


def number(text: str) -> float | None:
    """What `text` says, None where it is no number."""
    try:
        return float(text)
    except ValueError:
        return None


def excerpt(cells: Sequence[str]) -> str:
    """A line, for a sentence about it."""
    text = ",".join(cells)
    return repr(text if len(text) <= 60 else text[:57] + "...")
