"""What is seen on the screen and done by a person, into one session, with pauses where there is nothing to record."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.recording import NothingKeptError
from kart_pipeline.core.session_writer import SessionWriter
from kart_pipeline.core.store import Store
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.loop import STEP_LIMIT, STOPPED, Observer, drive
from kart_pipeline.games.base import Game
from kart_pipeline.games.desktop import DesktopGame
from recorder.devices.device import Device
from recorder.episode import INTERRUPTED, KEEP_S, Dropped, Taken
from recorder.live.gate import Gate
from recorder.live.signals import Signal
from recorder.pads import Human, Pad
from recorder.stores import session_megabytes
from recorder.timing import Writing
from recorder.writing import BackgroundWriter

WINDOW, PAD, START, PERSON = "window", "pad", "start", "person"  # reasons to hold


class ScreenRecording:
    """The observer that writes the session, and pauses it while any reason to hold is there.

    A window that cannot be seen and a pad that is unplugged are such reasons: a picture that stands still and hands
    that rest would teach something wrong. `hold` and `release` add those of others. May be called from any thread.

    Args:
        writer: of the session; stays the caller's to close.
        folder: of the session.
        game: says whether it can be seen.
        device: says whether it is plugged in.
        gate: says when recording begins.
        say: tells the person that recording pauses and goes on.
        give: gives a signal of it.
    """

    def __init__(
        self,
        writer: BackgroundWriter,
        folder: Path,
        game: Game,
        device: Device,
        *,
        gate: Gate | None = None,
        say: Callable[[str], None] = lambda _: None,
        give: Callable[[Signal], None] = lambda _: None,
    ) -> None:
        self.writer = writer
        self.folder = folder
        self._game = game
        self._device = device
        self._gate = gate or Gate()
        self._say = say
        self._give = give
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}
        self._steps = self._cut = 0

    def on_step(self, step: Step) -> None:
        """Record the step, unless there is a reason not to.

        Raises:
            KartError: the disk cannot be written, or the device not be read any more.
        """
        self._keep(WINDOW, self._game.hidden)
        self._keep(PAD, None if self._device.at(step.frame.t_ns).connected else f"the {self._device.name} is unplugged")
        self._wait(step)
        self._steps += not self.writer.paused
        self.writer.on_step(step)

    @property
    def holds(self) -> frozenset[str]:
        """The reasons for which nothing is recorded now."""
        return frozenset(self._reasons)

    @property
    def why(self) -> str:
        """Those reasons in words; "" while it is recorded."""
        return ", ".join(self._reasons.copy().values())

    @property
    def steps(self) -> int:
        """How many have been recorded, without what was cut or dropped."""
        return self._steps - self._cut - self.writer.statistics().dropped

    @property
    def seconds(self) -> float:
        """How long that is."""
        return self.steps / self._game.rate_hz

    @property
    def laps(self) -> int:
        """How many laps are marked."""
        return self.writer.laps

    def hold(self, reason: str, why: str = "") -> None:
        """Record nothing until this reason, and every other, is released."""
        with self._lock:
            if not self._reasons:
                self.writer.pause()
            self._reasons[reason] = why or reason

    def release(self, reason: str) -> None:
        """This reason is gone; without another one recording goes on."""
        with self._lock:
            if reason in self._reasons:
                del self._reasons[reason]
                if not self._reasons:
                    self.writer.resume()

    def begin(self) -> bool:
        """Begin with the next step, whatever was waited for; whether it had not begun."""
        waits = not self._gate.open
        self._gate.pass_by()
        return waits

    def drop_last(self, seconds: float) -> float:
        """Cut the last seconds; see `BackgroundWriter.drop_last`."""
        cut = self.writer.drop_last(seconds)
        self._cut += round(cut * self._game.rate_hz)
        return cut

    def mark_lap(self) -> None:
        """A lap begins now."""
        self.writer.mark_lap()

    def statistics(self) -> Writing:
        """How writing goes."""
        return self.writer.statistics()

    def _keep(self, reason: str, why: str | None) -> None:
        """Hold for `reason` as long as there is a `why`."""
        if why is not None and reason not in self._reasons:
            self.hold(reason, why)
            self._give(Signal.TROUBLE)
            self._say(f"Paused: {why}. Recording goes on when it is back.")
        elif why is None and reason in self._reasons:
            self.release(reason)
            self._give(Signal.BEGIN)
            self._say("It is back." if self._reasons else "It is back; recording goes on.")

    def _wait(self, step: Step) -> None:
        """Hold until the gate is open."""
        if self._gate.open and START not in self._reasons:
            return
        why = self._gate.why(step)
        if why is not None:
            self.hold(START, why)
        else:
            self.release(START)
            self._give(Signal.BEGIN)
            self._say(f"It begins once the rest is well: {self.why}." if self._reasons else "Recording.")


Parts = Callable[[ScreenRecording], Sequence[Observer]]


class HeldPad(Pad, Protocol):
    """A pad that is a device which may be unplugged."""

    @property
    def device(self) -> Device:
        """What the person holds."""


def record_screen(
    store: Store,
    header: SessionHeader,
    game: Game,
    pad: HeldPad,
    *,
    seed: int | None = None,
    parts: Parts = lambda _: (),
    gate: Gate | None = None,
    clock: Clock | None = None,
    max_steps: int | None = None,
    should_stop: Callable[[], bool | str] = lambda: False,
    say: Callable[[str], None] = lambda _: None,
    give: Callable[[Signal], None] = lambda _: None,
) -> Taken | Dropped:
    """Record one session from the screen.

    Args:
        store: a local one.
        header: of the session.
        game: what is seen.
        pad: what the person holds.
        seed: for the game's reset.
        parts: makes the observers that see each step after it was recorded.
        gate: as for `ScreenRecording`.
        clock: as for `drive`.
        max_steps: ends it when so many are recorded.
        should_stop: ends it before the next step, as for `drive`.
        say: as for `ScreenRecording`.
        give: as for `ScreenRecording`.

    Raises:
        KartError: screen, device or disk failed in the first second. Later, `Taken.trouble` tells.
    """
    session = store.create(header)
    trouble: KartError | None = None
    try:
        with BackgroundWriter(session) as writer:
            recording = ScreenRecording(writer, session.folder, game, pad.device, gate=gate, say=say, give=give)

            def enough() -> bool | str:
                # not `drive`'s own limit, which counts steps of a pause too
                return should_stop() or (max_steps is not None and recording.steps >= max_steps and STEP_LIMIT)

            result = drive(
                game,
                Human(pad, live=True),
                seed=seed,
                observers=[recording, *parts(recording)],
                clock=clock,
                should_stop=enough,
            )
            notes = game.source.notes() if isinstance(game, DesktopGame) else {}
            told = None if isinstance(game, DesktopGame) else result.score
            writer.finish(result.ended, told, {"cadence": result.cadence.to_dict(), **notes})
    except NothingKeptError:
        return Dropped(0, 0.0)  # the person ended it before it began, or cut all of it
    except KartError as error:
        if writer.manifest is None:
            raise
        trouble = error
    return _outcome(store, session, writer, trouble)


def _outcome(
    store: Store, session: SessionWriter, writer: BackgroundWriter, trouble: KartError | None
) -> Taken | Dropped:
    manifest = writer.close()  # closed already: this is what it came to
    if manifest.ended in (INTERRUPTED, STOPPED) and manifest.duration_s < KEEP_S:
        store.remove(manifest.id)
        if trouble:
            raise trouble
        return Dropped(0, manifest.duration_s)
    return Taken(manifest, session_megabytes(session.folder), str(trouble) if trouble else None)
