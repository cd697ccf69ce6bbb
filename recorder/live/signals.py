"""What a person hears or feels while looking at the game: rumble of the pad, tones, or the bell of the terminal."""

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from enum import Enum
from typing import Any, Protocol

import numpy as np

from kart_pipeline.core.errors import KartError
from recorder.devices.device import Device, Rumbling

_RATE_HZ = 22_050  # of the tones
_LOUD = 0.25  # of full scale: a game is to be heard beside them
_GAP_S = 0.08


class Signal(Enum):
    """What is told: pulses of `(Hz, seconds)`; higher means more is recorded. Rumble has their lengths only."""

    COUNT = ((660, 0.08),)
    BEGIN = ((660, 0.1), (990, 0.25))
    PAUSE = ((660, 0.1), (440, 0.25))
    LAP = ((990, 0.08),)
    DROP = ((440, 0.08), (440, 0.08), (440, 0.08))
    TROUBLE = ((330, 0.3), (330, 0.3))
    END = ((440, 0.4),)


class Way(Protocol):
    """One way to be noticed. `give` returns when the pulse is over."""

    name: str

    def give(self, hz: float, seconds: float) -> None:
        """One pulse."""

    def close(self) -> None:
        """Release what it holds."""


class Rumble:
    """The pad's motors."""

    name = "the pad's rumble"

    def __init__(self, pad: Rumbling) -> None:
        self._pad = pad

    def give(self, hz: float, seconds: float) -> None:  # noqa: ARG002 - motors have one pitch
        """One pulse."""
        self._pad.rumble(seconds)
        time.sleep(seconds)

    def close(self) -> None:
        """The motors stop by themselves."""


class Tone:
    """Sine tones through SDL.

    Raises:
        KartError: pygame-ce is not installed, or there is nothing to hear them with.
    """

    name = "tones"

    def __init__(self) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame

            with _no_complaints():
                pygame.mixer.init(_RATE_HZ, -16, 1, 512)
        except (ImportError, pygame.error) as error:
            raise KartError(f"No tones can be played here ({error}).") from error
        self._mixer: Any = pygame.mixer

    def give(self, hz: float, seconds: float) -> None:
        """One pulse."""
        self._mixer.Sound(buffer=sine(hz, seconds).tobytes()).play()
        time.sleep(seconds)

    def close(self) -> None:
        """Give the sound device back."""
        self._mixer.quit()


class Bell:
    """The terminal's bell."""

    name = "the terminal's bell"

    def give(self, hz: float, seconds: float) -> None:  # noqa: ARG002 - a terminal has one bell
        """One pulse; into a file or a pipe nothing is written."""
        if sys.stderr.isatty():
            sys.stderr.write("\a")
            sys.stderr.flush()
        time.sleep(seconds)

    def close(self) -> None:
        """Nothing is held."""


class Signals:
    """Gives signals, one after the other, in a thread of its own; a context manager.

    Args:
        way: one of `recorder.capturing.WAYS`; auto takes rumble where the pad has it, else tones where they can be
            heard, else the bell.
        device: what the person holds.

    Raises:
        KartError: this way is not possible here.
    """

    def __init__(self, way: str, device: Device) -> None:
        self.way = _open(way, device)
        self._waiting: queue.SimpleQueue[Signal | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="signals", daemon=True)

    def give(self, signal: Signal) -> None:
        """Soon; returns at once, and may be called from any thread."""
        self._waiting.put(signal)

    def _work(self) -> None:
        while (signal := self._waiting.get()) is not None:
            for hz, seconds in signal.value:
                if self.way is not None:
                    self.way.give(hz, seconds)
                    time.sleep(_GAP_S)

    def __enter__(self) -> "Signals":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()
        if self.way is not None:
            self.way.close()


def _open(way: str, device: Device) -> Way | None:
    if way == "off":
        return None
    if way in ("auto", "rumble") and isinstance(device, Rumbling) and device.rumbles:
        return Rumble(device)
    if way == "rumble":
        raise KartError(f"The {device.name} cannot rumble; use --signals tone, bell or off.")
    if way == "tone":
        return Tone()
    if way == "auto":
        with contextlib.suppress(KartError):
            return Tone()
    return Bell()


@contextlib.contextmanager
def _no_complaints() -> Iterator[None]:
    """ALSA tells each thing that it misses on file descriptor 2; what matters comes as an exception."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def sine(hz: float, seconds: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    """A tone as int16 `(samples,)` that swells and fades, so that it does not crack."""
    count = round(seconds * _RATE_HZ)
    swell = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.01 * _RATE_HZ))
    wave = np.sin(2 * np.pi * hz * np.arange(count) / _RATE_HZ) * swell
    return (32767 * _LOUD * wave).astype(np.int16)
