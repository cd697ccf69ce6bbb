import time

import numpy as np
import pytest

from player.stages import StageClock, Stages


def test_the_summary_gives_percentiles_in_milliseconds():
    stages = Stages()
    for ns in range(1, 101):
        stages.add("infer", ns * 1_000_000)
    summary = stages.summary()["infer"]
    assert summary["count"] == 100
    assert summary["p50_ms"] == pytest.approx(np.median(range(1, 101)))
    assert 99 <= summary["p99_ms"] <= 100
    assert summary["worst_ms"] == 100


def test_nothing_measured_gives_an_empty_summary():
    stages = Stages()
    stages.add("infer", 1)
    stages.clear()
    assert stages.summary() == {}


def test_the_clock_keeps_each_lap_under_the_players_name_for_it_over_several_drives():
    stages = Stages()
    clock = StageClock(50.0, stages, paced=False)
    for _ in range(3):
        clock.start()
        clock.lap("driver")
        time.sleep(0.002)
        clock.lap("game")
    summary = stages.summary()
    assert list(summary) == ["apply"]
    assert summary["apply"]["count"] == 3
    assert summary["apply"]["p50_ms"] >= 2
    assert clock.cadence().mean_ms["driver"] >= 0  # what the loop measures itself goes on as before
