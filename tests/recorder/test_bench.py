"""The bench: what it measures is what the recorder does, and its advice follows from the figures."""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest

from recorder.bench import Measured, measure, recommend
from recorder.moving import moving_picture


def test_the_picture_moves_and_is_the_same_every_time() -> None:
    first, second = (list(moving_picture(161, 91, 4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first[0].shape == (91, 161, 3)
    assert first[0].dtype == np.uint8
    changed = [(before != after).any(axis=-1).mean() for before, after in pairwise(first)]
    assert min(changed) > 0.5


def test_only_png_loses_nothing_and_a_video_is_smallest() -> None:
    frames = list(moving_picture(160, 120, 40))
    png, jpeg, h264 = (measure(codec, frames, 30.0) for codec in ("png", "jpeg", "h264"))
    assert png.error == 0
    assert 0 < jpeg.error < 5
    assert 0 < h264.error < 5
    assert h264.gigabytes_per_hour < jpeg.gigabytes_per_hour < png.gigabytes_per_hour
    assert all(row.per_second > 0 for row in (png, jpeg, h264))
    assert measure("png", frames, 60.0).gigabytes_per_hour == pytest.approx(2 * png.gigabytes_per_hour)


def figures(png: float, jpeg: float, h264: float | None) -> list[Measured]:
    """Frames per second at the larger of two sizes."""
    rows = [Measured("h264", 320, 240, 1e4, 0.1, 1.0)]
    rows += [Measured("png", 640, 480, png, 14.0, 0.0), Measured("jpeg", 640, 480, jpeg, 6.0, 0.5)]
    return rows + ([Measured("h264", 640, 480, h264, 1.0, 1.0)] if h264 else [])


@pytest.mark.parametrize(
    ("per_second", "codec", "words"),
    [
        ((100, 900, 130), "h264", "1.00 GB an hour at 640x480 and 30 Hz, and one core encodes 4.3 times as much"),
        ((100, 900, 60), "jpeg", "6.00 GB an hour"),
        ((100, 900, None), "jpeg", "png takes 14.0 GB"),
        ((20, 80, 10), "jpeg", "no codec leaves room at 640x480 and 30 Hz, this one encodes 80 frames a second"),
    ],
)
def test_the_smallest_codec_that_keeps_up_is_recommended(
    per_second: tuple[float, float, float | None], codec: str, words: str
) -> None:
    choice, why = recommend(figures(*per_second), 30.0)
    assert choice == codec
    assert words in why


def test_the_command_prints_a_table_or_json(run) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = run("bench", "--steps", 6, "--json")
    assert status == 0
    told = json.loads(out)
    assert {(row["codec"], row["width"]) for row in told["measured"]} == {
        (codec, width) for codec in ("png", "jpeg", "h264") for width in (320, 640)
    }
    status, out, _ = run("bench", "--steps", 2, "--rate", 10)
    assert status == 0
    assert "640x480" in out
    assert "Record with --codec" in out


def test_the_persons_own_screen_can_be_measured(make_window, run) -> None:  # type: ignore[no-untyped-def]
    make_window("Racing Game", (50, 40, 400, 300))
    status, out, _ = run("bench", "--window", "racing", "--steps", 3, "--json")
    assert status == 0
    rows = json.loads(out)["measured"]
    assert {(row["width"], row["height"]) for row in rows} == {(320, 240), (400, 300)}
    assert max(row["error"] for row in rows) < 3  # one colour, which every codec keeps
    status, _, err = run("bench", "--window", "nobody")
    assert (status, err.count("\n")) == (2, 1)


def test_without_pyav_the_other_codecs_are_measured(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(sys.modules, "av", None)
    status, out, _ = run("bench", "--steps", 2)
    assert status == 0
    assert "pip install 'kart-pipeline[recorder]'" in out
    assert "--codec h264" not in out
