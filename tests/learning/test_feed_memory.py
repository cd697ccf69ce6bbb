"""A training set ten times as large as the memory that a process is allowed: it is read all the same, each row once."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.datasets.frames_info import FRAMES, INFO, LABELS, read_frames_info
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set

ROOM_MB = 32  # beyond what the process has when it begins to read
FEED = """
import json, resource, sys
from itertools import islice
from pathlib import Path
import numpy as np
from kart_pipeline.datasets.training_set import load_training_set
from kart_pipeline.learning.pipeline import BatchReader, shuffled

def kilobytes(kind):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind + ":"))

made, room = load_training_set(Path(sys.argv[1])), int(sys.argv[2])
rows, reader = made.rows("train"), BatchReader(made)
seen, most, before = np.zeros(len(rows), int), 0, kilobytes("RssAnon")
limit = 1024 * kilobytes("VmData") + room
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
for pick in islice(shuffled(len(rows), 64, 0), len(rows) // 64):
    images = reader.read(rows.session_index[pick], rows.row[pick])
    seen[images[:, 0, 0].astype(int) @ [1, 256, 65536]] += 1
    most = max(most, kilobytes("RssAnon") - before)
refused = False
try:
    np.array(made.frames(int(rows.session_index[0])))
except MemoryError:
    refused = True
print(json.dumps({"times": np.bincount(seen).tolist(), "grown": 1024 * most, "refused": refused}))
"""


@pytest.fixture
def large(make_training_set: Callable[..., TrainingSet], contract: Contract) -> TrainingSet:
    """One drive to learn from, whose frames are a sparse file; each begins with its number."""
    wide = replace(contract, width=200)
    made = make_training_set(wide)
    root, count = made.path.parents[2], 64 * (10 * ROOM_MB * 2**20 // (64 * int(np.prod(wide.frame_shape))) + 1)
    learned = made.sessions[int(made.rows("train").session_index[0])].id
    info = read_frames_info(root, wide.hash, learned)
    assert info is not None
    number = np.arange(count)
    table = info.labels().take(pa.array(number % info.frames))
    for name in ("row", "step"):
        table = table.set_column(
            table.column_names.index(name),
            table.schema.field(name),
            [pa.array(number).cast(table.schema.field(name).type)],
        )
    pq.write_table(table, info.folder / LABELS)
    frames = np.lib.format.open_memmap(info.folder / FRAMES, "w+", np.uint8, (count, *wide.frame_shape))
    frames[:, 0, 0] = number[:, None] >> (0, 8, 16) & 255
    frames.flush()
    del frames
    (info.folder / INFO).write_text(json.dumps(replace(info, frames=count, labelled=count).to_dict()), encoding="utf-8")
    larger = build_training_set(root, wide, "drawn")
    assert len(larger.rows("train")) == count
    return larger


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's own memory and tells it from maps")
def test_an_epoch_of_ten_times_the_memory_is_read_once_and_within_it(large: TrainingSet) -> None:
    room = ROOM_MB * 2**20
    assert len(large.rows("train")) * int(np.prod(large.contract.frame_shape)) >= 10 * room
    command = [sys.executable, "-c", FEED, str(large.path), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["times"] == [0, len(large.rows("train"))], "each row exactly once"
    assert found["grown"] < room
    assert found["refused"], "the limit holds: a copy of the frames in memory is impossible"
