"""Driving with a gamepad, on a virtual one that SDL attaches: no hardware, the whole way through its mapping."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from kart_pipeline.driving.clock import Clock
from recorder.episode import Plan, Taken, record_episode
from recorder.gamepad import DEAD_ZONE, GamepadPad, buttons, stick
from recorder.pads import Human
from recorder.window import Window

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A", "RB"), mirrored_axes=("steer",))
KART = ActionSpec(axes=("steer", "pitch"), buttons=("A", "B", "RB"), mirrored_axes=("steer",))

LEFT_X, LEFT_Y, LEFT_TRIGGER, RIGHT_TRIGGER = 0, 1, 4, 5  # axes of SDL's virtual controller
A, RIGHT_SHOULDER = 0, 10  # its buttons


def sdl() -> ctypes.CDLL | None:
    """The SDL that pygame itself has loaded, which lies beside it in its wheels."""
    package = Path(pygame.__file__).parent
    for pattern in ("../pygame_ce.libs/libSDL2-2*.so*", "SDL2.dll", ".dylibs/libSDL2-2*.dylib"):
        for found in sorted(package.glob(pattern)):
            return ctypes.CDLL(str(found))
    return None


class VirtualPad:
    """A gamepad with SDL's standard layout."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._sdl = library
        library.SDL_JoystickOpen.restype = ctypes.c_void_p
        library.SDL_JoystickSetVirtualAxis.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int16]
        library.SDL_JoystickSetVirtualButton.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint8]
        self._index = library.SDL_JoystickAttachVirtual(1, 6, 15, 1)
        assert self._index >= 0
        self._joystick = library.SDL_JoystickOpen(self._index)

    def axis(self, number: int, value: int) -> None:
        assert self._sdl.SDL_JoystickSetVirtualAxis(self._joystick, number, value) == 0

    def button(self, number: int, down: bool) -> None:
        assert self._sdl.SDL_JoystickSetVirtualButton(self._joystick, number, down) == 0

    def unplug(self) -> None:
        if self._index >= 0:
            self._sdl.SDL_JoystickDetachVirtual(self._index)
            self._index = -1


@pytest.fixture
def virtual(window: Window) -> Iterator[VirtualPad]:
    from pygame._sdl2 import controller

    library = sdl()
    if library is None:
        pytest.skip("this pygame does not bring an SDL that a virtual gamepad could be attached to")
    controller.init()
    pad = VirtualPad(library)
    yield pad
    pad.unplug()
    controller.quit()


def test_without_a_pad_the_person_is_told(window: Window) -> None:
    with pytest.raises(KartError, match="There is no gamepad to drive with: none is connected"):
        GamepadPad(SPEC, window)


def test_stick_triggers_and_buttons_are_the_games_channels(window: Window, virtual: VirtualPad) -> None:
    pad = GamepadPad(SPEC, window)
    virtual.axis(LEFT_TRIGGER, -32768)  # SDL maps the full travel of a trigger to 0 … 32767
    virtual.axis(RIGHT_TRIGGER, -32768)
    assert pad.read() == SPEC.neutral()
    virtual.axis(LEFT_X, 32767)
    virtual.axis(RIGHT_TRIGGER, 32767)
    virtual.button(A, True)
    assert pad.read() == SPEC.action(steer=1.0, throttle=1.0, A=True)
    virtual.axis(LEFT_X, -32768)
    virtual.axis(RIGHT_TRIGGER, -32768)
    virtual.axis(LEFT_TRIGGER, 32767)
    virtual.button(A, False)
    virtual.button(RIGHT_SHOULDER, True)
    assert pad.read() == SPEC.action(steer=-1.0, throttle=-1.0, RB=True)
    pad.close()


def test_in_a_game_with_pitch_the_stick_pitches_and_up_is_positive(window: Window, virtual: VirtualPad) -> None:
    pad = GamepadPad(KART, window)
    virtual.axis(LEFT_Y, -32768)  # SDL's y grows downwards
    assert pad.read()["pitch"] == 1.0
    assert pad.about["mapping"]["pitch"] == "left stick y"
    pad.close()


def test_a_pad_that_is_unplugged_ends_the_drive_and_the_session_is_kept(
    window: Window, virtual: VirtualPad, road, store: Store
) -> None:
    class Cat:
        """Pulls the cable after 60 steps."""

        steps = 0

        def on_step(self, _) -> None:
            self.steps += 1
            if self.steps == 60:
                virtual.unplug()

    pad = GamepadPad(road.spec, window)
    virtual.axis(LEFT_X, 16384)
    taken = record_episode(
        store,
        road,
        Human(pad),
        Plan("road", "gamepad", Path(store.url)),
        seed=1,
        about_driver={"kind": "human", **pad.about},
        observers=[Cat()],
        clock=Clock(200),
    )
    assert isinstance(taken, Taken)
    assert taken.trouble == "The gamepad was unplugged."
    assert taken.manifest.steps == 60
    assert road.sent[-1] == road.spec.neutral()
    steer = store.open(taken.manifest.id).table(["steer"]).column("steer").to_pylist()
    assert steer[30] == pytest.approx((0.5 - DEAD_ZONE) / (1 - DEAD_ZONE), abs=1e-3)
    pad.close()


@given(st.integers(-32768, 32767))
def test_the_stick_covers_the_range_without_a_jump(raw: int) -> None:
    value = stick(raw)
    assert -1 <= value <= 1
    assert value == pytest.approx(-stick(-raw), abs=1e-4) if raw > -32768 else value == -1
    if abs(raw) <= DEAD_ZONE * 32767:
        assert value == 0
    assert abs(stick(min(raw + 1, 32767)) - value) < 1e-4


def test_buttons_go_by_their_name_and_others_to_the_free_ones() -> None:
    spec = ActionSpec(axes=("steer",), buttons=("B", "jump", "RB", "drift"))
    assert buttons(spec) == {"B": "B", "RB": "RIGHTSHOULDER", "jump": "A", "drift": "X"}
    with pytest.raises(KartError, match="no buttons left for b6 of the game"):
        buttons(ActionSpec(axes=("steer",), buttons=tuple(f"b{i}" for i in range(7))))
