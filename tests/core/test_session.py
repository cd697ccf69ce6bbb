"""Sessions: what is written comes back, streamed or mapped; damage is named."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import Manifest, SessionHeader
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
