"""Reading a finished session: streaming with flat memory, with random access, or its table without pictures."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kart_pipeline.core.columns import decode_frame, encode_frame, schema, to_step
from kart_pipeline.core.edits import FILE as EDITS
from kart_pipeline.core.edits import UNEDITED, Edits, parse_edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.mapped import MappedFrames, MappedVideo
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.recording import MANIFEST, STEPS, digest_file
from kart_pipeline.core.video import VIDEO, VideoReader

_STREAM_ROWS = 64  # rows in memory at a time while streaming

# What Arrow raises where a file is not what was written.
DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError, MemoryError)

_NO_FRAME = np.empty((0, 0, 3), np.uint8)


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
    def edits(self) -> Edits:
        """What a person has left out of it afterwards, as it is saved now.

        Raises:
            KartError: the file beside the session is damaged, or of a newer release.
        """
        try:
            text = self._filesystem.cat_file(f"{self._folder}/{EDITS}")
        except FileNotFoundError:
            return UNEDITED
        return parse_edits(text, self.id)

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
                file = pq.ParquetFile(path, memory_map=True)
            else:
                file = pq.ParquetFile(self._filesystem.open(path, "rb"), pre_buffer=False)
            if lacking := sorted({*schema(self.manifest).names} - {*file.schema_arrow.names}):
                file.close(force=True)
                raise pa.ArrowInvalid(f"it lacks {', '.join(lacking)}")
            return file
        except FileNotFoundError:
            raise KartError(f"Session {self.id} has a manifest but no {STEPS}; restore it from a copy.") from None
        except DAMAGE as error:
            raise self._damaged(error) from error

    def _damaged(self, error: BaseException) -> KartError:
        why = str(error).splitlines()[0] if str(error) else repr(error)
        return KartError(f"{STEPS} of session {self.id} is damaged ({why}); restore it from a copy.")

    @contextmanager
    def _rows(self) -> Iterator[pq.ParquetFile]:
        """The open file; what it turns out not to hold is said in a sentence."""
        with self._open() as file:
            try:
                yield file
            except DAMAGE as error:
                raise self._damaged(error) from error

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All columns but the frames, or the named ones, as an Arrow table of one row a step."""
        wanted = [name for name in schema(self.manifest).names if name != "frame"] if columns is None else [*columns]
        with self._rows() as file:
            table = file.read(columns=wanted)
            if table.column_names != wanted:
                raise pa.ArrowInvalid(f"it lacks {', '.join(sorted({*wanted} - {*table.column_names}))}")
            table.validate(full=True)
            return table

    def pictures(self) -> Iterator[bytes | RGB]:
        """The frames in row order: PNG or JPEG files as stored, or uint8 `(H, W, 3)` of a video.

        Memory stays flat in the session's length. A frame that is missing in a damaged video is empty bytes.
        """
        if not self.manifest.is_video:
            with self._rows() as file:
                for batch in file.iter_batches(batch_size=_STREAM_ROWS, columns=["frame"]):
                    for data in batch.column("frame").field("bytes"):
                        yield data.as_py()
            return
        with self._video_file() as file, closing(VideoReader(file, self.manifest.rate_hz, self.id)) as reader:
            frames = reader.frames()
            at, rgb = -1, _NO_FRAME
            for step in self.table(["step"]).column("step").to_pylist():
                while at < step and (following := next(frames, None)) is not None:
                    at, rgb = following
                yield rgb if at == step else b""

    def encoded(self) -> Iterator[bytes]:
        """The frames as PNG or JPEG files, in row order, as stored; those of a video as PNG. Memory as `pictures`."""
        for picture in self.pictures():
            yield picture if isinstance(picture, bytes) else encode_frame(picture, "png")

    def steps(self) -> Iterator[Step]:
        """All steps, decoded one by one; memory stays flat in the session's length.

        Raises:
            KartError: a frame is damaged.
        """
        with self._rows() as file:
            rows = (row for batch in file.iter_batches(batch_size=_STREAM_ROWS) for row in batch.to_pylist())
            pictures = self.pictures() if self.manifest.is_video else None
            for row in rows:
                picture = row["frame"]["bytes"] if pictures is None else next(pictures)
                yield to_step(row, decode_frame(picture) if isinstance(picture, bytes) else picture, self.manifest)

    def map(self) -> MappedFrames | MappedVideo:
        """Random access to the frames of a session in a local store."""
        if not self.manifest.is_video:
            return MappedFrames(self._open(mapped=True))
        steps = self.table(["step"]).column("step").to_pylist()
        return MappedVideo(self._video_file(), steps, self.manifest.rate_hz, self.id)

    def _video_file(self) -> Any:
        try:
            return self._filesystem.open(f"{self._folder}/{VIDEO}", "rb")
        except FileNotFoundError:
            raise KartError(f"Session {self.id} has a manifest but no {VIDEO}; restore it from a copy.") from None

    def verify(self) -> None:
        """Compare file and manifest.

        Raises:
            KartError: another digest or row count than the manifest says, or columns that do not fit its spec.
        """
        names = [STEPS, VIDEO] if self.manifest.is_video else [STEPS]
        digest = hashlib.sha256()
        for name in names:
            with self._filesystem.open(f"{self._folder}/{name}", "rb") as file:
                digest_file(file, digest)
        if digest.hexdigest() != self.manifest.digest:
            raise KartError(
                f"{' or '.join(names)} of session {self.id} is not what was recorded: its digest has changed."
            )
        with self._rows() as file:
            if file.metadata.num_rows != self.manifest.steps:
                raise KartError(
                    f"Session {self.id} has {file.metadata.num_rows} rows; its manifest says {self.manifest.steps}."
                )
            if file.schema_arrow.names != schema(self.manifest).names:
                raise KartError(f"The columns of session {self.id} do not fit its manifest's action spec and state.")
