"""Small sessions, made step by step."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import RGB, Choice, Frame, Step
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


BITS = 10  # of a step's number


@pytest.fixture(scope="session")
def numbered() -> Callable[..., Iterator[Step]]:
    """Steps whose pictures show their number, so that lossy frames can be told apart; read it with `shown`."""

    def make(indexes: Iterable[int], size: tuple[int, int] = (33, 85)) -> Iterator[Step]:
        for index in indexes:
            rgb = np.zeros((*size, 3), np.uint8)
            for bit in range(BITS):
                rgb[:16, bit * 8 : bit * 8 + 8] = 255 * (index >> bit & 1)
            rgb[16:] = (index * 7 % 256, 128, index * 3 % 256)
            action = SPEC.action(steer=0.0, throttle=0.5, A=index % 2 == 0)
            yield Step(index, Frame(rgb, index * 50_000_000, {"speed": index / 2}), Choice(action, "human", action))

    return make


@pytest.fixture(scope="session")
def shown() -> Callable[[RGB], int]:
    """Reads the number off a picture of `numbered`."""

    def read(rgb: RGB) -> int:
        return sum(int(rgb[8, bit * 8 + 4, 1] > 127) << bit for bit in range(BITS))

    return read


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """Within its block the system refuses to let a file grow beyond so many bytes, as a full disk would."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        import resource

        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # else the process is killed instead of told
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)

    return limited
