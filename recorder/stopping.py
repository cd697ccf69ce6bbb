"""Ctrl-C as a question: the first asks for an orderly end, a second one interrupts at once."""

import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Self


class StopRequest:
    """While this block runs, Ctrl-C, a polite kill (SIGTERM) and the end of the terminal set it; call it to ask.

    Main thread only.

    Attributes:
        signal: the number of the signal that came; None so far.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        """Whether it came."""
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """128 + the signal, as shells count (130 for Ctrl-C); 0 where none came."""
        return 0 if self.signal is None else 128 + self.signal

    def _note(self, number: int, _: FrameType | None) -> None:
        if number == getattr(signal, "SIGHUP", None):
            self._turn_away()
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number

    def _turn_away(self) -> None:
        """Talk to nobody: the terminal is gone, and whatever is said to it would fail and end what is to be saved."""
        for number in self._terminals:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            os.close(nowhere)

    def __enter__(self) -> Self:
        self._terminals = [number for number in _standard() if os.isatty(number)]  # once it is gone it is none any more
        # SIGTERM too, because SDL would else swallow it as a wish to close its window; a terminal that is closed sends
        # SIGHUP, on Windows SIGBREAK.
        names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
        numbers = [int(getattr(signal, name)) for name in names]
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _standard() -> list[int]:
    """Numbers of the files that are written to by default, where they are files."""
    found = []
    for stream in (sys.stdout, sys.stderr):
        try:
            found.append(stream.fileno())
        except (AttributeError, OSError, ValueError):  # none, replaced, or closed
            continue
    return found
