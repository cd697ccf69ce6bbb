"""Gamepads through SDL, on virtual ones that SDL attaches: no hardware, the whole way through its mapping."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.pad import AXES, BUTTONS
from recorder.devices.device import NoDeviceError
from recorder.devices.layouts import LAYOUTS
from recorder.devices.sdl import SdlPad, sdl_pads

LEFT_X, LEFT_Y, RIGHT_X, RIGHT_Y, LEFT_TRIGGER, RIGHT_TRIGGER = range(6)  # axes of SDL's virtual controller
ORDER = ("a", "b", "x", "y", "back", "guide", "start", "ls", "rs", "lb", "rb")  # its buttons, from 0 on
DPAD = ("dpad_up", "dpad_down", "dpad_left", "dpad_right")


@pytest.fixture
def pad(virtual, home: Path):
    opened = SdlPad()
    yield opened
    opened.close()


def test_without_a_pad_the_person_is_told(sdl, home: Path) -> None:
    with pytest.raises(NoDeviceError, match="There is no gamepad to drive with: none is connected"):
        SdlPad()


def test_at_rest_everything_is_neutral(pad) -> None:
    state = pad.at(now_ns())
    assert pad.connected
    assert state.connected
    assert {name: state.value(name) for name in AXES + BUTTONS} == dict.fromkeys(AXES + BUTTONS, 0.0)


def test_sticks_reach_from_minus_one_to_one_and_up_is_positive(pad, virtual, soon) -> None:
    for number, control, sign in ((0, "left_x", 1), (1, "left_y", -1), (2, "right_x", 1), (3, "right_y", -1)):
        for raw, value in ((32767, 1), (-32768, -1), (16384, 0.5), (0, 0)):
            virtual.axis(number, raw)
            soon(lambda: pad.at(now_ns()).value(control) == pytest.approx(sign * value, abs=1e-4))  # noqa: B023
            assert -1 <= pad.at(now_ns()).value(control) <= 1


def test_a_stick_that_has_not_reported_yet_rests_where_a_driver_says_full_left_and_up(virtual, home, soon) -> None:
    for number in (LEFT_X, LEFT_Y, RIGHT_X):
        virtual.axis(number, -32768)
    opened = SdlPad()
    try:
        soon(lambda: opened.at(now_ns()).value("right_x") == -1)  # one axis alone can be held there
        assert [opened.at(now_ns()).value(control) for control in ("left_x", "left_y")] == [0, 0]
        virtual.axis(LEFT_Y, 0)
        soon(lambda: opened.at(now_ns()).value("left_x") == -1)
        virtual.axis(LEFT_Y, -32768)  # from now on it is believed
        soon(lambda: opened.at(now_ns()).value("left_y") == 1)
        assert opened.at(now_ns()).value("left_x") == -1
    finally:
        opened.close()


def test_triggers_reach_from_nought_to_one(pad, virtual, soon) -> None:
    for number, control in ((LEFT_TRIGGER, "left_trigger"), (RIGHT_TRIGGER, "right_trigger")):
        for raw, value in ((32767, 1.0), (0, 0.5), (-32768, 0.0)):
            virtual.axis(number, raw)
            soon(lambda: pad.at(now_ns()).value(control) == pytest.approx(value, abs=1e-4))  # noqa: B023


def test_every_button_is_known_by_its_name(pad, virtual, soon) -> None:
    for number, name in enumerate(ORDER + DPAD):
        virtual.button(number, True)
        soon(lambda: pad.at(now_ns()).buttons == {name})  # noqa: B023
        virtual.button(number, False)
        soon(lambda: not pad.at(now_ns()).buttons)


def test_the_stick_of_a_time_is_the_one_of_that_time_and_not_of_now(pad, virtual, soon) -> None:
    virtual.axis(LEFT_X, 32767)
    soon(lambda: pad.at(now_ns()).value("left_x") == 1)
    then = now_ns()
    virtual.axis(LEFT_X, -32768)
    soon(lambda: pad.at(now_ns()).value("left_x") == -1)
    assert pad.at(then).value("left_x") == 1


def test_an_unplugged_pad_is_neutral_and_comes_back_by_itself(pad, virtual, soon) -> None:
    virtual.axis(LEFT_X, 32767)
    virtual.button(0, True)
    soon(lambda: pad.at(now_ns()).buttons)
    held = now_ns()
    virtual.unplug()
    soon(lambda: not pad.connected)
    state = pad.at(now_ns())
    assert (state.value("left_x"), state.buttons, state.connected) == (0.0, frozenset(), False)
    assert pad.at(held).buttons == {"a"}
    virtual.plug_in()
    soon(lambda: pad.connected)
    virtual.axis(LEFT_X, -32768)
    soon(lambda: pad.at(now_ns()).value("left_x") == -1)


def test_beside_a_virtual_pad_an_unplugged_one_stays_away(virtual, make_virtual, home: Path, soon) -> None:
    """What is found in its place may be the virtual one, whose movements are a program's."""
    pad = SdlPad(home=home, comes_back=False)
    make_virtual()
    virtual.unplug()
    soon(lambda: not pad.connected)
    time.sleep(0.4)  # more than a pad is looked for after
    assert not pad.connected
    pad.close()


def test_a_pad_is_chosen_by_a_part_of_its_name(virtual, home: Path) -> None:
    pad = SdlPad("virtual")
    assert pad.about == {"device": "gamepad", "backend": "sdl", "name": "Virtual Controller"}
    pad.close()
    with pytest.raises(NoDeviceError, match="has 'xbox' in its name; there is Virtual"):
        SdlPad("xbox")


def test_a_pad_of_unknown_layout_is_listed_and_the_way_out_is_named(make_virtual, home: Path) -> None:
    make_virtual(kind=0)
    with pytest.raises(NoDeviceError, match=r"SDL does not know the layout of Virtual.*devices --map"):
        SdlPad()
    (found,) = sdl_pads(home)
    assert (found.backend, found.usable) == ("sdl", False)
    assert "devices --map" in found.note


def test_closing_twice_and_reading_on_is_harmless(pad) -> None:
    pad.close()
    pad.close()
    assert pad.at(now_ns()).connected


def test_layouts_that_cannot_be_read_are_named(home: Path) -> None:
    home.mkdir()
    (home / LAYOUTS).write_bytes(b"\xff\xfe\xff")
    with pytest.raises(KartError, match=r"layouts of gamepads in .*gamecontrollerdb.txt cannot be read"):
        sdl_pads(home)


@pytest.mark.e2e
def test_a_program_that_forgets_its_pad_ends_at_once(virtual, home: Path) -> None:
    program = (
        "import ctypes, pygame, sys\n"
        "from pathlib import Path\n"
        "pygame.joystick.init()\n"
        f"library = ctypes.CDLL({virtual.library!r})\n"
        "assert library.SDL_JoystickAttachVirtual(1, 6, 15, 1) >= 0\n"
        "from recorder.devices.sdl import SdlPad\n"
        f"pad = SdlPad(home=Path({str(home)!r}))\n"
        "sys.exit(7)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (7, "")
