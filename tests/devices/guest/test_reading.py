"""A gamepad of the kernel as the recorder reads it, through SDL and through `inputs`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evdev import UInput, ecodes
from kernel_pads import KernelPad, UinputPad, sony_by_uinput

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.pad import AXES, BUTTONS, STICKS, UNPLUGGED, PadState
from recorder.devices.choose import PadChoice, choose
from recorder.devices.command import list_devices
from recorder.devices.settings import PadSettings

Soon = Callable[[Callable[[], object]], None]
Read = Callable[..., Any]
Listed = Callable[[str], Any]
NOBODY = 65534


@pytest.fixture
def listed(home: Path, capsys: pytest.CaptureFixture[str]) -> Listed:
    """What `python -m recorder devices --json` prints."""

    def look(backend: str) -> Any:
        capsys.readouterr()
        list_devices(home, PadChoice(backend), as_json=True)
        return json.loads(capsys.readouterr().out)

    return look


def test_every_button_has_the_name_that_is_printed_on_it(pad: KernelPad, backend: str, read: Read, soon: Soon) -> None:
    reader = read(backend)
    seen = {}
    for button in BUTTONS:
        pad.press(button)
        soon(lambda: reader.now().buttons)
        seen[button] = set(reader.now().buttons)
        pad.press(button, down=False)
        soon(lambda: not reader.now().buttons)
    assert seen == {button: {button} for button in BUTTONS}


def test_every_axis_rests_at_nought_and_reaches_its_ends(pad: KernelPad, backend: str, read: Read, soon: Soon) -> None:
    reader = read(backend)
    at_rest = [reader.now().value(axis) for axis in AXES]
    assert at_rest == pytest.approx([0] * len(AXES), abs=0.005)
    for axis in AXES:
        for value in (0.5, 1.0, -1.0) if axis in STICKS else (0.5, 1.0):
            pad.move(axis, value)
            soon(lambda: reader.now().value(axis) == pytest.approx(value, abs=0.01))  # noqa: B023
            others = [reader.now().value(other) for other in AXES if other != axis]
            assert others == pytest.approx([0] * len(others), abs=0.005)
        pad.move(axis, 0)
        soon(lambda: abs(reader.now().value(axis)) < 0.005)  # noqa: B023


def test_what_is_held_when_the_reader_comes_is_known(pad: KernelPad, backend: str, read: Read, soon: Soon) -> None:
    for button in ("a", "dpad_left"):
        pad.press(button)
    pad.move("right_trigger", 1)
    pad.move("left_x", 1)
    reader = read(backend)
    soon(lambda: reader.now().buttons == {"a", "dpad_left"} and reader.now().value("left_x") > 0.99)
    if backend == "sdl":  # which takes a trigger for released until it moves
        pad.move("right_trigger", 0.9)
        pad.move("right_trigger", 1)
    soon(lambda: reader.now().value("right_trigger") == 1)
    pad.press("a", down=False)
    soon(lambda: reader.now().buttons == {"dpad_left"})


def test_what_stood_before_a_press_is_still_known_after_it(
    xbox: UinputPad, backend: str, read: Read, soon: Soon
) -> None:
    reader = read(backend)
    before = now_ns()
    xbox.press("a")
    xbox.move("left_x", -1)
    soon(lambda: reader.now().value("left_x") == -1)
    assert reader.now().buttons == {"a"}
    assert reader.device.at(before) == PadState(reader.device.at(before).axes)
    assert reader.device.at(before).value("left_x") == pytest.approx(0, abs=0.005)


def test_an_unplugged_pad_rests_and_comes_back(pad: KernelPad, backend: str, read: Read, soon: Soon) -> None:
    reader = read(backend)
    for _ in range(2):
        pad.press("b")
        pad.move("left_x", 1)
        soon(lambda: reader.now().buttons == {"b"} and reader.now().value("left_x") > 0.99)
        pad.unplug()
        soon(lambda: not reader.device.connected)
        assert reader.now() == UNPLUGGED
        pad.plug_in()
        soon(lambda: reader.device.connected and abs(reader.now().value("left_x")) < 0.005)
        assert not reader.now().buttons


def test_of_two_pads_the_one_is_read_that_was_asked_for(xbox: UinputPad, backend: str, read: Read, soon: Soon) -> None:
    sony = sony_by_uinput()
    sony.plug_in()
    try:
        reader = read(backend, {"sdl": "PS4", "inputs": "Sony"}[backend])
        sony.press("y")
        soon(lambda: reader.now().buttons == {"y"})
        xbox.press("a")
        xbox.unplug()
        assert reader.now().buttons == {"y"}
        sony.press("b")
        soon(lambda: reader.now().buttons == {"b", "y"})
    finally:
        sony.unplug()


def test_the_lights_of_a_keyboard_do_not_make_inputs_stumble(xbox: UinputPad, listed: Listed) -> None:
    keys = {ecodes.EV_KEY: [ecodes.KEY_CAPSLOCK], ecodes.EV_LED: [ecodes.LED_CAPSL]}
    with UInput(keys, name="a keyboard"):
        assert any("::capslock" in path.name for path in Path("/sys/class/leds").iterdir())
        sys.modules.pop("inputs", None)  # it looks around while it is imported, and at every look after that
        for _ in range(2):
            about = listed("inputs")["chosen"]["about"]
            assert about == {"device": "gamepad", "backend": "inputs", "name": xbox.name}


def test_what_is_plugged_in_is_listed_for_either_way_and_sdl_is_chosen(pad: KernelPad, listed: Listed) -> None:
    seen = listed("auto")
    usable = {item["backend"]: item["name"] for item in seen["devices"] if item["usable"]}
    assert set(usable) == {"sdl", "inputs"}
    assert usable["inputs"] == pad.name
    assert seen["chosen"]["about"] == {"device": "gamepad", "backend": "sdl", "name": usable["sdl"]}


def test_a_program_that_ends_is_not_kept_by_pads_that_say_nothing(xbox: UinputPad, home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from recorder.devices.choose import PadChoice, PadSettings, choose;"
        f"pads = [choose(PadChoice(way), PadSettings.load(Path({str(home)!r}))) for way in ('sdl', 'inputs')];"
        "sys.exit(len(pads) + 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (3, "")


def test_who_may_not_read_a_pad_is_told_of_the_group_input(xbox: UinputPad, read: Read, home: Path) -> None:
    read("inputs")  # all that is to be imported is: Python's files may be closed to others than their owner
    settings = PadSettings.load(home)
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setuid(NOBODY)
        try:
            choose(PadChoice("inputs"), settings)
        except KartError as error:
            os.write(theirs, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert "become a member of the group input, and log in anew" in os.read(ours, 10_000).decode()


def test_a_pad_without_a_plug_is_read_through_sdl_and_it_is_said_why_inputs_does_not(listed: Listed) -> None:
    pad = UinputPad(name="Without a plug")
    pad.plug_in()
    try:
        notes = {item["backend"]: (item["usable"], item["note"]) for item in listed("auto")["devices"]}
    finally:
        pad.unplug()
    assert notes["sdl"] == (True, "")
    assert notes["inputs"][0] is False
    assert "only what udev has linked" in notes["inputs"][1]
