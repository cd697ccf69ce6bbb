"""Writing beside the drive: in order, never in its way, honest about what was dropped, and nothing is lost."""

import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.recording import STREAM, recorded_batches
from kart_pipeline.core.session_writer import SessionWriter, repair
from kart_pipeline.core.store import Store
from recorder.writing import FLUSH_S, QUEUE_S, SYNC_S, BackgroundWriter, queue_room

SPEC = ActionSpec(("steer",))
RATE = 30

MOUNT = shutil.which("mount") if sys.platform == "linux" else None

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")


def header(codec: str = "jpeg") -> SessionHeader:
    return SessionHeader(id="s1", game="test_game", rate_hz=RATE, spec=SPEC, codec=codec)  # type: ignore[arg-type]


def step(index: int, size: tuple[int, int] = (24, 32)) -> Step:
    """Its brightness tells its number."""
    rgb = np.full((*size, 3), index * 5 % 256, np.uint8)
    return Step(index, Frame(rgb, index * 33_333_333), Choice(SPEC.action(steer=0.0), "human"))


def noisy(index: int, size: tuple[int, int]) -> Step:
    """As large as a frame can get."""
    rgb = np.random.default_rng(index).integers(0, 256, (*size, 3), np.uint8)
    return Step(index, Frame(rgb, index), Choice(SPEC.action(steer=0.0), "human"))


def indexes(store: Store) -> list[int]:
    session = store.open("s1")
    session.verify()
    steps = list(session.steps())
    assert all(abs(int(item.frame.rgb.mean()) - item.index * 5 % 256) < 3 for item in steps)
    return [item.index for item in steps]


@pytest.mark.parametrize("codec", ["png", "jpeg", "h264"])
def test_all_steps_come_back_in_order(tmp_path: Path, codec: str) -> None:
    store = Store(tmp_path)
    with BackgroundWriter(store.create(header(codec)), most=500, encoders=3) as writer:
        for index in range(300):
            writer.on_step(step(index))
        writer.finish("finished", 7.0, {"pad": "keyboard"})
    assert indexes(store) == list(range(300))
    manifest = store.manifest("s1")
    assert (manifest.ended, manifest.score, manifest.notes["pad"]) == ("finished", 7.0, "keyboard")
    about = manifest.notes["writing"]
    assert (about["dropped"], about["waiting"]) == (0, 0)
    assert about["write"]["count"] == 300
    assert about["encode"]["count"] == (0 if codec == "h264" else 300)


@pytest.mark.parametrize("codec", ["png", "h264"])
def test_a_full_queue_drops_frames_and_never_waits(tmp_path: Path, codec: str) -> None:
    store = Store(tmp_path)
    frames = [noisy(index, (480, 640)) for index in range(4)]
    waits = []
    with BackgroundWriter(store.create(header(codec)), most=4) as writer:
        for index in range(120):
            item = Step(index, frames[index % 4].frame, frames[index % 4].choice)
            began = time.perf_counter()
            writer.on_step(item)
            waits.append(time.perf_counter() - began)
    dropped = writer.statistics().dropped
    assert dropped > 0
    assert writer.statistics().most_waiting <= 4
    assert sorted(waits)[len(waits) // 2] < 0.001
    assert store.manifest("s1").notes["writing"]["dropped"] == dropped
    kept = store.open("s1").table(["step"]).column("step").to_pylist()
    assert len(kept) + dropped == 120
    assert kept == sorted(set(kept))


@pytest.mark.parametrize(("rate_hz", "room"), [(30, 12), (60, 24), (4, 8)])
def test_no_more_frames_wait_than_a_kill_may_cost(tmp_path: Path, rate_hz: float, room: int) -> None:
    assert queue_room(rate_hz) == room
    with BackgroundWriter(Store(tmp_path).create(replace(header("png"), rate_hz=rate_hz))) as writer:
        for index in range(200):
            writer.on_step(noisy(index, (240, 320)))
        assert writer.statistics().most_waiting <= room
    assert room == max(8, QUEUE_S * rate_hz)
    assert QUEUE_S + FLUSH_S + SYNC_S <= 1


def test_where_writing_is_slower_than_the_game_fewer_frames_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = SessionWriter.append

    def slow(self: SessionWriter, item: Step, encoded: bytes | None = None) -> None:
        time.sleep(0.1)
        append(self, item, encoded)

    monkeypatch.setattr(SessionWriter, "append", slow)
    with BackgroundWriter(Store(tmp_path).create(replace(header(), rate_hz=100))) as writer:
        for index in range(300):
            writer.on_step(step(index))
            time.sleep(0.01)
        assert 0 < writer.statistics().waiting <= QUEUE_S / 0.1
    assert writer.statistics().dropped > 200


def test_frames_reach_the_disk_within_a_second_also_when_no_more_come(tmp_path: Path) -> None:
    writer = BackgroundWriter(Store(tmp_path).create(header()))
    for index in range(2):  # the first is written at once, and the header with it
        writer.on_step(step(index))
        given = time.monotonic()
        while rows(tmp_path / "s1") <= index:
            assert time.monotonic() - given < 10
            time.sleep(0.02)
    assert time.monotonic() - given < 1.2 + writer.statistics().write.worst_ms / 1000  # what a busy disk took
    while not writer.statistics().sync.count:  # a power cut spares them too
        assert time.monotonic() - given < 10
        time.sleep(0.02)
    with pytest.raises(KartError, match="still being recorded"):
        repair(tmp_path / "s1")
    with pytest.raises(KartError, match="already exists"):
        Store(tmp_path).create(header())
    writer.close()


def rows(folder: Path) -> int:
    try:
        return sum(batch.num_rows for batch in recorded_batches(folder / STREAM))
    except (FileNotFoundError, KartError):
        return 0


# What a person does while playing.

doings = st.lists(
    st.one_of(
        st.integers(1, 40).map(lambda count: ("drive", count)),
        st.floats(0, 1.5).map(lambda seconds: ("drop", seconds)),
        st.sampled_from([("pause", 0), ("resume", 0), ("lap", 0)]),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(doings=doings)
def test_cuts_pauses_and_laps_do_what_they_say(  # type: ignore[no-untyped-def]
    tmp_path_factory, doings: list[tuple[str, float]]
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    kept: list[int] = []
    laps: list[int] = []
    last, paused = -1, False
    with BackgroundWriter(store.create(header()), most=10_000) as writer:
        for kind, value in [("drive", 1), *doings, ("resume", 0), ("drive", 1)]:
            if kind == "drive":
                for _ in range(int(value)):
                    last += 1
                    writer.on_step(step(last))
                    kept += [] if paused else [last]
            elif kind == "drop":
                count = min(round(value * RATE), len(kept))
                assert writer.drop_last(value) == count / RATE
                if count:
                    first = kept[-count]
                    del kept[-count:]
                    laps = [lap for lap in laps if lap < first]
            elif kind == "lap":
                writer.mark_lap()
                laps.append(last)
            else:
                paused = kind == "pause"
                writer.pause() if paused else writer.resume()
                assert writer.paused is paused
    assert indexes(store) == kept
    marks = store.manifest("s1").notes.get("marks", {})
    assert marks.get("laps", []) == laps
    gone = {
        index
        for name in ("cuts", "pauses")
        for first, final in marks.get(name, [])
        for index in range(first, final + 1)
    }
    assert gone == set(range(last + 1)) - set(kept)


# What happens to disks and processes.


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """The system refuses to let a file grow beyond `size` bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def drive_into(writer: BackgroundWriter, frames: Callable[[int], Step]) -> int:
    """Steps until the writer complains, as a loop at 1000 Hz; returns how many it took."""
    for index in range(5_000):
        try:
            writer.on_step(frames(index))
        except KartError:
            return index
        time.sleep(0.001)
    raise AssertionError("the disk never filled")


@posix
@pytest.mark.parametrize("codec", ["jpeg", "h264"])
def test_a_full_disk_is_said_at_the_next_step_and_leaves_what_was_recorded(tmp_path: Path, codec: str) -> None:
    store = Store(tmp_path)

    def frames(index: int) -> Step:
        return noisy(index, (64, 64))

    with full_disk(1_000_000), pytest.raises(KartError, match="make room there"):  # noqa: SIM117
        with BackgroundWriter(store.create(header(codec)), most=5_000) as writer:
            given = drive_into(writer, frames)
            writer.on_step(frames(given + 1))
    assert store.unfinished() == ["s1"]
    assert repair(tmp_path / "s1").steps > 64
    kept = store.open("s1").table(["step"]).column("step").to_pylist()
    assert kept == list(range(len(kept)))


@pytest.mark.parametrize("codec", ["png", "h264"])
def test_a_disk_that_is_full_to_the_last_byte_spares_what_was_written(small_disk: Path, codec: str) -> None:
    store = Store(small_disk)
    with pytest.raises(KartError, match="No space left"):  # noqa: SIM117
        with BackgroundWriter(store.create(header(codec)), most=5_000) as writer:
            given = drive_into(writer, lambda index: noisy(index, (48, 64)))
            writer.on_step(noisy(given, (48, 64)))
    assert store.unfinished() == ["s1"]
    with pytest.raises(OSError, match="No space left"):  # there is no room for the finished session
        repair(small_disk / "s1")
    subprocess.run([str(MOUNT), "-o", "remount,size=9m", small_disk], check=True)
    assert repair(small_disk / "s1").steps >= 64
    session = store.open("s1")
    session.verify()
    kept = [item.index for item in session.steps()]
    assert kept == list(range(len(kept)))


@posix
def test_when_there_is_room_again_at_the_end_nothing_is_lost(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with BackgroundWriter(store.create(header()), most=5_000) as writer, full_disk(100_000):
        given = drive_into(writer, lambda index: step(index, (64, 64)))
    assert indexes(store) == list(range(given))


def test_a_frame_of_another_size_ends_a_video_and_keeps_what_was_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(KartError, match="video of 32x24; got a frame of 64x48"):  # noqa: SIM117
        with BackgroundWriter(store.create(header("h264"))) as writer:
            for index in range(10):
                writer.on_step(step(index))
            writer.on_step(step(10, (48, 64)))
            drive_into(writer, lambda index: step(11 + index, (48, 64)))
            writer.on_step(step(99))
    assert indexes(store) == list(range(10))
    assert store.manifest("s1").ended == "interrupted"


def test_a_drive_without_a_frame_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KartError, match="nothing was recorded"), BackgroundWriter(Store(tmp_path).create(header())):
        pass
    assert list(tmp_path.iterdir()) == []


RECORDER = """
import sys, time
import numpy as np
from pathlib import Path
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from recorder.stopping import StopRequest
from recorder.writing import BackgroundWriter
spec = ActionSpec(("steer",))
header = SessionHeader(id="s1", game="test_game", rate_hz=30, spec=spec, codec=sys.argv[2])
with StopRequest() as stop, BackgroundWriter(Store(sys.argv[1]).create(header)) as writer:
    for index in range(100_000):
        rgb = np.full((48, 64, 3), index * 5 % 256, np.uint8)
        writer.on_step(Step(index, Frame(rgb, index * 33_333_333), Choice(spec.action(steer=0.0), "human")))
        sys.stdout.write(f"{writer.statistics().write.worst_ms}\\n")
        sys.stdout.flush()
        if stop():
            break
        time.sleep(1 / 30)
"""


@dataclass
class Running:
    """A recorder in a process of its own, since its first rows are on the disk.

    Attributes:
        seen: when it took each step.
        slowest: what its slowest write took so far, seconds: so long a busy machine may keep rows from the disk.
    """

    process: "subprocess.Popen[str]"
    seen: list[float]
    slowest: float


@contextmanager
def recording(store: Path, codec: str, seconds: float) -> Iterator[Running]:
    """A recorder that has run for so long."""
    process = subprocess.Popen([sys.executable, "-c", RECORDER, str(store), codec], stdout=subprocess.PIPE, text=True)
    running = Running(process, [], 0.0)
    end = math.inf
    try:
        assert process.stdout is not None
        for line in process.stdout:
            running.seen.append(time.monotonic())
            running.slowest = float(line) / 1000
            if end == math.inf and rows(store / "s1"):
                end = time.monotonic() + seconds
            if time.monotonic() > end:
                break
        yield running
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.e2e
@pytest.mark.parametrize("codec", ["jpeg", "h264"])
def test_a_recorder_killed_at_a_random_moment_loses_less_than_a_second(tmp_path: Path, codec: str) -> None:
    with recording(tmp_path, codec, random.uniform(0.1, 2.0)) as running:
        os.kill(running.process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        killed = time.monotonic()
        running.process.wait()
    assert repair(tmp_path / "s1").steps >= sum(killed - moment > 1.0 + running.slowest for moment in running.seen)
    kept = indexes(Store(tmp_path))
    assert kept == list(range(len(kept)))


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform == "win32", reason="Windows kills where others ask")
def test_a_recorder_that_is_asked_to_end_loses_nothing(tmp_path: Path) -> None:
    with recording(tmp_path, "h264", 0.5) as running:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.stdout is not None
        given = len(running.seen) + len(running.process.stdout.readlines())
        assert running.process.wait(timeout=60) == 0
    assert indexes(Store(tmp_path)) == list(range(given))


GROWTH = """
import sys, time
import numpy as np
from pathlib import Path
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from recorder.writing import BackgroundWriter
spec = ActionSpec(("steer",))
header = SessionHeader(id="s1", game="test_game", rate_hz=30, spec=spec, codec=sys.argv[2])
rng = np.random.default_rng(0)
frames = [rng.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(8)]
def resident():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
with BackgroundWriter(Store(sys.argv[1]).create(header), most=8) as writer:
    index = 0
    for part in (200, 800):
        while writer.statistics().write.count < part:
            writer.on_step(Step(index, Frame(frames[index % 8], index), Choice(spec.action(steer=0.0), "human")))
            index += 1
            while writer.statistics().waiting >= 8:
                time.sleep(0.001)
        print(resident())
"""


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the memory of a process here")
@pytest.mark.parametrize("codec", ["jpeg", "h264"])
def test_memory_does_not_grow_with_the_recording(tmp_path: Path, codec: str) -> None:
    out = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path), codec], capture_output=True, text=True, check=True
    ).stdout
    early, late = (int(line) for line in out.split())
    assert (late - early) / 1024 < 5  # MB; the frames since then are more than twice as much
