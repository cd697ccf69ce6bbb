"""Videos: every frame comes back for its own step, in a row or one by one, from whole files and from torn ones."""

import errno
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.core.video import VIDEO, VideoReader, to_ms, to_step
from kart_pipeline.core.video_writer import VideoWriter, mend_video

Numbered = Callable[..., Iterator[Step]]
Shown = Callable[[RGB], int]

RATE = 20.0
STEPS = [step for step in range(90) if step % 13]  # with gaps, as dropped frames leave them


def film(folder: Path, steps: Iterator[Step]) -> VideoWriter:
    folder.mkdir(exist_ok=True)
    writer = None
    for step in steps:
        height, width = step.frame.rgb.shape[:2]
        writer = writer or VideoWriter(folder / VIDEO, (width, height), RATE, 20)
        writer.write(step.index, step.frame.rgb)
    assert writer is not None
    return writer


def seen(path: Path, shown: Shown) -> dict[int, int]:
    """The number shown on each step's frame."""
    reader = VideoReader(path, RATE, "s1")
    try:
        return {step: shown(rgb) for step, rgb in reader.frames()}
    finally:
        reader.close()


@given(st.integers(0, 10_000_000), st.floats(0.01, 999.9))
def test_a_step_is_found_again_from_its_time_on_the_videos_clock(step: int, rate: float) -> None:
    assert to_step(to_ms(step, rate), rate) == step


@pytest.mark.parametrize("size", [(32, 80), (33, 85)])
def test_frames_come_back_for_their_steps(
    tmp_path: Path, numbered: Numbered, shown: Shown, size: tuple[int, int]
) -> None:
    film(tmp_path, numbered(STEPS, size)).close()
    assert seen(tmp_path / VIDEO, shown) == {step: step for step in STEPS}
    reader = VideoReader(tmp_path / VIDEO, RATE, "s1")
    assert reader.size == (size[1], size[0])
    first = next(numbered(STEPS, size)).frame.rgb
    assert np.abs(reader.frame(STEPS[0]).astype(int) - first).mean() < 3
    reader.close()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(wanted=st.lists(st.sampled_from(STEPS), max_size=12))
def test_frames_are_found_in_any_order(filmed: Path, shown: Shown, wanted: list[int]) -> None:
    reader = VideoReader(filmed, RATE, "s1")
    assert [shown(reader.frame(step)) for step in wanted] == wanted
    reader.close()


@pytest.fixture
def filmed(tmp_path: Path, numbered: Numbered) -> Path:
    film(tmp_path, numbered(STEPS)).close()
    return tmp_path / VIDEO


def test_a_frame_that_is_not_there_is_named(filmed: Path, shown: Shown) -> None:
    reader = VideoReader(filmed, RATE, "s1")
    for absent in (13, 500):
        with pytest.raises(KartError, match=f"no whole frame of step {absent}"):
            reader.frame(absent)
    assert shown(reader.frame(14)) == 14
    reader.close()


def test_any_player_is_told_the_colours_and_the_rate(filmed: Path) -> None:
    with av.open(str(filmed)) as video:
        stream = video.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv444p")
        assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (5, 1)
        assert float(video.duration or 0) / av.time_base == pytest.approx(90 / RATE, abs=0.1)


def test_another_size_and_an_earlier_step_are_refused(tmp_path: Path, numbered: Numbered) -> None:
    writer = film(tmp_path, numbered(range(3)))
    with pytest.raises(KartError, match="video of 85x33; got a frame of 84x34"):
        writer.write(3, np.zeros((34, 84, 3), np.uint8))
    with pytest.raises(KartError, match="step 2 cannot follow step 2"):
        writer.write(2, np.zeros((33, 85, 3), np.uint8))
    writer.close()


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / VIDEO).write_bytes(b"hello" * 99)
    with pytest.raises(KartError, match="cannot be read"):
        VideoReader(tmp_path / VIDEO, RATE, "s1")
    with pytest.raises(KartError, match="has no video"):
        VideoReader(tmp_path / "absent", RATE, "s1")


def test_without_pyav_a_video_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbered: Numbered
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(KartError, match=r"pip install 'kart-pipeline\[recorder\]'"):
        film(tmp_path, numbered(range(3)))


# A writer that dies.


def test_all_frames_but_the_last_are_in_the_file_at_once(tmp_path: Path, numbered: Numbered, shown: Shown) -> None:
    writer = film(tmp_path, numbered(STEPS))
    assert list(seen(tmp_path / VIDEO, shown)) == STEPS[:-1]
    writer.close()


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory, numbered: Numbered) -> Path:
    """The file of a writer that was killed after 89 steps."""
    folder = tmp_path_factory.mktemp("killed")
    film(folder, numbered(range(89))).abandon()
    return folder / VIDEO


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0, 1))
def test_a_torn_video_keeps_its_beginning(  # type: ignore[no-untyped-def]
    tmp_path_factory, torn: Path, shown: Shown, share: float
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    data = torn.read_bytes()
    video = folder / VIDEO
    video.write_bytes(data[: int(share * len(data))])
    try:
        steps = mend_video(video, RATE)
    except KartError:
        assert share < 0.2
        assert video.stat().st_size == int(share * len(data))
        return
    assert steps == set(range(len(steps)))
    assert len(steps) >= 87 * share - 20  # keyframes are the larger frames
    assert seen(video, shown) == {step: step for step in steps}
    reader = VideoReader(video, RATE, "s1")  # it has an index now
    last = max(steps)
    assert shown(reader.frame(last)) == last
    reader.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 7)), min_size=1, max_size=4))
@example(flips=[(0.0, 0), (0.17, 0)])  # a codec that nothing here writes
def test_what_mending_a_damaged_video_promises_can_be_read(  # type: ignore[no-untyped-def]
    tmp_path_factory, torn: Path, flips: list[tuple[float, int]]
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    data = bytearray(torn.read_bytes())
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    (folder / VIDEO).write_bytes(data)
    try:
        steps = mend_video(folder / VIDEO, RATE)
    except KartError:
        return
    reader = VideoReader(folder / VIDEO, RATE, "s1")
    assert [step for step, _ in reader.frames()] == sorted(steps)
    reader.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_ends_the_video_and_keeps_it_readable(
    tmp_path: Path, numbered: Numbered, shown: Shown, monkeypatch: pytest.MonkeyPatch, file_size_limit
) -> None:
    writer = film(tmp_path, numbered(range(10)))
    with file_size_limit((tmp_path / VIDEO).stat().st_size + 100):
        with pytest.raises(OSError, match=r".") as caught:
            for step in numbered(range(10, 60)):
                writer.write(step.index, step.frame.rgb)
        assert caught.value.errno in (errno.EFBIG, None)
        with pytest.raises(OSError, match=r"."):  # it says so again
            writer.write(70, step.frame.rgb)
    with pytest.raises(OSError, match=r"."):
        writer.close()
    steps = mend_video(tmp_path / VIDEO, RATE)
    assert steps >= set(range(9))
    assert seen(tmp_path / VIDEO, shown) == {step: step for step in steps}
