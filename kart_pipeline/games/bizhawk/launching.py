"""EmuHawk's command line, for a person to type or for us to start it with."""

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from kart_pipeline.core.errors import KartError

HOST = "127.0.0.1"  # EmuHawk takes numbers only
LOG = "bizhawk.log"  # in KART_HOME: what EmuHawk said

_CLONE = Path(__file__).parents[3] / "lua" / "kart.lua"
_PATIENCE_S = 5.0  # EmuHawk may write its settings before it goes


def script() -> Path:
    """`kart.lua`: that of the clone, else the one that was installed with this package."""
    if _CLONE.is_file():
        return _CLONE
    with contextlib.suppress(metadata.PackageNotFoundError):
        for path in metadata.files("kart-pipeline") or ():
            if path.name == _CLONE.name:
                return Path(str(path.locate())).resolve()
    return _CLONE


SCRIPT = script()


def command(emuhawk: str, rom: str, port: int) -> list[str]:
    """The words that start EmuHawk so that it speaks to us. We must be listening by then: it fails otherwise."""
    return [emuhawk, f"--socket_ip={HOST}", f"--socket_port={port}", f"--lua={SCRIPT}", rom]


def typed(words: Sequence[str]) -> str:
    """The same as a person types it in this system's shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def advice(port: int) -> str:
    """How a person starts BizHawk for us."""
    program = "EmuHawk.exe" if os.name == "nt" else "./EmuHawkMono.sh"
    return (
        "Start BizHawk (2.9 or newer) in its folder with your ROM:\n\n"
        f"    {typed(command(program, 'ROM', port))}\n\n"
        "One that was started like this already finds us by itself; if its script has ended, open it again in the Lua "
        f"Console: {SCRIPT}."
    )


def check_files(emuhawk: str, rom: str) -> None:
    """Raise KartError for a program or ROM that is not there."""
    for what, name in (("BizHawk", emuhawk), ("ROM", rom), ("Lua script", str(SCRIPT))):
        if not Path(name).expanduser().is_file():
            raise KartError(f"There is no {what} {name}; write --launch EMUHAWK ROM, the program's file first.")


class EmuHawk:
    """BizHawk's program, started here; it ends with `close`.

    Args:
        emuhawk: the program, or the script that starts it under Mono.
        rom: the game.
        port: that we listen on.
        log: gets what it says.

    Raises:
        KartError: program, ROM or script are not there, or it cannot be started.
    """

    def __init__(self, emuhawk: str, rom: str, port: int, log: Path) -> None:
        check_files(emuhawk, rom)
        program, game = Path(emuhawk).expanduser(), Path(rom).expanduser()
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        words = command(str(program.absolute()), str(game.absolute()), port)
        try:
            with log.open("wb") as said:
                self._process = subprocess.Popen(
                    words,
                    cwd=program.absolute().parent,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    start_new_session=os.name != "nt",  # Ctrl-C in our terminal is ours to answer
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                )
        except OSError as error:
            raise KartError(f"{program} cannot be started ({error}).") from error

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise KartError where it has ended."""
        status = self._process.poll()
        if status is not None:
            raise KartError(f"BizHawk has ended with status {status}; {self._log} has what it said.")

    def close(self) -> None:
        """End it; may be called more than once."""
        for deed in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            if self._process.poll() is not None:
                return
            if os.name == "nt":
                self._process.terminate()
            else:  # the script that starts it under Mono waits for it, and would not pass a signal on
                os.killpg(self._process.pid, deed)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE_S)
