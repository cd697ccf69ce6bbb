import time

import numpy as np
import pytest

from kart_pipeline.learning.runtimes.measuring import LEAST, WARMING, Latency, Measured, memory_mb, recommend, timed


def measured(name: str, p99_ms: float, start_s: float) -> Measured:
    return Measured(name, Latency(100, 1.0, 1.0, p99_ms, 9.0), start_s, 100.0, 0.0)


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ([measured("a", 2.0, 1.0), measured("b", 1.0, 9.0)], "b"),
        ([measured("a", 1.05, 1.0), measured("b", 1.0, 9.0)], "a"),
        ([measured("a", 1.0, 1.0)], "a"),
    ],
)
def test_the_fastest_is_recommended_and_of_equals_the_one_that_starts_soonest(found: list[Measured], best: str) -> None:
    assert recommend(found).runtime == best


def test_frames_are_asked_for_in_turn_and_often_enough_however_slow() -> None:
    frames = [np.full((1, 1, 3), value, np.uint8) for value in (1, 2, 3)]
    seen: list[int] = []
    latency = timed(lambda frame: seen.append(int(frame[0, 0, 0])), frames, seconds=0.0)
    assert latency.count == LEAST == len(seen) - WARMING
    assert seen[:4] == [1, 2, 3, 1]
    assert latency.p50_ms <= latency.p95_ms <= latency.p99_ms <= latency.worst_ms


def test_a_slow_call_is_the_worst() -> None:
    calls = iter([0.0] * (WARMING + 5) + [0.05] + [0.0] * LEAST)
    latency = timed(lambda _: time.sleep(next(calls)), [np.zeros((1, 1, 3), np.uint8)], seconds=0.0)
    assert latency.worst_ms >= 50


def test_memory_that_is_taken_counts_and_stays_counted() -> None:
    before = memory_mb()
    much = np.ones(200_000_000, np.uint8)
    held = memory_mb()
    assert held > before or before > 1000  # the peak of a test process that once took more
    del much
    assert memory_mb() > 0.99 * held  # Linux counts in portions
