"""Programs in a terminal of their own, whose other end the test holds."""

import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

_COLOURS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A Python program that was started in a terminal, and the person before it."""

    def __init__(self, *argv: str) -> None:
        import pty

        self.pid, self._end = pty.fork()
        if not self.pid:
            os.execv(sys.executable, [sys.executable, *argv])  # noqa: S606
        self.status: int | None = None
        self.open = True
        self._seen = b""

    @property
    def seen(self) -> str:
        """All that the program wrote so far, without colours."""
        while self.open and select.select([self._end], [], [], 0)[0]:
            try:
                self._seen += os.read(self._end, 65536)
            except OSError:  # the program has ended
                break
        return _COLOURS.sub(b"", self._seen).decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            assert not self.over() or text in self.seen, self.seen
            time.sleep(0.02)

    def over(self) -> bool:
        """Whether it has ended; `status` is its exit status then, negative after a signal."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def ended(self, seconds: float = 60.0) -> int:
        """Its exit status."""
        deadline = time.monotonic() + seconds
        while not self.over():
            assert time.monotonic() < deadline, self.seen
            self.seen  # noqa: B018 - a full terminal would keep it waiting
            time.sleep(0.02)
        assert self.status is not None
        return self.status

    def close(self) -> None:
        """The window of the terminal is closed."""
        if self.open:
            self.open = False
            os.close(self._end)


StartTerminal = Callable[..., Terminal]


@pytest.fixture
def terminal() -> Iterator[StartTerminal]:
    """Starts Python with the arguments."""
    pytest.importorskip("pty", reason="Windows has no such terminals")
    begun: list[Terminal] = []

    def start(*argv: str) -> Terminal:
        begun.append(Terminal(*argv))
        return begun[-1]

    yield start
    for one in begun:
        if not one.over():
            os.kill(one.pid, signal.SIGKILL)
            one.ended()
        one.close()
