"""The frames of a session by row number, in any order."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from kart_pipeline.core.columns import decode_frame
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.video import VideoReader


class MappedFrames(Sequence[RGB]):
    """Frames by row number from a memory-mapped file; one row group is held at a time."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self._file = file
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        self._ends = np.cumsum(sizes).tolist()
        self._group = -1
        self._frames: Any = None

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, row: int) -> RGB:  # type: ignore[override]  # slices are not offered
        """uint8 `(H, W, 3)` of one row; negative rows count from the end."""
        return decode_frame(self.encoded(row))

    def encoded(self, row: int) -> bytes:
        """The same as the PNG or JPEG file that is stored."""
        position = _position(row, len(self))
        group = bisect_right(self._ends, position)
        if group != self._group:
            column = self._file.read_row_group(group, columns=["frame"]).column("frame").combine_chunks()
            self._frames, self._group = column.field("bytes"), group
        start = self._ends[group - 1] if group else 0
        data: bytes = self._frames[position - start].as_py()
        return data

    def close(self) -> None:
        """Unmap the file."""
        self._file.close()


class MappedVideo(Sequence[RGB]):
    """Frames by row number from a video; rows in order are cheap, others cost decoding from the last keyframe on.

    Args:
        file: an open binary file.
        steps: of the rows.
        rate_hz: of the session.
        session: its id.

    Raises:
        KartError: the video cannot be read.
    """

    def __init__(self, file: Any, steps: Sequence[int], rate_hz: float, session: str) -> None:
        self._file, self._steps = file, steps
        self._reader = VideoReader(file, rate_hz, session)

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, row: int) -> RGB:  # type: ignore[override]  # slices are not offered
        """uint8 `(H, W, 3)` of one row; negative rows count from the end. KartError where the frame is damaged."""
        return self._reader.frame(self._steps[_position(row, len(self))])

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._file.close()


def _position(row: int, rows: int) -> int:
    position = row + rows if row < 0 else row
    if not 0 <= position < rows:
        raise IndexError(f"row {row} of {rows}")
    return position
