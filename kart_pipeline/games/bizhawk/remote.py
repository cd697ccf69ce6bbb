"""What a game needs of BizHawk at the other end of the link."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.games.bizhawk.consoles import Pad
from kart_pipeline.games.bizhawk.memory import Read


class LostError(KartError):
    """BizHawk is gone, or does not answer any more; the sentence says which."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One emulated frame.

    Attributes:
        count: of frames that the emulator has counted; it goes back with a save state.
        rgb: the core's own picture; None where none was asked for.
        numbers: of the game's memory, by `Read.key`.
        held: how the person's own pad stands, whatever we press.
    """

    count: int
    rgb: RGB | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    held: Pad = field(default_factory=dict)


class Door(Protocol):
    """Where BizHawk knocks: a port of this machine alone.

    Attributes:
        port: its number.
    """

    port: int

    def accept(self, seconds: float) -> "Remote | None":
        """The next BizHawk that comes within so many seconds."""

    def close(self) -> None:
        """Nobody can come any more; may be called more than once."""


class Remote(Protocol):
    """One BizHawk that has connected. Each method is one turn; all raise `LostError` when it is gone.

    Attributes:
        system: as BizHawk calls it.
        rom, rom_hash: name and hash of the ROM.
        about: all that it told of itself, for the manifest.
        gives_up: asked while an answer is waited for, with the seconds so far: a person may have paused BizHawk.
    """

    system: str
    rom: str
    rom_hash: str
    about: Mapping[str, Any]
    gives_up: Callable[[float], bool]

    def read(self, reads: Sequence[Read]) -> None:
        """These numbers come with every frame from now on."""

    def hold(self, pad: Pad | None, frames: int, *, picture: bool = True, first: bool = False) -> Seen:
        """Advance by so many frames, at least one.

        Args:
            pad: is held meanwhile; None leaves it to the person.
            frames: emulated.
            picture: whether one is wanted.
            first: what is returned was before these frames, which go by while we think; else it is after them.
        """

    def save(self, path: Path | None = None) -> str:
        """Keep the present state, in the emulator's memory or in a file; the name to ask for it by."""

    def load(self, name: str) -> None:
        """Go back to a state, by the name that `save` gave, or a file's."""

    def forget(self, name: str) -> None:
        """Drop a state."""

    def hurry(self, on: bool, *, unseen: bool = False) -> None:
        """While on: no limit of speed, no sound; where nobody asks for pictures, `unseen`, none are drawn either."""

    def neutral(self) -> None:
        """Let go of the pad."""

    def say(self, text: str) -> None:
        """On the emulator's screen, which no picture shows."""

    def close(self, reason: str = "") -> None:
        """Say goodbye; BizHawk runs on by itself. May be called more than once, and never raises."""
