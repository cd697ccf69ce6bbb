"""Sessions: what is written comes back, streamed or mapped; damage is named; a dead recorder loses little."""

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.columns import decode_picture
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.recording import recorded_batches
from kart_pipeline.core.session_writer import SessionWriter, repair
from kart_pipeline.core.store import Store

Header = Callable[..., SessionHeader]
Steps = Callable[..., Iterator[Step]]


def record(store: Store, header: SessionHeader, steps: Iterator[Step]) -> Manifest:
    with store.create(header) as writer:
        for step in steps:
            writer.append(step)
        writer.finish("finished", score=12.5)
    assert writer.manifest is not None
    return writer.manifest


@pytest.mark.parametrize("count", [1, 63, 64, 200])
def test_what_was_recorded_comes_back(tmp_path: Path, header: Header, steps: Steps, count: int) -> None:
    store = Store(tmp_path)
    record(store, header(), steps(count))
    session = store.open("s1")
    session.verify()
    read = list(session.steps())
    assert len(read) == count
    for got, wanted in zip(read, steps(count), strict=True):
        assert got.index == wanted.index
        assert got.choice.action == wanted.choice.action
        assert got.choice.label == wanted.choice.label
        assert got.choice.actor == wanted.choice.actor
        assert got.choice.intervention == wanted.choice.intervention
        assert got.frame.t_ns == wanted.frame.t_ns
        assert got.frame.state == wanted.frame.state
        np.testing.assert_array_equal(got.frame.rgb, wanted.frame.rgb)


def test_the_manifest_counts_and_describes(tmp_path: Path, header: Header, steps: Steps) -> None:
    manifest = record(Store(tmp_path), header(track="seed-7", driver={"kind": "expert"}), steps(30))
    assert (manifest.steps, manifest.labelled, manifest.interventions) == (30, 20, 6)
    assert (manifest.width, manifest.height) == (16, 12)
    assert manifest.duration_s == pytest.approx(30 / 20)
    assert (manifest.ended, manifest.score) == ("finished", 12.5)
    assert manifest.state == ("speed",)
    assert manifest.group == "s1"
    assert Manifest.from_dict(json.loads(json.dumps(manifest.to_dict()))) == manifest


def test_mapped_frames_are_the_streamed_ones_in_any_order(tmp_path: Path, header: Header, steps: Steps) -> None:
    record(Store(tmp_path), header(), steps(40, size=(200, 200)))  # large enough for several row groups
    session = Store(tmp_path).open("s1")
    streamed = [step.frame.rgb for step in session.steps()]
    mapped = session.map()
    assert len(mapped) == 40
    for row in (39, 0, 17, -1, 20):
        np.testing.assert_array_equal(mapped[row], streamed[row])
    with pytest.raises(IndexError):
        mapped[40]
    mapped.close()


def test_streaming_takes_no_more_memory_for_a_longer_session(tmp_path: Path, header: Header, steps: Steps) -> None:
    def peak(session_id: str, count: int) -> int:
        record(Store(tmp_path), header(session_id), steps(count, size=(64, 64)))
        session = Store(tmp_path).open(session_id)
        pa.default_memory_pool().release_unused()
        before = pa.total_allocated_bytes()
        most = 0
        tracemalloc.start()
        for _ in session.encoded():
            most = max(most, pa.total_allocated_bytes() - before + tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        return most

    short, long = peak("short", 800), peak("long", 3200)
    assert long < 1.5 * short


def test_the_table_leaves_the_pictures_out(tmp_path: Path, header: Header, steps: Steps) -> None:
    record(Store(tmp_path), header(), steps(9))
    table = Store(tmp_path).open("s1").table()
    assert table.num_rows == 9
    assert "frame" not in table.column_names
    assert table.column("label_steer").null_count == 3
    assert Store(tmp_path).open("s1").table(["steer"]).column_names == ["steer"]


def test_parquet_says_to_huggingface_that_frames_are_images(tmp_path: Path, header: Header, steps: Steps) -> None:
    record(Store(tmp_path), header(), steps(2))
    stored = pq.read_schema(tmp_path / "s1" / "steps.parquet")
    features = json.loads(stored.metadata[b"huggingface"])["info"]["features"]
    assert features["frame"] == {"_type": "Image"}
    assert list(features) == stored.names


def test_jpeg_frames_come_back_nearly_the_same(tmp_path: Path, header: Header) -> None:
    y, x = np.mgrid[0:48, 0:64]
    rgb = np.stack([x * 4, y * 5, x + y], axis=-1).astype(np.uint8)
    action = header().spec.neutral()
    record(Store(tmp_path), header(codec="jpeg"), iter([Step(0, Frame(rgb, 0), Choice(action, "human", action))]))
    (step,) = Store(tmp_path).open("s1").steps()
    assert np.abs(step.frame.rgb.astype(int) - rgb).mean() < 3


def test_an_exception_while_recording_still_leaves_a_whole_session(
    tmp_path: Path, header: Header, steps: Steps
) -> None:
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt), store.create(header()) as writer:
        for step in steps(10):
            writer.append(step)
        raise KeyboardInterrupt
    assert store.manifest("s1").ended == "interrupted"
    assert store.manifest("s1").steps == 10


def test_a_session_without_a_frame_leaves_nothing(tmp_path: Path, header: Header) -> None:
    store = Store(tmp_path)
    with pytest.raises(KartError, match="before its first frame"), store.create(header()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_recorders_cannot_write_one_session(tmp_path: Path, header: Header, steps: Steps) -> None:
    store = Store(tmp_path)
    record(store, header(), steps(3))
    with pytest.raises(KartError, match="already exists"):
        store.create(header())


def test_another_action_spec_is_refused(tmp_path: Path, header: Header) -> None:
    other = ActionSpec(("steer",)).neutral()
    step = Step(0, Frame(np.zeros((4, 4, 3), np.uint8), 0), Choice(other, "human", other))
    with pytest.raises(KartError, match="another action spec") as caught, Store(tmp_path).create(header()) as writer:
        writer.append(step)
    assert "could not be closed" in caught.value.__notes__[0]


def test_a_changed_file_is_found_out(tmp_path: Path, header: Header, steps: Steps) -> None:
    record(Store(tmp_path), header(), steps(5))
    file = tmp_path / "s1" / "steps.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(KartError, match="digest has changed"):
        Store(tmp_path).open("s1").verify()


@pytest.mark.parametrize("column", ["frame", "steer", "step"])
def test_whoever_reads_is_told_of_a_column_that_is_missing(
    tmp_path: Path, header: Header, steps: Steps, column: str
) -> None:
    store = Store(tmp_path)
    with store.create(header()) as writer:
        for step in steps(3):
            writer.append(step)
    path, session = tmp_path / "s1" / "steps.parquet", store.open("s1")
    pq.write_table(pq.read_table(path).drop_columns([column]), path)
    for read in (session.table, lambda: list(session.pictures()), lambda: list(session.steps()), session.map):
        with pytest.raises(KartError, match=f"steps.parquet of session s1 is damaged .it lacks {column}."):
            read()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "damaged"),
        ("{}", "damaged"),
        ("[]", "damaged"),
        ('{"format": 3, "id": "s1"}', "newer than this release"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(
    tmp_path: Path, header: Header, steps: Steps, text: str, sentence: str
) -> None:
    record(Store(tmp_path), header(), steps(2))
    (tmp_path / "s1" / "manifest.json").write_text(text)
    with pytest.raises(KartError, match=sentence):
        Store(tmp_path).manifest("s1")


# A recorder that dies: everything in whole batches survives.


def torn_stream(folder: Path, header: SessionHeader, steps: Iterator[Step], batches: int) -> None:
    """A recording of `batches` flushed batches of 4 steps whose process is gone."""
    writer = SessionWriter(folder, header)
    for position, step in enumerate(steps):
        writer.append(step)
        if position % 4 == 3:
            writer.flush()
    writer._release()
    assert sum(1 for batch in recorded_batches(folder / "recording.arrows") if batch.num_rows) >= batches


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1))
def test_a_stream_cut_anywhere_is_readable_up_to_its_last_whole_batch(
    tmp_path_factory: pytest.TempPathFactory, header: Header, steps: Steps, cut: float
) -> None:
    store = tmp_path_factory.mktemp("store")
    torn_stream(store / "s1", header(), steps(20), batches=5)
    stream = store / "s1" / "recording.arrows"
    whole = stream.read_bytes()
    stream.write_bytes(whole[: int(cut * len(whole))])
    try:
        manifest = repair(store / "s1")
    except KartError as error:
        assert "broke off before its first frame" in str(error) or "no whole batch" in str(error)
        assert cut < 0.5
        return
    session = Store(store).open("s1")
    session.verify()
    assert manifest.ended == "repaired"
    assert manifest.steps == 1 or manifest.steps % 4 == 0  # the first row is a batch of its own
    kept = [step.index for step in session.steps()]
    assert kept == list(range(manifest.steps))
    assert manifest.steps >= 20 * cut - 8


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 7)), min_size=1, max_size=3))
def test_repair_of_a_damaged_stream_gives_a_session_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, header: Header, steps: Steps, flips: list[tuple[float, int]]
) -> None:
    store = tmp_path_factory.mktemp("store")
    torn_stream(store / "s1", header(), steps(20), batches=5)
    stream = store / "s1" / "recording.arrows"
    data = bytearray(stream.read_bytes())
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    stream.write_bytes(data)
    try:
        repair(store / "s1")
    except KartError:
        assert stream.exists()
        return
    session = Store(store).open("s1")
    session.verify()
    assert session.table().num_rows == session.manifest.steps
    for picture in session.encoded():
        try:
            decode_picture(picture)
        except KartError:  # the flip hit the picture itself, and its reader is told
            continue


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_what_a_full_disk_refused_is_written_when_there_is_room_again(
    tmp_path: Path, header: Header, steps: Steps, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    store = Store(tmp_path)
    writer = store.create(header())
    for step in steps(10):
        writer.append(step)
    writer.flush()
    stream = tmp_path / "s1" / "recording.arrows"
    size = stream.stat().st_size
    with file_size_limit(size + 500):
        for step in steps(10, first=10):
            writer.append(step)
        with pytest.raises(OSError, match="File too large"):
            writer.flush()
    assert stream.stat().st_size == size  # no torn batch, which would hide those after it
    for step in steps(10, first=20):
        writer.append(step)
    writer.close()
    session = store.open("s1")
    session.verify()
    assert [step.index for step in session.steps()] == list(range(30))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_disk_that_stays_full_leaves_a_recording_to_repair(
    tmp_path: Path, header: Header, steps: Steps, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    store = Store(tmp_path)
    with file_size_limit(20_000), pytest.raises(OSError, match="File too large"), store.create(header()) as writer:
        for step in steps(100):
            writer.append(step)
            if step.index % 10 == 9:
                writer.flush()
    assert store.unfinished() == ["s1"]
    kept = repair(tmp_path / "s1").steps
    assert kept >= 10
    assert [step.index for step in store.open("s1").steps()] == list(range(kept))


def test_a_recording_in_a_folder_of_another_name_is_told_and_kept(tmp_path: Path, header: Header, steps: Steps) -> None:
    torn_stream(tmp_path / "s1", header(), steps(20), batches=5)
    renamed = (tmp_path / "s1").rename(tmp_path / "lap")
    with pytest.raises(KartError, match="is of session s1; name the folder so"):
        repair(renamed)
    assert repair(renamed.rename(tmp_path / "s1")).steps > 0


def test_a_finished_session_and_an_empty_folder_have_nothing_to_repair(
    tmp_path: Path, header: Header, steps: Steps
) -> None:
    record(Store(tmp_path), header(), steps(3))
    with pytest.raises(KartError, match="is finished"):
        repair(tmp_path / "s1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(KartError, match="holds no recording"):
        repair(tmp_path / "empty")


def test_a_live_recording_is_left_alone(tmp_path: Path, header: Header, steps: Steps) -> None:
    writer = SessionWriter(tmp_path / "s1", header())
    for step in steps(5):
        writer.append(step)
    writer.flush()
    with pytest.raises(KartError, match="still being recorded"):
        repair(tmp_path / "s1")
    assert Store(tmp_path).ids() == []
    assert Store(tmp_path).unfinished() == ["s1"]
    writer.close()
    assert Store(tmp_path).ids() == ["s1"]
    assert Store(tmp_path).unfinished() == []


KILLED = """
import sys, time
import numpy as np
from pathlib import Path
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session_writer import SessionWriter
spec = ActionSpec(("steer",))
writer = SessionWriter(Path(sys.argv[1]), SessionHeader(id="s1", game="test", rate_hz=100, spec=spec))
for index in range(10_000):
    writer.append(Step(index, Frame(np.full((8, 8, 3), index % 256, np.uint8), index), Choice(spec.neutral(), "human")))
    print(index, flush=True)
    time.sleep(0.01)
"""


def test_a_killed_recorder_loses_less_than_a_second(tmp_path: Path) -> None:
    recorder = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "s1")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert recorder.stdout is not None
    seen = 0
    for line in recorder.stdout:
        seen = int(line)
        if seen == 150:
            break
    with pytest.raises(KartError, match="still being recorded"):
        repair(tmp_path / "s1")
    os.kill(recorder.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    recorder.wait()
    recorder.stdout.close()
    assert repair(tmp_path / "s1").steps > seen - 100
    Store(tmp_path).open("s1").verify()
