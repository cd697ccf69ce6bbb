"""The player's virtual pad, as others see it: the kernel, and the recorder's two ways of reading."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import evdev
import pytest
from evdev import ecodes
from kernel_pads import wait_until

from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.uinput import NAME, UinputPad
from kart_pipeline.desktop.pad import AXES, BUTTONS, STICKS, UNPLUGGED, PadState

Soon = Callable[[Callable[[], object]], None]
Read = Callable[..., Any]
NOBODY = 65534
ALL = PadState(
    {axis: -0.75 if axis in STICKS else 0.75 for axis in AXES}, frozenset(BUTTONS) - {"dpad_left", "dpad_up"}
)


@pytest.fixture
def played() -> Iterator[UinputPad]:
    """The player's pad, open."""
    controller = UinputPad()
    wait_until(NAME, there=True)
    yield controller
    controller.close()
    wait_until(NAME, there=False)


def kernels() -> evdev.InputDevice:
    """The pad as the kernel shows it to everybody."""
    return next(device for path in evdev.list_devices() if (device := evdev.InputDevice(path)).name == NAME)


def held(device: evdev.InputDevice) -> tuple[dict[int, int], set[int]]:
    """Where its axes stand and which of its buttons are down, in the kernel's numbers."""
    axes = device.capabilities()[ecodes.EV_ABS]
    return {code: device.absinfo(code).value for code, _ in axes}, set(device.active_keys())


def test_every_axis_and_button_arrives_as_it_was_asked_for(
    played: UinputPad, backend: str, read: Read, soon: Soon
) -> None:
    reader = read(backend)
    for axis in AXES:
        for value in (-1.0, -0.5, 0.25, 1.0) if axis in STICKS else (0.25, 1.0):
            played.apply(PadState({axis: value}))
            soon(lambda: reader.now().value(axis) == pytest.approx(value, abs=0.005))  # noqa: B023
            others = [reader.now().value(other) for other in AXES if other != axis]
            assert others == pytest.approx([0] * len(others), abs=0.001)
    for button in BUTTONS:
        played.apply(PadState(buttons=frozenset({button})))
        soon(lambda: reader.now().buttons == {button})  # noqa: B023
    played.apply(ALL)
    soon(lambda: reader.now().buttons == ALL.buttons)
    assert {axis: reader.now().value(axis) for axis in AXES} == pytest.approx(dict(ALL.axes), abs=0.005)


def test_the_kernel_holds_the_numbers_of_an_x_box_360_pad(played: UinputPad) -> None:
    device = kernels()
    assert (device.info.vendor, device.info.product, device.info.bustype) == (0x45E, 0x28E, ecodes.BUS_USB)
    played.apply(
        PadState({"left_x": -1.0, "left_y": 1.0, "right_y": -1.0, "left_trigger": 1.0}, frozenset({"x", "dpad_up"}))
    )
    axes, keys = held(device)
    assert axes == {
        ecodes.ABS_X: -32768,
        ecodes.ABS_Y: -32768,
        ecodes.ABS_RX: 0,
        ecodes.ABS_RY: 32767,
        ecodes.ABS_Z: 255,
        ecodes.ABS_RZ: 0,
        ecodes.ABS_HAT0X: 0,
        ecodes.ABS_HAT0Y: -1,
    }
    assert keys == {ecodes.BTN_X}


def test_neutral_lets_go_of_everything(played: UinputPad, backend: str, read: Read, soon: Soon) -> None:
    reader = read(backend)
    played.apply(ALL)
    soon(lambda: reader.now().buttons == ALL.buttons)
    played.neutral()
    soon(lambda: not reader.now().buttons)
    assert held(kernels()) == (dict.fromkeys(held(kernels())[0], 0), set())
    soon(lambda: not any(reader.now().value(axis) for axis in AXES))


def test_a_closed_pad_is_unplugged(played: UinputPad, backend: str, read: Read, soon: Soon) -> None:
    reader = read(backend)
    played.apply(ALL)
    soon(lambda: reader.now().buttons == ALL.buttons)
    played.close()
    soon(lambda: reader.now() == UNPLUGGED)
    assert NAME not in [evdev.InputDevice(path).name for path in evdev.list_devices()]


def test_a_killed_player_leaves_no_pad_and_nothing_pressed(read: Read, soon: Soon) -> None:
    code = (
        "import time; from kart_pipeline.desktop.controllers.uinput import UinputPad;"
        "from kart_pipeline.desktop.pad import PadState; pad = UinputPad();"
        "pad.apply(PadState({'left_x': 1.0, 'right_trigger': 1.0}, frozenset({'a'}))); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as player:
        try:
            wait_until(NAME, there=True)
            readers = [read("sdl"), read("inputs")]
            for reader in readers:
                soon(lambda: reader.now().buttons == {"a"} and reader.now().value("left_x") == 1)  # noqa: B023
        finally:
            player.kill()  # as kill -9 does
    wait_until(NAME, there=False)
    for reader in readers:
        soon(lambda: reader.device.at(now_ns()) == UNPLUGGED)  # noqa: B023


def test_who_may_not_write_to_uinput_is_given_the_rule_that_allows_it() -> None:
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setuid(NOBODY)
        try:
            UinputPad()
        except UnavailableError as error:
            os.write(theirs, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    said = os.read(ours, 10_000).decode()
    assert 'KERNEL=="uinput", TAG+="uaccess"' in said
    assert "you may not write to /dev/uinput" in said
