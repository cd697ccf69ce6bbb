"""Files that are either whole or not there, and files that grow by whole pieces, whatever happens meanwhile."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block succeeds its content is synced and renamed into place.

    When the block raises, the temporary file is removed and `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, data: Any) -> None:
    """Write `data` as indented JSON through `replace_file`."""
    with replace_file(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


class RawFile(io.FileIO):
    """A new file without a buffer: what `write` returned from is with the system, and a failed `close` loses nothing.

    Raises:
        OSError: it exists, or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "xb")

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # bytes are enough
        """Write all of `data`, where a raw file may write a part of it (a full disk).

        Raises:
            OSError: the disk is full or gone; a part may have been written.
        """
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += super().write(view[done:])
        return done

    def append(self, data: bytes) -> None:
        """Write all of `data` at the end, or nothing.

        Raises:
            OSError: the disk is full or gone; the file is as it was.
        """
        end = self.seek(0, os.SEEK_END)
        try:
            self.write(data)
        except OSError:
            self.truncate(end)
            raise

    def sync(self) -> None:
        """Wait until what was written would survive a power cut; another thread may write, or close, meanwhile."""
        try:
            descriptor = self.fileno()
        except ValueError:  # closed
            return
        os.fsync(descriptor)
