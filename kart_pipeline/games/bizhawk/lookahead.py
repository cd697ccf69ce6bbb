"""An emulator as a search sees it: saved, put back and advanced frame by frame, judged by the game's memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.games.base import FINISHED
from kart_pipeline.games.bizhawk.memory import Memory


class Emulator(Protocol):
    """What a link to an emulator must be able to do for a search, each in one turn."""

    def save(self) -> str:
        """Keep the present state in the emulator's own memory; returns the name to ask for it by."""

    def load(self, name: str) -> None:
        """Go back to a state that was kept."""

    def forget(self, name: str) -> None:
        """Drop a state: it holds all of the console's memory."""

    def hurry(self, on: bool) -> None:
        """While on: no limit of speed, no sound, no picture that is sent."""

    def hold(self, action: Action, frames: int) -> Mapping[str, float]:
        """Hold the pad so for so many emulated frames, then read the game's memory: numbers by `Read.key`."""


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    ended: str | None


class Lookahead:
    """`games.search.Searchable` over an emulator.

    Args:
        emulator: the link.
        memory: of the game that runs in it.
        name: of the game, for messages.
        spec: what a driver does in it.
        rate_hz: steps a second, each of `frames` emulated frames.
        frames: a step.

    Attributes:
        ended: "finished" once the last lap is done, else None.
    """

    def __init__(
        self, emulator: Emulator, memory: Memory, *, name: str, spec: ActionSpec, rate_hz: float, frames: int
    ) -> None:
        self.name = name
        self.spec = spec
        self.rate_hz = rate_hz
        self.ended: str | None = None
        self._emulator = emulator
        self._memory = memory
        self._frames = frames

    def save(self) -> _Kept:
        """See `Searchable.save`."""
        return _Kept(self._emulator.save(), self.ended)

    def load(self, state: _Kept) -> None:
        """See `Searchable.load`."""
        self._emulator.load(state.name)
        self.ended = state.ended

    def forget(self, state: _Kept) -> None:
        """See `Searchable.forget`."""
        self._emulator.forget(state.name)

    def hurry(self, on: bool) -> None:
        """See `Searchable.hurry`."""
        self._emulator.hurry(on)

    def advance(self, action: Action, steps: int) -> Mapping[str, float]:
        """See `Searchable.advance`; a race that ends is not told before the last of the steps."""
        told = self._memory.state(self._emulator.hold(action, steps * self._frames))
        self.ended = FINISHED if self._memory.finished(told) else None
        return told
