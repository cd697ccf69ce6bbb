"""Waiting for BizHawk, and finding out whether what runs there is what is wanted."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.launching import LOG, EmuHawk, advice, check_files
from kart_pipeline.games.bizhawk.link.door import listen
from kart_pipeline.games.bizhawk.memory import Memory
from kart_pipeline.games.bizhawk.remote import Door, Remote
from kart_pipeline.games.bizhawk.tables import GameTable, find_table

_FIRST_S = 900.0  # for a person who has to find their ROM
_AGAIN_S = 60.0  # for a script that looks for us every few seconds
_TELL_S = 10.0
_LOOK_S = 0.25
_PAUSE_S = 1800.0  # of a person who had to go; whoever is away for longer wants their drive ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who is waited for.

    Attributes:
        table: of the game.
        tables: of all games.
        port: on which; 0 takes any that is free.
        emuhawk, rom: to be started here; "" where a person does that.
        core: that the person says is used.
    """

    table: GameTable
    tables: Mapping[str, GameTable]
    port: int
    emuhawk: str = ""
    rom: str = ""
    core: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.port, bool) or not isinstance(self.port, int) or not 0 <= self.port < 65536:
            raise KartError(f"A port is a whole number from 0 to 65535, not {self.port!r}.")
        if bool(self.emuhawk) != bool(self.rom):
            raise KartError("To start BizHawk takes its program and a ROM: --launch EMUHAWK ROM.")
        if self.emuhawk:
            check_files(self.emuhawk, self.rom)


class Meeting:
    """Keeps the door open for one BizHawk at a time.

    Args:
        wanted: who is waited for.
        home: KART_HOME.

    Attributes:
        say: tells the person; on standard error unless somebody else wants to.
        should_stop: asked while waiting.
        memory: of the game that runs there, once it was met; None where it is not known.
        doubt: why, as a sentence.
    """

    def __init__(self, wanted: Wanted, home: Path) -> None:
        self._wanted = wanted
        self._home = home
        self.say: Callable[[str], None] = _on_standard_error
        self.should_stop: Callable[[], object] = lambda: False
        self.memory: Memory | None = None
        self.doubt = ""
        self._door: Door | None = None
        self._process: EmuHawk | None = None
        self._remote: Remote | None = None
        self._met = False
        self._silent, self._told_silence = 0.0, False

    @property
    def about(self) -> dict[str, object]:
        """Of the BizHawk that was met last, for a manifest."""
        told = dict(self._remote.about) if self._remote is not None else {}
        return told | ({"core": self._wanted.core} if self._wanted.core else {})

    def link(self) -> Remote:
        """The BizHawk that connects next.

        Raises:
            KartError: none comes, another one than is wanted does, or the port is taken.
        """
        if self._door is None:
            self._door = listen(self._wanted.port)
        port, patience = self._door.port, _AGAIN_S if self._met else _FIRST_S
        if self._process is not None and not self._process.alive:
            self._process = None  # it was there, and is started anew
        if self._process is None and self._wanted.emuhawk:
            self._process = EmuHawk(self._wanted.emuhawk, self._wanted.rom, port, self._home / LOG)
            self.say(f"BizHawk starts; it connects on port {port}.")
        elif self._met:
            self.say("Waiting for BizHawk to come back: its script tries every few seconds. Ctrl-C ends.")
        elif not self._wanted.emuhawk:
            self.say(f"{advice(port)}\n\nWaiting for it; Ctrl-C ends.")
        remote = self._awaited(self._door, patience)
        self._welcome(remote)
        remote.gives_up = self._gives_up
        self._remote, self._met = remote, True
        return remote

    def lose(self) -> None:
        """The one that was met is gone."""
        if self._remote is not None:
            self._remote.close()

    def close(self) -> None:
        """Say goodbye, close the door, and end a BizHawk that was started here; may be called more than once."""
        if self._remote is not None:
            self._remote.close()
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._process is not None:
            self._process.close()
            self._process = None

    def _awaited(self, door: Door, patience: float) -> Remote:
        begun = told = time.monotonic()
        while (remote := door.accept(_LOOK_S)) is None:
            now = time.monotonic()
            if self.should_stop():
                raise KeyboardInterrupt
            if self._process is not None:
                self._process.check()
            if now - begun >= patience:
                raise KartError(
                    f"No BizHawk has connected on port {door.port} within {patience / 60:.0f} minutes. "
                    f"{advice(door.port)}"
                )
            if now - told >= _TELL_S:
                told = now
                self.say(f"Still waiting for BizHawk on port {door.port}, {now - begun:.0f} s.")
        return remote

    def _gives_up(self, seconds: float) -> bool:
        """Whether an answer that has not come for so long is not waited for any more."""
        if seconds < self._silent:
            self._silent, self._told_silence = seconds, False  # another turn
        self._silent = seconds
        if seconds >= _TELL_S and not self._told_silence:
            self._told_silence = True
            self.say("BizHawk does not answer; is it paused, or is a menu open? It goes on when BizHawk does.")
        return bool(self.should_stop()) or seconds >= _PAUSE_S

    def _welcome(self, remote: Remote) -> None:
        """See what runs there.

        Raises:
            KartError: another game than is wanted.
        """
        table, others = self._wanted.table, self._wanted.tables
        found, why = find_table({table.name: table, **others}, remote.system, remote.rom_hash)
        wrong = ""
        if not remote.system or remote.system == "NULL":
            wrong = f"BizHawk runs no game; open {table.title} in it."
        elif remote.system != table.system:
            wrong = f"BizHawk runs {remote.rom} on {remote.system}, and {table.title} is for {table.system}."
        elif found is not None and found.name != table.name:
            wrong = f"BizHawk runs {found.title}, and {table.title} is wanted; write --option game={found.name}."
        if wrong:
            remote.close(wrong)
            raise KartError(wrong)
        self.memory = Memory(found) if found is not None else None
        self.doubt = why
        if self.memory is not None:
            remote.read(self.memory.reads())
        version = remote.about.get("bizhawk", "")
        self.say(f"BizHawk {version} has connected with {remote.rom} ({remote.system}).")


def _on_standard_error(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
