"""Signals that nobody has to look for: in the hands, in the ears, or at least on the terminal."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

from kart_pipeline.core.errors import KartError
from recorder.devices.sdl import SdlPad
from recorder.live.signals import Bell, Rumble, Signal, Signals, Tone, sine


class _Description(ctypes.Structure):
    """SDL_VirtualJoystickDesc of SDL_joystick.h, version 1."""

    _fields_ = (
        *((name, ctypes.c_uint16) for name in ("version", "type", "naxes", "nbuttons", "nhats")),
        *((name, ctypes.c_uint16) for name in ("vendor", "product", "padding")),
        *((name, ctypes.c_uint32) for name in ("button_mask", "axis_mask")),
        ("name", ctypes.c_char_p),
        *((name, ctypes.c_void_p) for name in ("userdata", "update", "player_index")),
        ("rumble", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint16, ctypes.c_uint16)),
        *((name, ctypes.c_void_p) for name in ("rumble_triggers", "led", "effect")),
    )


@pytest.fixture
def motors(sdl: ctypes.CDLL) -> Iterator[list[int]]:
    """A virtual pad with motors is plugged in; how strong they were asked to run."""
    strength: list[int] = []

    def rumble(_: int, low: int, high: int) -> int:
        strength.append(max(low, high))
        return 0

    description = _Description(version=1, type=1, naxes=6, nbuttons=15, nhats=1, name=b"Rumbling pad")
    description.rumble = dict(_Description._fields_)["rumble"](rumble)
    index = sdl.SDL_JoystickAttachVirtualEx(ctypes.byref(description))
    assert index >= 0
    yield strength
    sdl.SDL_JoystickDetachVirtual(index)


class Box:
    """A device without motors."""

    name = "box"


def test_a_pad_with_motors_rumbles_once_for_each_pulse(motors: list[int], home: Path, soon) -> None:
    pad = SdlPad(home=home)
    try:
        assert pad.rumbles
        motors.clear()
        with Signals("auto", pad) as signals:
            assert isinstance(signals.way, Rumble)
            signals.give(Signal.DROP)
            soon(lambda: sum(strength > 10_000 for strength in motors) == 3)
    finally:
        pad.close()
    assert motors[-1] == 0, "they stop by themselves"


def test_a_pad_without_motors_says_so(virtual, home: Path) -> None:
    pad = SdlPad(home=home)
    try:
        assert not pad.rumbles
        with pytest.raises(KartError, match="cannot rumble; use --signals tone, bell or off"):
            Signals("rumble", pad)
    finally:
        pad.close()


def test_tones_are_heard_where_there_is_no_rumble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SDL plays into a file here; what it holds is looked at as a spectrum."""
    monkeypatch.setenv("SDL_AUDIODRIVER", "disk")
    monkeypatch.setenv("SDL_DISKAUDIOFILE", str(tmp_path / "heard.raw"))
    pygame.mixer.quit()
    with Signals("auto", Box()) as signals:  # type: ignore[arg-type]
        assert isinstance(signals.way, Tone)
        signals.give(Signal.END)
    samples = np.fromfile(tmp_path / "heard.raw", np.int16)
    spectrum = np.abs(np.fft.rfft(samples))
    loudest = np.fft.rfftfreq(len(samples), 1 / 22_050)[spectrum.argmax()]
    ((hz, seconds),) = Signal.END.value
    assert loudest == pytest.approx(hz, abs=5)
    assert np.count_nonzero(samples) / 22_050 == pytest.approx(seconds, rel=0.1)


def test_without_anything_to_hear_it_with_the_terminal_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "nosuchdriver")
    pygame.mixer.quit()
    with Signals("auto", Box()) as signals:  # type: ignore[arg-type]
        assert isinstance(signals.way, Bell)
    with pytest.raises(KartError, match="No tones can be played here"):
        Signals("tone", Box())  # type: ignore[arg-type]


def test_signals_can_be_off() -> None:
    with Signals("off", Box()) as signals:  # type: ignore[arg-type]
        signals.give(Signal.TROUBLE)
    assert signals.way is None


def test_a_tone_begins_and_ends_in_silence_and_is_not_loud() -> None:
    tone = sine(440.0, 0.1)
    assert len(tone) == 2205
    assert tone[0] == tone[-1] == 0
    assert 8000 < np.abs(tone).max() < 8300
