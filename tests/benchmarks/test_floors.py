"""What follows from a machine's limits, and how limits are taken; no speed is judged here."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks import floors, floors_learning, limits
from benchmarks.limits import Limits
from benchmarks.table import beside
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.augment import augment
from kart_pipeline.learning.hyper import HyperParameters

MACHINE = Limits(cores=4, copied=8e9, copied_by_all=10e9, hashed=1e9, written=2e8, multiplied=1e11)


def test_frames_are_built_at_most_as_fast_as_all_cores_decode_resize_and_hash():
    assert MACHINE.built(1000.0, 0.0, 1) == pytest.approx(4000.0)
    assert MACHINE.built(1000.0, 1e6, 1) == pytest.approx(2000.0)  # hashing a megabyte takes a millisecond more


def test_frames_are_built_at_most_as_fast_as_the_disk_takes_them():
    assert MACHINE.built(1000.0, 0.0, 100_000) == pytest.approx(2000.0)
    assert replace(MACHINE, written=1e12).built(1000.0, 0.0, 100_000) == pytest.approx(4000.0)


def test_a_network_is_trained_at_most_as_fast_as_its_three_passes_are_multiplied():
    assert MACHINE.trained(50e6) == pytest.approx(1e11 / 150e6)


def test_a_limit_is_the_fastest_of_several_tries(monkeypatch):
    speeds = iter([3.0, 9.0, 5.0])
    monkeypatch.setattr(limits, "per_second", lambda _count, _work: next(speeds))
    assert limits.best(1, lambda: None, tries=3) == 9.0


@pytest.fixture
def counted(monkeypatch) -> list[int]:
    """How many of what each measurement counts, each done once and nothing timed."""
    counts: list[int] = []

    def per_second(count, work):
        counts.append(count)
        work()
        return 1.0

    monkeypatch.setattr(limits, "per_second", per_second)
    monkeypatch.setattr(limits, "BLOCK", 1000)
    monkeypatch.setattr(limits, "FILE", 8000)
    return counts


def test_each_limit_counts_what_it_moves(counted, tmp_path, monkeypatch):
    written: list[int] = []
    monkeypatch.setattr(limits.os, "fsync", lambda _: written.append((tmp_path / "file").stat().st_size))
    limits._copied(3)
    limits._hashed()
    limits._written(tmp_path / "file")
    assert set(counted) == {3000, 1000, 8000}
    assert set(written) == {8000}, "the whole file is there when the disk is waited for"
    assert not (tmp_path / "file").exists()


def test_pictures_are_counted_and_really_decoded(counted):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6)).save(buffer, "PNG")
    pictures = [buffer.getvalue()] * 70
    for measured in (
        limits.decoded(pictures),
        limits.decoded(pictures, (4, 3)),
        limits.decoded_by_all(pictures, (4, 3)),
    ):
        assert measured == 1.0
    limits.encoded([np.zeros((6, 8, 3), np.uint8)] * 5, 90)
    assert set(counted) == {70, 5}
    with pytest.raises(OSError, match="cannot identify"):
        limits.decode([b"no picture"], None)


def test_rows_are_gathered_as_picked(counted):
    limits.gathered(np.zeros((9, 2, 2, 3), np.uint8), [np.arange(4), np.arange(3)])
    assert set(counted) == {7}
    with pytest.raises(IndexError):
        limits.gathered(np.zeros((9, 2, 2, 3), np.uint8), [np.array([9])])


def test_what_is_reached_is_a_share_of_the_floor():
    row = beside("frames built", 50.0, "decoded", 200.0, "frames/s")
    assert (row.ratio, row.aim, row.met) == (0.25, "", None)


def test_the_limits_are_told_in_billions():
    told = {row.what: (row.ours, row.unit) for row in floors._limits(MACHINE)}
    assert told["memory copied by all cores"] == (10.0, "GB/s")
    assert told["product of 2048x2048 float32 matrices"] == (100.0, "GFLOP/s")


def test_what_is_measured_alone_is_on_by_default_and_can_be_switched_off():
    hyper = HyperParameters()
    assert all(getattr(hyper, name) for name in floors_learning.CHANGES)
    off = replace(hyper, **dict.fromkeys(floors_learning.CHANGES, 0))
    images, labels = np.random.default_rng(0).integers(0, 256, (4, 4, 10, 3), np.uint8), np.ones((4, 2), np.float32)
    contract = Contract(ActionSpec(("steer", "throttle"), mirrored_axes=("steer",)), 10, width=10, height=4)
    assert np.array_equal(augment(images, labels, np.int64(1), contract, off)[0], images), (
        "nothing else changes a frame"
    )


class Slow:
    """A network whose step takes as long as one wants, by a clock of its own."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        self._clock, self._seconds = clock, seconds

    def train_on_batch(self, *_: object) -> None:
        self._clock[0] += self._seconds


@pytest.mark.parametrize(("step", "wait"), [(0.9, 0.1), (0.0, 1.0)])
def test_the_wait_is_the_share_of_time_until_a_batch_is_there(step, wait, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(floors_learning.time, "perf_counter", lambda: clock[0])

    def feed():
        while True:
            clock[0] += 0.1
            yield (None, None, None)

    assert floors_learning._wait(Slow(clock, step), feed()) == pytest.approx(wait)
