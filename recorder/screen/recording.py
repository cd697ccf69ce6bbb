"""What is seen on the screen and done by a person, into one session, with pauses where there is nothing to record."""

import threading
from collections.abc import Callable, Sequence

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session_writer import SessionWriter
from kart_pipeline.core.store import Store
from kart_pipeline.driving.loop import STOPPED, Observer, drive
from kart_pipeline.games.desktop import DesktopGame
from recorder.devices.device import Device
from recorder.episode import INTERRUPTED, KEEP_S, Dropped, Taken
from recorder.pads import DevicePad, Human
from recorder.stores import session_megabytes
from recorder.timing import Writing
from recorder.writing import BackgroundWriter

WINDOW, PAD = "window", "pad"  # reasons to hold that this module knows of


class ScreenRecording:
    """The observer that writes the session, and pauses it while any reason to hold is there.

    A window that cannot be seen and a pad that is unplugged are such reasons: a picture that stands still and hands
    that rest would teach something wrong. `hold` and `release` add those of others. May be called from any thread.

    Args:
        writer: of the session; stays the caller's to close.
        game: says whether it can be seen.
        device: says whether it is plugged in.
        say: tells the person that recording pauses and goes on.
    """

    def __init__(
        self, writer: BackgroundWriter, game: DesktopGame, device: Device, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.writer = writer
        self._game = game
        self._device = device
        self._say = say
        self._lock = threading.Lock()
        self._reasons: set[str] = set()

    def on_step(self, step: Step) -> None:
        """Record the step, unless there is a reason not to.

        Raises:
            KartError: the disk cannot be written, or the device not be read any more.
        """
        self._keep(WINDOW, self._game.hidden)
        self._keep(PAD, None if self._device.at(step.frame.t_ns).connected else f"the {self._device.name} is unplugged")
        self.writer.on_step(step)

    @property
    def holds(self) -> frozenset[str]:
        """The reasons for which nothing is recorded now."""
        return frozenset(self._reasons)

    def hold(self, reason: str) -> None:
        """Record nothing until this reason, and every other, is released."""
        with self._lock:
            if not self._reasons:
                self.writer.pause()
            self._reasons.add(reason)

    def release(self, reason: str) -> None:
        """This reason is gone; without another one recording goes on."""
        with self._lock:
            if reason in self._reasons:
                self._reasons.remove(reason)
                if not self._reasons:
                    self.writer.resume()

    def drop_last(self, seconds: float) -> float:
        """Cut the last seconds; see `BackgroundWriter.drop_last`."""
        return self.writer.drop_last(seconds)

    def mark_lap(self) -> None:
        """A lap begins now."""
        self.writer.mark_lap()

    def statistics(self) -> Writing:
        """How writing goes."""
        return self.writer.statistics()

    def _keep(self, reason: str, why: str | None) -> None:
        """Hold for `reason` as long as there is a `why`."""
        if why is not None and reason not in self._reasons:
            self.hold(reason)
            self._say(f"Paused: {why}. Recording goes on when it is back.")
        elif why is None and reason in self._reasons:
            self.release(reason)
            self._say("It is back." if self._reasons else "It is back; recording goes on.")


Parts = Callable[[ScreenRecording], Sequence[Observer]]


def record_screen(
    store: Store,
    header: SessionHeader,
    game: DesktopGame,
    pad: DevicePad,
    *,
    parts: Parts = lambda _: (),
    max_steps: int | None = None,
    should_stop: Callable[[], bool | str] = lambda: False,
    say: Callable[[str], None] = lambda _: None,
) -> Taken | Dropped:
    """Record one session from the screen.

    Args:
        store: a local one.
        header: of the session.
        game: what is seen.
        pad: what the person holds.
        parts: makes the observers that see each step after it was recorded.
        max_steps: ends it.
        should_stop: ends it before the next step, as for `drive`.
        say: as for `ScreenRecording`.

    Raises:
        KartError: screen, device or disk failed in the first second, or nothing was recorded. Later, `Taken.trouble`
            tells.
    """
    session = store.create(header)
    trouble: KartError | None = None
    try:
        with BackgroundWriter(session) as writer:
            recording = ScreenRecording(writer, game, pad.device, say)
            result = drive(
                game,
                Human(pad, live=True),
                observers=[recording, *parts(recording)],
                max_steps=max_steps,
                should_stop=should_stop,
            )
            writer.finish(result.ended, None, {"cadence": result.cadence.to_dict(), **game.source.notes()})
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
