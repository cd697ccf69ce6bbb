"""What is said of a recording from the screen when it has ended."""

from dataclasses import replace
from typing import Any

import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.manifest import Manifest
from recorder.display import console
from recorder.screen.report import lost, sustainable_hz, timing_table

GOOD: dict[str, Any] = {
    "cadence": {
        "late": 0.002,
        "skipped": 1,
        "mean_ms": {"driver": 0.5, "game": 0.0, "frame": 4.5, "observers": 0.5},
        "worst_ms": {"driver": 1.0, "game": 0.1, "frame": 12.25, "observers": 2.0},
    },
    "writing": {
        "dropped": 0,
        "most_waiting": 3,
        "encode": {"count": 990, "mean_ms": 3.0, "worst_ms": 7.5},
        "write": {"count": 990, "mean_ms": 0.25, "worst_ms": 20.0},
    },
}
MANIFEST = Manifest(
    id="s1",
    game="slides",
    rate_hz=60,
    spec=ActionSpec(("steer",)),
    notes=GOOD,
    steps=990,
    labelled=990,
    interventions=0,
    width=320,
    height=240,
    duration_s=16.5,
    digest="",
)


def changed(**changes: Any) -> Manifest:
    notes = {part: {**GOOD[part], **changes.get(part, {})} for part in GOOD}
    return replace(MANIFEST, notes=notes)


def test_where_all_went_well_only_the_figures_are_told() -> None:
    assert lost(MANIFEST) == ["0 of 990 frames dropped; at most 3 waited to be written."]


def test_looking_encoding_and_writing_have_a_mean_and_a_worst(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(timing_table(MANIFEST))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["grab", "encode", "write"],
        ["mean", "ms", "4.5", "3.0", "0.2"],
        ["worst", "ms", "12.2", "7.5", "20.0"],
    ]


def test_a_rate_that_was_not_held_comes_with_one_that_would_be() -> None:
    slow = {"late": 0.6, "mean_ms": {"driver": 1.0, "frame": 18.0, "observers": 1.0}}
    told = lost(changed(cadence=slow))
    assert told[1] == "This machine did not hold 60 Hz; it can hold about 38: record with --rate 38."
    assert sustainable_hz(20.0) == pytest.approx(40.0)  # of which the many late ticks leave no more than 38


def test_dropped_frames_come_with_what_encoding_takes() -> None:
    told = lost(changed(writing={"dropped": 110, "encode": {"count": 990, "mean_ms": 25.0, "worst_ms": 80.0}}))
    assert told[0].startswith("110 of 1100 frames dropped")
    assert "took 25.0 ms each" in told[1]
