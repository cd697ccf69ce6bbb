"""A store with sessions, and the page's server on it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store
from recorder.view.server import ViewServer

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A",), mirrored_axes=("steer",))
Record = Callable[..., Session]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Records sessions whose pictures are as red as their row says."""
    store = Store(tmp_path / "sessions")

    def make(name: str, count: int = 200, codec: str = "png", gap: int = 0, stride: int = 1) -> Session:
        header = SessionHeader(id=name, game="road", rate_hz=20, spec=SPEC, codec=codec)  # type: ignore[arg-type]
        with store.create(header) as writer:
            for row in range(count):
                step = stride * row + (gap if row >= count // 2 else 0)
                label = SPEC.action(steer=float(np.sin(row / 15)), throttle=0.5, A=row % 40 < 20)
                done = SPEC.action(steer=0.0, throttle=0.5, A=False)
                rgb = np.full((48, 64, 3), (row % 256, 90, 160), np.uint8)
                writer.append(Step(step, Frame(rgb, step * 50_000_000), Choice(done, "policy", label)))
            writer.finish("finished", 1.0)
        return store.open(name)

    return make


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ViewServer]]:
    """Serves sessions of that store until the test ends."""
    servers: list[ViewServer] = []

    def start(*ids: str) -> ViewServer:
        server = ViewServer(Store(tmp_path / "sessions"), list(ids))
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
