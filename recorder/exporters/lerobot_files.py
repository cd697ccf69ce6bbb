"""The Parquet files of a LeRobot dataset: rows, episodes and tasks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

CHUNK_FILES = 1000  # in a folder
DATA_MB = 100  # of a file, after which the next episode begins another
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_EPISODES = "meta/episodes/chunk-000/file-000.parquet"
_TASKS = "meta/tasks.parquet"
_BATCH = 64  # rows in memory
_COMPRESSION = "snappy"
_TYPES = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_()}


class DataFiles:
    """The rows of all episodes, each episode in one file; a context manager.

    Attributes:
        rows: so many were added.
        at: chunk and file of the episode that was begun last.
    """

    def __init__(self, folder: Path, features: Mapping[str, Mapping[str, Any]]) -> None:
        self.rows = 0
        self.at = (0, 0)
        self._folder = folder
        self._schema = data_schema(features)
        self._waiting: list[dict[str, Any]] = []
        self._writer: pq.ParquetWriter | None = None
        self._bytes = 0

    def begin_episode(self) -> None:
        """The rows that follow are of one episode."""
        if self._writer is not None and self._bytes < DATA_MB * 2**20:
            return
        if self._writer is not None:
            self._close()
            chunk, file = self.at
            self.at = (chunk + 1, 0) if file + 1 == CHUNK_FILES else (chunk, file + 1)
        path = self._folder / DATA_PATH.format(chunk_index=self.at[0], file_index=self.at[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(path, self._schema, compression=_COMPRESSION)
        self._bytes = 0

    def add(self, row: dict[str, Any]) -> None:
        """One row, a value for each feature."""
        self._waiting.append(row)
        self._bytes += sum(len(value["bytes"]) for value in row.values() if isinstance(value, dict))
        self.rows += 1
        if len(self._waiting) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._writer is not None and self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, self._schema))
            self._waiting.clear()

    def _close(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._close()


def data_schema(features: Mapping[str, Mapping[str, Any]]) -> pa.Schema:
    """Arrow types of LeRobot's features, and the key by which `datasets` knows pictures."""
    fields: list[pa.Field] = []
    shown: dict[str, Any] = {}
    for name, feature in features.items():
        dtype, size = feature["dtype"], feature["shape"][0]
        if dtype == "image":
            fields.append(pa.field(name, pa.struct([("bytes", pa.binary()), ("path", pa.string())])))
            shown[name] = {"_type": "Image"}
        elif feature["shape"] == [1]:
            fields.append(pa.field(name, _TYPES[dtype]))
            shown[name] = {"dtype": dtype, "_type": "Value"}
        else:
            fields.append(pa.field(name, pa.list_(_TYPES[dtype], size)))
            shown[name] = {"feature": {"dtype": dtype, "_type": "Value"}, "length": size, "_type": "Sequence"}
    return pa.schema(fields, metadata={b"huggingface": json.dumps({"info": {"features": shown}}).encode()})


def write_episodes(folder: Path, episodes: Sequence[Mapping[str, Any]]) -> None:
    """meta/episodes: where each episode's rows are, and its statistics as columns stats/<feature>/<which>."""
    flat = []
    for episode in episodes:
        row: dict[str, Any] = {name: value for name, value in episode.items() if name != "stats"}
        for feature, stats in episode["stats"].items():
            row |= {f"stats/{feature}/{which}": value.tolist() for which, value in stats.items()}
        flat.append(row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0})
    path = folder / _EPISODES
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(flat), path, compression=_COMPRESSION)


def write_tasks(folder: Path, tasks: Mapping[str, int]) -> None:
    """meta/tasks.parquet: a pandas table whose index is the sentence; LeRobot looks tasks up by it."""
    table = pa.table({"task_index": pa.array(tasks.values(), pa.int64()), "task": pa.array(tasks, pa.string())})
    columns = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
        for name, kind, numpy in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ]
    index = [{"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object", "metadata": None}]
    pandas = {"index_columns": ["task"], "column_indexes": index, "columns": columns, "pandas_version": "2.2.0"}
    path = folder / _TASKS
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), path)
