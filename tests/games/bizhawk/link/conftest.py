"""BizHawk's stand-in beside the test: in a thread where it is looked into, as a process where it is killed."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kart_pipeline.games.bizhawk.link.bridge import Bridge
from kart_pipeline.games.bizhawk.link.door import Listener, listen
from tests.bizhawk.comm import HangError
from tests.bizhawk.fake import FakeBizHawk
from tests.bizhawk.worlds import Counter


@pytest.fixture
def door() -> Iterator[Listener]:
    """A free port."""
    opened = listen()
    yield opened
    opened.close()


class Running:
    """A stand-in that emulates in a thread."""

    def __init__(self, fake: FakeBizHawk, told: list[dict[str, Any]]) -> None:
        self.fake, self.told, self.hung = fake, told, False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.fake.run(until=self._stop.is_set, fps=3000)
        except HangError:
            self.hung = not self._stop.is_set()

    def words(self) -> list[str]:
        """What the Lua console was told."""
        return [item["console"] for item in self.told if "console" in item]

    def stop(self) -> None:
        self._stop.set()
        end = time.monotonic() + 30
        while self._thread.is_alive() and time.monotonic() < end:
            self.fake.close()  # again, if it connected anew just now
            self._thread.join(0.05)
        assert not self._thread.is_alive()


@pytest.fixture(params=["5.3", "5.4"])
def lua(request: pytest.FixtureRequest) -> str:
    """Both versions that BizHawk may run."""
    return str(request.param)


@pytest.fixture
def start(door: Listener) -> Iterator[Callable[..., Running]]:
    """Starts stand-ins that connect to the door; afterwards none of them hangs."""
    started: list[Running] = []

    def begin(lua: str = "5.4", **options: Any) -> Running:
        told: list[dict[str, Any]] = []
        fake = FakeBizHawk(options.pop("port", door.port), Counter(), lua=lua, say=told.append, **options)
        started.append(Running(fake, told))
        return started[-1]

    yield begin
    for running in started:
        running.stop()
    assert not any(running.hung for running in started)


@pytest.fixture
def bridge(door: Listener) -> Iterator[Callable[[], Bridge]]:
    """Waits for the one that connects."""
    bridges: list[Bridge] = []

    def accept() -> Bridge:
        found = door.accept(20)
        assert found is not None
        bridges.append(found)
        return found

    yield accept
    for one in bridges:
        one.close()
