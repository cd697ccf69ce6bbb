"""A connected BizHawk as a search drives it: in actions, and without pictures."""

from collections.abc import Callable, Mapping

from kart_pipeline.core.action import Action
from kart_pipeline.games.bizhawk.consoles import Console
from kart_pipeline.games.bizhawk.remote import Remote


class Searched:
    """`lookahead.Emulator` over the link.

    Args:
        running: the BizHawk that is connected now; raises KartError where there is none.
        console: from actions to its pad.
        always: it hurries between two searches, too.
    """

    def __init__(self, running: Callable[[], Remote], console: Console, *, always: bool = False) -> None:
        self._running = running
        self._console = console
        self._always = always

    def save(self) -> str:
        """See `Emulator.save`."""
        return self._running().save()

    def load(self, name: str) -> None:
        """See `Emulator.load`."""
        self._running().load(name)

    def forget(self, name: str) -> None:
        """See `Emulator.forget`."""
        self._running().forget(name)

    def hurry(self, on: bool) -> None:
        """See `Emulator.hurry`."""
        self._running().hurry(on or self._always, unseen=on)

    def hold(self, action: Action, frames: int) -> Mapping[str, float]:
        """See `Emulator.hold`."""
        return self._running().hold(self._console.pad(action), frames, picture=False).numbers
