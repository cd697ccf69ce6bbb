"""What each command does to a recording, and what the person is told and hears of it."""

import threading
from collections.abc import Callable, Mapping

from recorder.live.commands import Command
from recorder.live.signals import Signal
from recorder.screen.recording import PERSON, ScreenRecording


class Deeds:
    """Obeys commands, from whatever thread they come.

    Args:
        recording: that is commanded.
        drop_s: how much is cut.
        say: tells what was done.
        give: gives a signal of it.

    Attributes:
        ending: the person asked for the end.
    """

    def __init__(
        self,
        recording: ScreenRecording,
        drop_s: float,
        say: Callable[[str], None],
        give: Callable[[Signal], None],
    ) -> None:
        self._recording = recording
        self._drop_s = drop_s
        self._say = say
        self._give = give
        self._lock = threading.Lock()
        self.ending = False
        self._deeds: Mapping[Command, Callable[[], None]] = {
            Command.PAUSE: self._pause,
            Command.LAP: self._lap,
            Command.DROP: self._drop,
            Command.STOP: self._stop,
        }

    def obey(self, command: Command) -> None:
        """Do it."""
        with self._lock:
            if not self.ending:
                self._deeds[command]()

    def _pause(self) -> None:
        if self._recording.begin():
            return  # it was still waiting
        if PERSON in self._recording.holds:
            self._recording.release(PERSON)
            self._give(Signal.BEGIN)
            left = self._recording.why
            self._say(f"Still paused: {left}." if left else "Recording goes on.")
        else:
            self._recording.hold(PERSON, "you paused")
            self._give(Signal.PAUSE)
            self._say("Paused.")

    def _lap(self) -> None:
        if self._recording.holds:
            self._say(f"No lap: {self._recording.why}.")
            return
        self._recording.mark_lap()
        self._give(Signal.LAP)
        self._say(f"Lap {self._recording.laps}.")

    def _drop(self) -> None:
        cut = self._recording.drop_last(self._drop_s)
        self._give(Signal.DROP)
        self._say(
            f"The last {cut:.1f} s are cut; again, and what was before them goes too." if cut else "Nothing left."
        )

    def _stop(self) -> None:
        self.ending = True
        self._give(Signal.END)
        self._say("Ending.")
