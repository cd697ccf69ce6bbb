"""Sessions whose frames are a video: what works with pictures works there; no crash shifts frames against rows."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.columns import decode_frame
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.recording import STREAM
from kart_pipeline.core.session_writer import SessionWriter, repair
from kart_pipeline.core.store import Store
from kart_pipeline.core.video import VIDEO
from kart_pipeline.datasets.frames import build_frames

Header = Callable[..., SessionHeader]
Numbered = Callable[..., Iterator[Step]]
Shown = Callable[[RGB], int]

STEPS = [step for step in range(100) if step % 17]


@pytest.fixture
def recorded(tmp_path: Path, header: Header, numbered: Numbered) -> Store:
    store = Store(tmp_path / "store")
    record(store, header(codec="h264"), numbered(STEPS))
    return store


def record(store: Store, header: SessionHeader, steps: Iterator[Step]) -> Manifest:
    with store.create(header) as writer:
        for step in steps:
            writer.append(step)
    assert writer.manifest is not None
    return writer.manifest


def test_steps_come_back_with_their_own_frames(recorded: Store, shown: Shown, numbered: Numbered) -> None:
    session = recorded.open("s1")
    session.verify()
    steps = list(session.steps())
    assert [step.index for step in steps] == STEPS
    assert [shown(step.frame.rgb) for step in steps] == STEPS
    for got, wanted in zip(steps, numbered(STEPS), strict=True):
        assert got.choice.action == wanted.choice.action
        assert got.frame.state == wanted.frame.state


def test_files_and_random_access_give_the_same_pixels(recorded: Store) -> None:
    session = recorded.open("s1")
    streamed = [step.frame.rgb for step in session.steps()]
    for rgb, data in zip(streamed, session.encoded(), strict=True):
        np.testing.assert_array_equal(decode_frame(data), rgb)
    mapped = session.map()
    assert len(mapped) == len(STEPS)
    for row in (90, 0, 17, -1, 18, 19, 19):
        np.testing.assert_array_equal(mapped[row], streamed[row])
    with pytest.raises(IndexError):
        mapped[len(STEPS)]
    mapped.close()


def test_the_manifest_says_what_the_video_is(recorded: Store) -> None:
    manifest = recorded.manifest("s1")
    assert (manifest.codec, manifest.crf, manifest.format) == ("h264", 22, 2)
    assert (manifest.steps, manifest.width, manifest.height) == (len(STEPS), 85, 33)


def test_sessions_of_pictures_stay_readable_for_older_releases(header: Header) -> None:
    assert header(codec="png").format == header(codec="jpeg").format == 1


@pytest.mark.parametrize(("codec", "crf"), [("h264", 52), ("h264", -1), ("png", 20)])
def test_a_quality_that_the_codec_has_not_is_refused(header: Header, codec: str, crf: int) -> None:
    with pytest.raises(KartError, match="h264 takes 0 to 51, others none"):
        header(codec=codec, crf=crf)


def test_a_lower_crf_is_larger_and_nearer(tmp_path: Path, header: Header, numbered: Numbered) -> None:
    store = Store(tmp_path)
    rgb = next(numbered([STEPS[0]])).frame.rgb
    found = []
    for crf in (0, 40):
        record(store, header(f"s{crf}", codec="h264", crf=crf), numbered(STEPS))
        error = np.abs(next(store.open(f"s{crf}").steps()).frame.rgb.astype(int) - rgb).mean()
        found.append(((tmp_path / f"s{crf}" / VIDEO).stat().st_size, -error))
    assert found[0] > found[1]
    assert found[0][1] > found[1][1]


def test_a_changed_or_missing_video_is_found_out(recorded: Store) -> None:
    video = Path(recorded.url) / "s1" / VIDEO
    data = bytearray(video.read_bytes())
    data[len(data) // 2] ^= 1
    video.write_bytes(data)
    with pytest.raises(KartError, match="digest has changed"):
        recorded.open("s1").verify()
    video.unlink()
    for read in (lambda session: next(session.steps()), lambda session: session.map()):
        with pytest.raises(KartError, match=r"no video\.mkv; restore it"):
            read(recorded.open("s1"))


def test_frames_of_a_damaged_video_are_left_out_and_named(recorded: Store, tmp_path: Path) -> None:
    video = Path(recorded.url) / "s1" / VIDEO
    data = video.read_bytes()
    video.write_bytes(data[: int(0.97 * len(data))])
    session = recorded.open("s1")
    info = build_frames(session, Contract(session.manifest.spec, 20, width=40, height=16), tmp_path / "out")
    assert 0 < len(info.left_out) < 10
    assert "the video that held it is damaged" in info.left_out[0].reason
    assert [item.step for item in info.left_out] == STEPS[-len(info.left_out) :]
    with pytest.raises(KartError, match="A frame is missing"):
        list(session.steps())


def test_frames_are_built_from_a_video_as_from_pictures(recorded: Store, tmp_path: Path) -> None:
    session = recorded.open("s1")
    contract = Contract(session.manifest.spec, 20, width=40, height=16)
    frames = build_frames(session, contract, tmp_path / "out").open()
    assert len(frames) == len(STEPS)
    with recorded.create(SessionHeader(id="png", game="g", rate_hz=20, spec=session.manifest.spec)) as writer:
        for step in session.steps():
            writer.append(step)
    np.testing.assert_array_equal(frames, build_frames(recorded.open("png"), contract, tmp_path / "out").open())


def test_a_remote_store_gets_the_video_too(recorded: Store, shown: Shown) -> None:
    remote = Store("memory://video-sessions")
    remote.publish(Path(recorded.url) / "s1")
    session = remote.open("s1")
    session.verify()
    assert [shown(step.frame.rgb) for step in session.steps()] == STEPS
    remote.remove("s1")


def test_cuts_leave_rows_out_and_are_noted(tmp_path: Path, header: Header, numbered: Numbered, shown: Shown) -> None:
    store = Store(tmp_path)
    with store.create(header(codec="h264")) as writer:
        for step in numbered(range(50)):
            writer.append(step)
            if step.index == 30:
                writer.marks = writer.marks.lap(5).cut(20, 30)
    session = store.open("s1")
    assert [shown(step.frame.rgb) for step in session.steps()] == [*range(20), *range(31, 50)]
    assert session.manifest.notes["marks"] == {"laps": [5], "cuts": [[20, 30]]}


def test_a_session_that_was_cut_wholly_leaves_nothing(tmp_path: Path, header: Header, numbered: Numbered) -> None:
    with pytest.raises(KartError, match="all were cut"), Store(tmp_path).create(header(codec="h264")) as writer:
        for step in numbered(range(5)):
            writer.append(step)
        writer.marks = writer.marks.cut(0, 4)
    assert list(tmp_path.iterdir()) == []


# A recorder that dies.


def killed(folder: Path, header: SessionHeader, steps: Iterator[Step]) -> None:
    """A recording whose process is gone, flushed every 10 steps, cut at 20 to 24."""
    writer = SessionWriter(folder, header)
    for step in steps:
        writer.append(step)
        if step.index == 25:
            writer.marks = writer.marks.cut(20, 24)
        if step.index % 10 == 9:
            writer.flush()
    writer._release()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.floats(0, 1), frames=st.floats(0, 1))
def test_whatever_is_torn_the_rows_kept_show_their_own_frames(  # type: ignore[no-untyped-def]
    tmp_path_factory, header: Header, numbered: Numbered, shown: Shown, rows: float, frames: float
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    folder = Path(store.url) / "s1"
    killed(folder, header(codec="h264"), numbered(range(60)))
    for name, share in ((STREAM, rows), (VIDEO, frames)):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(share * len(data))])
    try:
        manifest = repair(folder)
    except KartError:
        assert min(rows, frames) < 0.6
        assert store.ids() == []
        return
    session = store.open("s1")
    session.verify()
    kept = [step.index for step in session.steps()]
    assert [shown(step.frame.rgb) for step in session.steps()] == kept
    marked = bool(manifest.notes)  # the cut may have been torn off
    assert kept == [step for step in range(kept[-1] + 1) if not (marked and 20 <= step <= 24)]
    assert manifest.steps == len(kept)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(flips=st.lists(st.tuples(st.booleans(), st.floats(0, 0.999), st.integers(0, 7)), min_size=1, max_size=3))
def test_repair_of_damaged_files_gives_a_session_that_can_be_read_or_a_sentence(  # type: ignore[no-untyped-def]
    tmp_path_factory, header: Header, numbered: Numbered, flips: list[tuple[bool, float, int]]
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    folder = Path(store.url) / "s1"
    killed(folder, header(codec="h264"), numbered(range(30)))
    for video, place, bit in flips:
        path = folder / (VIDEO if video else STREAM)
        data = bytearray(path.read_bytes())
        data[int(place * len(data))] ^= 1 << bit
        path.write_bytes(data)
    try:
        repair(folder)
        session = store.open("s1")
        session.verify()
        assert len(list(session.steps())) == session.manifest.steps
    except KartError:
        return


RECORDER = """
import sys, time
import numpy as np
from pathlib import Path
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session_writer import SessionWriter
spec = ActionSpec(("steer",))
header = SessionHeader(id="s1", game="test", rate_hz=100, spec=spec, codec="h264")
writer = SessionWriter(Path(sys.argv[1]), header)
for index in range(10_000):
    rgb = np.full((32, 32, 3), index % 256, np.uint8)
    writer.append(Step(index, Frame(rgb, index), Choice(spec.neutral(), "human")))
    print(index, flush=True)
    time.sleep(0.01)
"""


def test_a_killed_recorder_loses_less_than_a_second(tmp_path: Path) -> None:
    recorder = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(tmp_path / "s1")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert recorder.stdout is not None
    seen: list[float] = []
    for _ in recorder.stdout:
        seen.append(time.monotonic())
        if len(seen) == 150:
            break
    os.kill(recorder.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    killed_at = time.monotonic()
    recorder.wait()
    recorder.stdout.close()
    kept = repair(tmp_path / "s1").steps
    assert kept >= sum(killed_at - moment > 1.0 for moment in seen)
    session = Store(tmp_path).open("s1")
    session.verify()
    assert all(abs(int(step.frame.rgb.mean()) - step.index % 256) < 3 for step in session.steps())
