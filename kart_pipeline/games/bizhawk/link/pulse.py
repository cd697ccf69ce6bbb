"""A sign of life for a BizHawk that stands still while we think: it would take a player that is silent for lost."""

import threading
import time
from collections.abc import Callable

EVERY_S = 3.0  # less than a third of what kart.lua waits
MOST_S = 120.0  # then whoever thinks is taken to hang, and BizHawk is to be the person's again


class Pulse:
    """Calls `beat` in a thread of its own whenever nobody has said `turn` for a while; `stop` ends it.

    Args:
        beat: takes a turn that changes nothing; what it raises ends the pulse.
        every_s: between two of them.
        most_s: after so long without a turn it is silent.
    """

    def __init__(self, beat: Callable[[], object], every_s: float = EVERY_S, most_s: float = MOST_S) -> None:
        self._beat = beat
        self._every_s = every_s
        self._most_s = most_s
        self._last = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def turn(self) -> None:
        """Somebody else takes a turn."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """No more; may be called more than once."""
        self._stop.set()

    def _run(self) -> None:
        beaten = self._last
        while not self._stop.wait(self._every_s / 4):
            now, last = time.monotonic(), self._last
            if now - max(last, beaten) < self._every_s or now - last >= self._most_s:
                continue
            try:
                self._beat()
            except Exception:  # noqa: BLE001 - whoever takes the next turn is told
                return
            beaten = time.monotonic()
