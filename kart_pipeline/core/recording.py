"""From the stream that a recorder leaves to the files of a finished session."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kart_pipeline.core.columns import decode_frame, header_of
from kart_pipeline.core.durable import replace_file, write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest, SessionHeader

STREAM, STEPS, MANIFEST = "recording.arrows", "steps.parquet", "manifest.json"

GROUP_BYTES = 4 << 20  # frames per Parquet row group: what random access to one frame reads at most


def recorded_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The whole batches of a recording stream; a torn tail ends it.

    Raises:
        KartError: not even the header of the stream is whole.
    """
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise KartError(f"The recording in {path.parent} broke off before its first frame ({error}).") from error
        yield pa.RecordBatch.from_pylist([], schema=stream.schema)  # the schema, even where no batch follows
        while True:
            try:
                batch = stream.read_next_batch()
                batch.validate(full=True)
            except (StopIteration, pa.ArrowInvalid, OSError):
                return
            yield batch


def finalise(folder: Path, ended: str, score: float | None, notes: Mapping[str, Any] | None = None) -> Manifest:
    """Make `steps.parquet` and then `manifest.json` from the stream in `folder`, and remove the stream.

    Memory stays flat in the length of the session. Interrupted at any point, it can simply run again.

    Raises:
        KartError: the stream holds no whole batch of frames.
    """
    batches = recorded_batches(folder / STREAM)
    empty = next(batches)
    header = header_of(empty.schema)
    tally = _Tally(header)
    with replace_file(folder / STEPS) as temporary:
        with pq.ParquetWriter(temporary, empty.schema, **_parquet_options(empty.schema)) as writer:
            group: list[pa.RecordBatch] = []
            for batch in batches:
                tally.add(batch)
                group.append(batch)
                if sum(item.nbytes for item in group) >= GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(group))
                    group = []
            if group:
                writer.write_table(pa.Table.from_batches(group))
        if not tally.steps:
            raise KartError(f"The recording in {folder} holds no whole batch of frames; delete the folder.")
        digest = file_digest(temporary)
    manifest = tally.manifest(digest, ended, score, notes or {})
    write_json(folder / MANIFEST, manifest.to_dict())
    (folder / STREAM).unlink()
    return manifest


def _parquet_options(stored: pa.Schema) -> dict[str, Any]:
    """Frames are compressed already and stay plain, so that a mapped file hands them out without a copy."""
    plain = "frame.bytes"
    columns = [f"{item.name}.{child.name}" for item in stored if pa.types.is_struct(item.type) for child in item.type]
    columns += [item.name for item in stored if not pa.types.is_struct(item.type)]
    return {
        "compression": {name: "NONE" if name == plain else "ZSTD" for name in columns},
        "use_dictionary": ["actor"],
        "write_statistics": ["step", "t_ns"],
    }


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Tally:
    """What the manifest counts, gathered batch by batch."""

    def __init__(self, header: SessionHeader) -> None:
        self._header = header
        self.steps = self._labelled = self._interventions = 0
        self._first_ns = self._last_ns = 0
        self._size = (0, 0)

    def add(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        times = batch.column("t_ns")
        if not self.steps:
            height, width = decode_frame(batch.column("frame")[0]["bytes"].as_py()).shape[:2]
            self._first_ns, self._size = times[0].as_py(), (width, height)
        self._last_ns = times[-1].as_py()
        self.steps += batch.num_rows
        self._labelled += batch.num_rows - batch.column(f"label_{self._header.spec.names[0]}").null_count
        self._interventions += sum(batch.column("intervention").to_pylist())

    def manifest(self, digest: str, ended: str, score: float | None, notes: Mapping[str, Any]) -> Manifest:
        header = {name: getattr(self._header, name) for name in SessionHeader.__dataclass_fields__}
        return Manifest(
            **header | {"notes": {**self._header.notes, **notes}},
            steps=self.steps,
            labelled=self._labelled,
            interventions=self._interventions,
            width=self._size[0],
            height=self._size[1],
            duration_s=(self._last_ns - self._first_ns) / 1e9 + 1 / self._header.rate_hz,
            digest=digest,
            ended=ended,
            score=score,
        )
