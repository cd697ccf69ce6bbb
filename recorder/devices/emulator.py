"""The pad that a person holds in an emulator: what it does is told with every frame."""

from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.action import Action
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.games.bizhawk.game import BizHawk

EMULATOR = "emulator"  # the kind of device


class EmulatorPad:
    """The hands of a person who plays in BizHawk, as a pad and as a device; it is BizHawk that reads it.

    Args:
        game: tells it with every frame.
    """

    done = False
    name = "your pad in BizHawk"

    def __init__(self, game: BizHawk) -> None:
        self._game = game
        self.about: Mapping[str, Any] = {"device": EMULATOR, "backend": "BizHawk"}

    @property
    def device(self) -> "EmulatorPad":
        """Itself."""
        return self

    @property
    def connected(self) -> bool:
        """As long as BizHawk is there."""
        return True

    def at(self, t_ns: int) -> PadState:  # noqa: ARG002 - as every device has it
        """In rest: what is held belongs to the game alone, and asks for nothing of the recorder."""
        return PadState()

    def read(self, t_ns: int | None = None) -> Action:  # noqa: ARG002 - what belongs to a frame came with it
        """What was done on the last frame."""
        return self._game.held

    def close(self) -> None:
        """It is BizHawk's."""
