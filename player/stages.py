"""How long each stage of a tick takes: every single measurement, for percentiles."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from kart_pipeline.driving.clock import Clock

PREPARE, INFER, APPLY = "prepare", "infer", "apply"
LATENCY = "capture to command"  # from the moment that the picture was taken to the controller's return

# The loop's sections under the names that a driver of the player knows them by. The section "driver" is what the policy
# itself splits into prepare and infer.
SECTIONS = {"game": APPLY, "frame": "next frame", "observers": "record and film"}


class Stages:
    """Durations by stage, in ns, in the order in which the stages first came."""

    def __init__(self) -> None:
        self._ns: dict[str, array[int]] = {}

    def add(self, stage: str, ns: int) -> None:
        """One more measurement."""
        self._ns.setdefault(stage, array("q")).append(ns)

    def measured(self, stage: str) -> Sequence[int]:
        """All measurements of a stage, in ns; none where there was none."""
        return self._ns.get(stage, array("q"))

    def clear(self) -> None:
        """Forget all measurements, such as those of a warm-up."""
        self._ns.clear()

    def summary(self, last: int = 0) -> dict[str, dict[str, Any]]:
        """By stage: `count`, and `p50_ms`, `p95_ms`, `p99_ms`, `worst_ms` in milliseconds; from any thread.

        Args:
            last: of the last so many measurements; 0 takes all.
        """
        figures = ("p50_ms", "p95_ms", "p99_ms", "worst_ms")
        return {
            stage: {
                "count": len(ns),
                **dict(zip(figures, (np.percentile(ns[-last:], (50, 95, 99, 100)) / 1e6).tolist(), strict=True)),
            }
            for stage, ns in self._ns.copy().items()  # a thread that shows them asks while the loop adds
        }


class StageClock(Clock):
    """The loop's clock, which also keeps each measurement.

    Args:
        rate_hz: ticks per second.
        stages: gets the measurements, over all drives.
        paced: as for `Clock`.
    """

    def __init__(self, rate_hz: float, stages: Stages, *, paced: bool) -> None:
        self._stages = stages
        super().__init__(rate_hz, paced=paced)

    def lap(self, section: str) -> None:
        """Book the time since the last call."""
        before = self._mark
        super().lap(section)
        if section in SECTIONS:
            self._stages.add(SECTIONS[section], self._mark - before)
