"""Processes that end with us: the game and, where there is no screen, an X server of its own."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from kart_pipeline.core.errors import KartError

_PATIENCE_S = 2.0  # the game may ignore SIGTERM while it loads


class Child:
    """A process in a group of its own that the kernel ends when we end, however that happens.

    Args:
        command: to run.
        environ: of it.
        folder: its working directory.
        death: the signal that it gets when the thread that started it is gone.

    Raises:
        KartError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
        death: signal.Signals = signal.SIGKILL,
    ) -> None:
        # setpriv asks the kernel (PR_SET_PDEATHSIG) and becomes the command; it is part of util-linux, on every Linux.
        guard = shutil.which("setpriv")
        if guard is None:
            raise KartError("A game that ends with its player needs `setpriv`, of the package util-linux.")
        try:
            self.process = subprocess.Popen(
                [guard, "--pdeathsig", death.name.removeprefix("SIG"), "--", *command],
                env=dict(environ) if environ is not None else None,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in our terminal is ours to answer
            )
        except OSError as error:
            raise KartError(f"{command[0]} cannot be started ({error}).") from error

    @property
    def output(self) -> IO[bytes]:
        """Its standard output."""
        if self.process.stdout is None:
            raise AssertionError("started with a pipe")
        return self.process.stdout

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def end(self) -> None:
        """End it and whatever it started, surely; may be called more than once."""
        for deed in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, deed)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_PATIENCE_S)
        self.process.wait()


class OwnScreen:
    """An X server without a screen, just as large as the game.

    Attributes:
        display: its name, as `:1`.

    Raises:
        KartError: Xvfb is not installed or does not start.
    """

    def __init__(self, width: int, height: int) -> None:
        server = shutil.which("Xvfb")
        if server is None:
            raise KartError(
                "There is no screen to show SuperTuxKart on: neither DISPLAY is set nor Xvfb is installed "
                "(sudo apt-get install xvfb)."
            )
        screen = ["-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset", "+extension", "GLX"]
        self._server = Child([server, "-displayfd", "1", *screen], death=signal.SIGTERM)
        number = self._server.output.readline().decode().strip()
        if not number:
            self.close()
            raise KartError("Xvfb does not start; try `Xvfb -displayfd 1` to see why.")
        self.display = f":{number}"

    def close(self) -> None:
        """End the server."""
        self._server.end()
        self._server.output.close()
