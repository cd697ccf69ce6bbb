"""Commands typed in the terminal, one character each, without Enter."""

import contextlib
import os
import select
import sys
import threading
import time
from typing import Any

from recorder.live.chords import Obey
from recorder.live.commands import Commands

_LOOK_S = 0.1  # for the wish to end


def typing_possible() -> bool:
    """Whether a person can type to this process: stdin is a terminal, and the process is in its foreground."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    # A process in the background would be stopped by its first look at the terminal.
    return sys.platform == "win32" or os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


class TerminalKeys:
    """Reads stdin in a thread of its own, and leaves the terminal as it was; a context manager.

    Ctrl-C stays what it is. Use it only where `typing_possible`.

    Args:
        commands: what is to be heard.
        obey: is called in that thread.
    """

    def __init__(self, commands: Commands, obey: Obey) -> None:
        self._commands = {item.terminal: command for command, item in commands.bindings.items() if item.terminal}
        self._obey = obey
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="terminal keys", daemon=True)
        self._terminal = contextlib.ExitStack()

    def _listen(self) -> None:
        while not self._end.is_set():
            typed = _typed()
            if typed is None:  # the terminal was closed
                return
            for character in typed:
                command = self._commands.get(character) or self._commands.get(character.lower())
                if command is not None:
                    self._obey(command)

    def __enter__(self) -> None:
        if sys.platform != "win32":
            self._terminal.enter_context(_unbuffered())
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._terminal.close()


if sys.platform == "win32":
    import msvcrt

    def _typed() -> str | None:
        """What was typed; "" where nothing was for a while."""
        if not msvcrt.kbhit():
            time.sleep(_LOOK_S)
            return ""
        typed = msvcrt.getwch()
        if typed in "\x00\xe0":  # an arrow or function key; another character follows
            msvcrt.getwch()
            return ""
        return typed

else:
    import termios
    import tty

    def _typed() -> str | None:
        """What was typed; "" where nothing was for a while, None at the end of the terminal."""
        file = sys.stdin.fileno()
        if not select.select([file], [], [], _LOOK_S)[0]:
            return ""
        try:
            typed = os.read(file, 64)
        except OSError:
            return None
        if typed.startswith(b"\x1b"):  # an arrow or function key: its letters are no commands
            return ""
        return typed.decode(errors="replace") if typed else None

    @contextlib.contextmanager
    def _unbuffered() -> Any:
        """Characters come one by one and are not shown."""
        before: Any = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin, termios.TCSANOW)
        try:
            yield
        finally:
            with contextlib.suppress(termios.error, OSError):  # of a terminal that was closed
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
