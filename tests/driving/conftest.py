"""A tiny game that can be reckoned by hand, shared by the tests of the driving layer."""

from collections.abc import Callable

import numpy as np
import pytest

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import Frame
from kart_pipeline.games.base import FINISHED, Game

SPEC = ActionSpec(axes=("throttle", "steer"), buttons=("A",), mirrored_axes=("steer",))


class Line(Game):
    """Throttle moves along a line of ten cells, ten steps a second; steering by more than 0.5 is off the road."""

    name = "line"
    spec = SPEC
    rate_hz = 10.0
    simulated = True

    def __init__(self) -> None:
        self.log: list[str] = []

    def reset(self, seed: int | None = None) -> Frame:
        self.log.append(f"reset {seed}")
        self.track = self.group = f"seed-{seed}"
        self.score, self.ended, self.at, self.steps = 0.0, None, 0.0, 0
        return self.frame(0.0)

    def send(self, action: Action) -> None:
        self.log.append("send")
        self.sent = action

    def next_frame(self) -> Frame:
        self.log.append("next_frame")
        self.steps += 1
        self.at += float(self.sent["throttle"])
        self.score = 100 * self.at - self.steps
        if self.at >= 10:
            self.ended = FINISHED
        return self.frame(float(abs(self.sent["steer"]) > 0.5))

    def frame(self, off_track: float) -> Frame:
        rgb = np.full((2, 2, 3), self.steps % 256, np.uint8)
        return Frame(rgb, self.steps * 100_000_000, {"progress": self.at / 10, "off_track": off_track})

    def neutral(self) -> None:
        self.log.append("neutral")

    def close(self) -> None:
        self.log.append("close")

    def cruise(self) -> Action:
        return SPEC.action(throttle=0.25)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def make_line() -> Callable[[], Line]:
    return Line
