"""Small sessions, made step by step."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader

SPEC = ActionSpec(("steer", "throttle"), ("A",), mirrored_axes=("steer",))


@pytest.fixture
def header() -> Callable[..., SessionHeader]:
    def make(session_id: str = "s1", **changes: object) -> SessionHeader:
        return SessionHeader(**{"id": session_id, "game": "test_game", "rate_hz": 20, "spec": SPEC} | changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def steps() -> Callable[..., Iterator[Step]]:
    def make(count: int, size: tuple[int, int] = (12, 16), first: int = 0) -> Iterator[Step]:
        rng = np.random.default_rng(count)
        for index in range(first, first + count):
            rgb = rng.integers(0, 256, (*size, 3), np.uint8)
            action = SPEC.action(steer=np.float32(np.sin(index)).item(), throttle=0.5, A=index % 2 == 0)
            label = action if index % 3 else None
            choice = Choice(action, "expert" if label else "policy", label, intervention=index % 5 == 0)
            yield Step(index, Frame(rgb, index * 50_000_000, {"speed": index / 2}), choice)

    return make
