"""Recordings that broke off: killed, on a full disk, torn or damaged, they lose little and are repaired."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.columns import decode_picture
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.recording import recorded_batches
from kart_pipeline.core.session_writer import SessionWriter, repair
from kart_pipeline.core.store import Store

Header = Callable[..., SessionHeader]
Steps = Callable[..., Iterator[Step]]


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
    with Store(tmp_path).create(header()) as writer:
        for step in steps(3):
            writer.append(step)
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
