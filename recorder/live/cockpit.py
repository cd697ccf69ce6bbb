"""All that a person has at hand while they record the screen, put together."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Self

from rich.console import Console
from rich.table import Table

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.source import ScreenSource
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.loop import Observer
from kart_pipeline.games.base import Game
from recorder.devices.device import Device
from recorder.devices.emulator import EMULATOR
from recorder.live.chords import Hotkeys, PadChords
from recorder.live.commands import Commands
from recorder.live.deeds import Deeds
from recorder.live.gate import Gate
from recorder.live.preview import Preview
from recorder.live.signals import Signals
from recorder.live.snapshot import Gauge, Snapshot
from recorder.live.terminal import TerminalKeys, typing_possible
from recorder.live.view import LiveView
from recorder.screen.recording import PERSON, ScreenRecording


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person wants it.

    Attributes:
        countdown_s: before the recording begins.
        autostart: it begins with the first throttle.
        paused: it begins when the person asks for it.
        signals: by which way signals are given.
        preview: a window shows what is recorded.
    """

    countdown_s: float = 0.0
    autostart: bool = False
    paused: bool = False
    signals: str = "auto"
    preview: bool = False


class Cockpit:
    """Commands, signals and the view of one recording; a context manager.

    Args:
        wishes: of the person.
        commands: that can be given.
        device: in the person's hands.
        out: the terminal.
        game: that is recorded.
        source: of its frames, where they come from the screen.

    Attributes:
        clock: for the drive.
        gate: for the recording.
        saving: the recording has ended, and is made a session.

    Raises:
        KartError: signals cannot be given in the way that was wished for.
    """

    def __init__(
        self,
        wishes: Wishes,
        commands: Commands,
        device: Device,
        out: Console,
        game: Game,
        source: ScreenSource | None,
    ) -> None:
        self._wishes, self._commands, self._device = wishes, commands, device
        self._out, self._game, self._source = out, game, source
        self._title = f"{game.name} {game.track}".strip()
        self._signals = Signals(wishes.signals, device)
        self.give = self._signals.give
        self.clock = Clock(game.rate_hz, paced=not game.simulated, waiting="frame" if game.simulated else "")
        self.gate = Gate(wishes.countdown_s, autostart=wishes.autostart, give=self.give)
        self.saving = False
        self._deeds: Deeds | None = None
        self._stack = ExitStack()

    def say(self, text: str) -> None:
        """A line above the view."""
        self._out.print(text, soft_wrap=True)

    @property
    def ending(self) -> bool:
        """The person asked for the end."""
        return self._deeds is not None and self._deeds.ending

    def parts(self, recording: ScreenRecording) -> Sequence[Observer]:
        """Begin: what observes the recording."""
        if self._wishes.paused:
            recording.hold(PERSON, "waiting for you")
        self._deeds = deeds = Deeds(recording, self._commands.drop_s, self.say, self.give)
        ways = self._listen(deeds)
        self._help(ways)
        gauge = Gauge(recording, self.clock, self._game.rate_hz, recording.folder)

        def snapshot() -> Snapshot:
            now = gauge.snapshot()
            return replace(now, why="saving") if self.saving else now

        self._stack.enter_context(LiveView(self._out, snapshot, self._title, self._hint(ways)))
        return [gauge, *self._preview(recording)]

    def _preview(self, recording: ScreenRecording) -> Sequence[Observer]:
        source = self._source
        if not self._wishes.preview or source is None:
            return []
        size = source.about["frame"]
        frame = (size["width"], size["height"])
        where, monitors = lambda: source.place, source.monitors
        try:
            preview = Preview(recording, self._game.spec, self._title, where, monitors, frame, self.say)
        except KartError as error:  # it is no reason not to record
            self.say(str(error))
            return []
        return [self._stack.enter_context(preview)]

    def _listen(self, deeds: Deeds) -> dict[str, str]:
        """Hear commands; by which ways, and what they are called."""
        ways: dict[str, str] = {}
        # Keys have their own combinations, and a pad in an emulator is the emulator's.
        if self._device.about["device"] not in ("keyboard", EMULATOR):
            self._stack.enter_context(PadChords(self._device, self._commands, deeds.obey))
            ways["pad"] = f"on the pad, held for {self._commands.hold_s:g} s"
        try:
            self._stack.enter_context(Hotkeys(self._commands, deeds.obey))
            ways["keys"] = "in any window"
        except KartError as error:
            self.say(f"No keys in other windows: {error}")
        if typing_possible():
            self._stack.enter_context(TerminalKeys(self._commands, deeds.obey))
            ways["terminal"] = "in this terminal"
        return ways

    def _help(self, ways: dict[str, str]) -> None:
        table = Table(box=None, pad_edge=False)
        for name in ("", *ways.values()):
            table.add_column(name, no_wrap=True)
        for row in self._commands.help([*ways]):
            table.add_row(*row)
        self._out.print(table)

    def _hint(self, ways: dict[str, str]) -> str:
        if "terminal" not in ways:
            return "Ctrl-C ends"
        return "   ".join(f"{key} {deed}" for deed, key in self._commands.help(["terminal"]) if key)

    def __enter__(self) -> Self:
        self._stack.enter_context(self._signals)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
