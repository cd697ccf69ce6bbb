"""Small sessions whose pictures tell their own number, recorded with the real writer into a real store."""

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.frame import RGB, Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store

SPEC = ActionSpec(("steer", "throttle"), ("A",), mirrored_axes=("steer",))
CONTRACT = Contract(SPEC, rate_hz=10, width=20, height=8, colour="rgb")

Record = Callable[..., Session]


def noise(number: int, size: tuple[int, int] = (12, 30)) -> RGB:
    """A frame like no other: noise whose seed is its number."""
    return np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)


def png(rgb: RGB) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def picture() -> Callable[..., RGB]:
    """What a step's frame shows, by its number."""
    return noise


@pytest.fixture
def picture_file() -> Callable[..., bytes]:
    """The same as the bytes of a PNG file."""
    return lambda *number_and_size: png(noise(*number_and_size))


@pytest.fixture
def contract() -> Contract:
    return CONTRACT


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "datasets"


@pytest.fixture
def record(store: Store) -> Record:
    """Record one step for each value of `steer`, 100 ms apart.

    `unlabelled`: indices that nobody taught; `encoded`: other bytes for some frames; `indices` and `t_ns`: other step
    numbers and times; `progress`: of each step, where the game tells it; `actor`: who drove; `interventions`: indices
    of steps in which a teacher took over; the rest goes into the header.
    """

    def make(
        session_id: str = "s1",
        steer: Iterable[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
        *,
        unlabelled: Iterable[int] = (),
        encoded: Mapping[int, bytes] | None = None,
        indices: Iterable[int] | None = None,
        t_ns: Iterable[int] | None = None,
        throttle: float = 0.5,
        seed: int = 0,
        progress: Iterable[float] | None = None,
        actor: str = "human",
        interventions: Iterable[int] = (),
        **header: object,
    ) -> Session:
        values = [*steer]
        numbers = range(len(values)) if indices is None else [*indices]
        times = [number * 100_000_000 for number in numbers] if t_ns is None else [*t_ns]
        untaught, taken = set(unlabelled), set(interventions)
        way = None if progress is None else [*progress]
        fields = {"id": session_id, "game": "kart", "rate_hz": 10.0, "spec": SPEC} | header
        with store.create(SessionHeader(**fields)) as writer:  # type: ignore[arg-type]
            for place, (value, number, time) in enumerate(zip(values, numbers, times, strict=True)):
                action = SPEC.action(steer=value, throttle=throttle, A=place % 2 == 0)
                choice = Choice(action, actor, None if place in untaught else action, place in taken)
                state = {"speed": float(place)} | ({} if way is None else {"progress": float(way[place])})
                frame = Frame(noise(seed * 100_000 + number), time, state)
                writer.append(Step(number, frame, choice), (encoded or {}).get(place))
            writer.finish("finished")
        return store.open(session_id)

    return make
