"""Reading a finished session: streaming with flat memory, mapped for random access, or its table without pictures."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kart_pipeline.core.columns import decode_frame, schema, to_step
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.recording import MANIFEST, STEPS

_STREAM_ROWS = 64  # rows in memory at a time while streaming


class Session:
    """A finished session in a store.

    Args:
        filesystem: an fsspec filesystem.
        folder: the session's folder in it.

    Raises:
        KartError: no such finished session, or a manifest that cannot be read.
    """

    def __init__(self, filesystem: Any, folder: str) -> None:
        self._filesystem = filesystem
        self._folder = folder
        self.id = checked_id(folder.rsplit("/", 1)[-1])

    @cached_property
    def manifest(self) -> Manifest:
        """What the session says about itself."""
        try:
            data = json.loads(self._filesystem.cat_file(f"{self._folder}/{MANIFEST}"))
        except FileNotFoundError:
            raise KartError(f"There is no finished session {self.id} in {self._folder.rpartition('/')[0]}.") from None
        except ValueError as error:
            raise KartError(f"The manifest of session {self.id} is damaged: {error}.") from error
        manifest = Manifest.from_dict(data)
        if manifest.id != self.id:
            raise KartError(f"The folder {self.id} holds session {manifest.id}; rename the folder back.")
        return manifest

    @property
    def local_path(self) -> Path | None:
        """The session's folder where the store is a local one, else None."""
        protocol = self._filesystem.protocol
        names = (protocol,) if isinstance(protocol, str) else protocol
        return Path(self._folder) if "file" in names else None

    def _open(self, *, mapped: bool = False) -> pq.ParquetFile:
        path = f"{self._folder}/{STEPS}"
        try:
            if mapped:
                if self.local_path is None:
                    raise KartError(f"Session {self.id} is in a remote store; only a local one can be mapped.")
                return pq.ParquetFile(path, memory_map=True)
            return pq.ParquetFile(self._filesystem.open(path, "rb"), pre_buffer=False)
        except FileNotFoundError:
            raise KartError(f"Session {self.id} has a manifest but no {STEPS}; restore it from a copy.") from None
        except (pa.ArrowInvalid, OSError) as error:
            raise KartError(f"{STEPS} of session {self.id} cannot be read: {error}.") from error

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All columns but the frames, or the named ones, as an Arrow table of one row a step."""
        wanted = [name for name in schema(self.manifest).names if name != "frame"] if columns is None else [*columns]
        with self._open() as file:
            return file.read(columns=wanted)

    def encoded(self) -> Iterator[bytes]:
        """The frames as stored (PNG or JPEG files), in row order; memory stays flat in the session's length."""
        with self._open() as file:
            for batch in file.iter_batches(batch_size=_STREAM_ROWS, columns=["frame"]):
                for data in batch.column("frame").field("bytes"):
                    yield data.as_py()

    def steps(self) -> Iterator[Step]:
        """All steps, decoded one by one; memory stays flat in the session's length."""
        with self._open() as file:
            for batch in file.iter_batches(batch_size=_STREAM_ROWS):
                for row in batch.to_pylist():
                    yield to_step(row, self.manifest)

    def map(self) -> "MappedFrames":
        """Random access to the frames of a session in a local store."""
        return MappedFrames(self._open(mapped=True))

    def verify(self) -> None:
        """Compare file and manifest.

        Raises:
            KartError: another digest or row count than the manifest says, or columns that do not fit its spec.
        """
        digest = hashlib.sha256()
        with self._filesystem.open(f"{self._folder}/{STEPS}", "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        if digest.hexdigest() != self.manifest.digest:
            raise KartError(f"{STEPS} of session {self.id} is not what was recorded: its digest has changed.")
        with self._open() as file:
            if file.metadata.num_rows != self.manifest.steps:
                raise KartError(
                    f"Session {self.id} has {file.metadata.num_rows} rows; its manifest says {self.manifest.steps}."
                )
            if file.schema_arrow.names != schema(self.manifest).names:
                raise KartError(f"The columns of session {self.id} do not fit its manifest's action spec and state.")


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
        position = row + len(self) if row < 0 else row
        if not 0 <= position < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        group = bisect_right(self._ends, position)
        if group != self._group:
            column = self._file.read_row_group(group, columns=["frame"]).column("frame").combine_chunks()
            self._frames, self._group = column.field("bytes"), group
        start = self._ends[group - 1] if group else 0
        return decode_frame(self._frames[position - start].as_py())

    def close(self) -> None:
        """Unmap the file."""
        self._file.close()
