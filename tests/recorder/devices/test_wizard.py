"""Teaching a pad that SDL does not know: asked, answered by a virtual joystick, saved, and driven with."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from recorder.devices.layouts import LAYOUTS, announce_layouts, layout_line, read_layouts, save_layout
from recorder.devices.sdl import sdl_pads
from recorder.devices.wizard import QUESTIONS, RawPad, element_of, find_hit, teach

REST = RawPad((0.0, 0.0, 0.0, 0.0, -1.0, 0.0), (False,) * 4, (0,))


@pytest.mark.parametrize(
    ("control", "now", "rest", "element"),
    [
        ("a", RawPad(REST.axes, (False, True, False, False), (0,)), REST, "b1"),
        ("dpup", RawPad(REST.axes, REST.buttons, (1,)), REST, "h0.1"),
        ("dpleft", RawPad((-1.0, 0.0, 0.0, 0.0, -1.0, 0.0), REST.buttons, (0,)), REST, "-a0"),
        ("leftx", RawPad((1.0, 0.2, 0.0, 0.0, -1.0, 0.0), REST.buttons, (0,)), REST, "a0"),
        ("lefty", RawPad((0.3, -1.0, 0.0, 0.0, -1.0, 0.0), REST.buttons, (0,)), REST, "a1~"),
        ("leftx", RawPad(REST.axes, (True, False, False, False), (0,)), REST, None),
        ("lefttrigger", RawPad((0.0, 0.0, 0.0, 0.0, 1.0, 0.0), REST.buttons, (0,)), REST, "a4"),
        ("righttrigger", RawPad((0.0, 0.0, 0.0, 0.0, -1.0, 1.0), REST.buttons, (0,)), REST, "+a5"),
        ("lefttrigger", RawPad(REST.axes, (False, False, True, False), (0,)), REST, "b2"),
    ],
)
def test_what_was_moved_is_told_in_sdls_notation(control: str, now: RawPad, rest: RawPad, element: str | None) -> None:
    hit = find_hit(REST, now)
    assert hit is not None
    assert element_of(control, hit, rest) == element


def test_a_trigger_that_tells_its_rest_late_is_known_by_its_whole_way() -> None:
    before = RawPad((0.0,), (), ())
    hit = find_hit(before, RawPad((1.0,), (), ()))
    assert hit is not None
    assert element_of("lefttrigger", hit, RawPad((-1.0,), (), ())) == "a0"


@given(st.lists(st.floats(-0.29, 0.29), min_size=6, max_size=6))
def test_a_trembling_hand_moves_nothing(axes: list[float]) -> None:
    assert find_hit(RawPad((0.0,) * 6, (), ()), RawPad(tuple(axes), (), ())) is None


# What a person does for each question, on a joystick whose controls lie where no known pad has them.
DEEDS = {
    "a": ("button", 7),
    "b": ("button", 6),
    "x": ("button", 5),
    "y": ("button", 4),
    "leftshoulder": ("button", 0),
    "rightshoulder": ("button", 1),
    "start": ("button", 2),
    "dpup": ("hat", 1),
    "dpdown": ("hat", 4),
    "dpleft": ("hat", 8),
    "dpright": ("hat", 2),
    "leftx": ("axis", 2, 32767),
    "lefty": ("axis", 3, -32768),  # the other way round
    "lefttrigger": ("axis", 4, 32767),
    "righttrigger": ("button", 9),
}


def act(virtual, deed: tuple, *, back: bool) -> None:
    kind, *where = deed
    if kind == "button":
        virtual.button(where[0], not back)
    elif kind == "hat":
        virtual.hat(0 if back else where[0])
    else:
        rest = -32768 if where[0] in (4, 5) else 0
        virtual.axis(where[0], rest if back else where[1])


# It plugs in the same joystick and moves it, in the way that was taught.
NEXT_PROGRAM = """
import ctypes, json, sys, time
from pathlib import Path
library, home = ctypes.CDLL(sys.argv[1]), Path(sys.argv[2])
from recorder.devices.layouts import LAYOUTS, announce_layouts
announce_layouts(home / LAYOUTS)
import os
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
import pygame
pygame.joystick.init()
library.SDL_JoystickOpen.restype = ctypes.c_void_p
stick = ctypes.c_void_p(library.SDL_JoystickOpen(library.SDL_JoystickAttachVirtual(0, 6, 15, 1)))
from recorder.devices.sdl import SdlPad, sdl_pads
from kart_pipeline.core.frame import now_ns
usable = [found.usable for found in sdl_pads(home)]
library.SDL_JoystickSetVirtualAxis(stick, 4, ctypes.c_int16(-32768))
library.SDL_JoystickSetVirtualAxis(stick, 3, ctypes.c_int16(32767))
library.SDL_JoystickSetVirtualButton(stick, 7, 1)
library.SDL_JoystickSetVirtualButton(stick, 9, 1)
library.SDL_JoystickSetVirtualHat(stick, 0, 8)
pad = SdlPad(home=home)
time.sleep(0.1)
state = pad.at(now_ns())
axes = {name: value for name, value in state.axes.items() if value}
print(json.dumps({"usable": usable, "axes": axes, "buttons": sorted(state.buttons)}))
"""


class Person:
    """Does what is asked, and presses A for what the joystick does not have."""

    def __init__(self, virtual) -> None:
        self.virtual = virtual
        self.told: list[str] = []

    def __call__(self, text: str) -> None:
        self.told.append(text)
        control = next((name for name, question in QUESTIONS.items() if question in text), None)
        if control is not None:
            deed = DEEDS.get(control, DEEDS["a"])
            act(self.virtual, deed, back=False)
            held_s = 0.6 if deed[0] == "axis" else 0.2  # a stick is held at its end until the next question comes
            threading.Timer(held_s, act, (self.virtual, deed), {"back": True}).start()


@pytest.mark.timeout(60)  # it would wait for ever for a control that is not moved
def test_a_pad_that_was_taught_is_known_to_the_next_program(make_virtual, home: Path) -> None:
    virtual = make_virtual(kind=0)
    assert not sdl_pads(home)[0].usable
    person = Person(virtual)
    line = teach(home, "", person)
    assert "a:b7," in line
    assert "lefty:a3~,lefttrigger:a4,righttrigger:b9,platform:" in line
    assert "guide" not in line
    assert read_layouts(home / LAYOUTS) == [line]
    done = subprocess.run(
        [sys.executable, "-c", NEXT_PROGRAM, virtual.library, str(home)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "usable": [True],
        "axes": {"left_y": 1.0, "right_trigger": 1.0},
        "buttons": ["a", "dpad_left"],
    }


def test_a_pad_that_is_unplugged_while_it_is_taught_is_not_saved(make_virtual, home: Path) -> None:
    virtual = make_virtual(kind=0)

    def unplug(text: str) -> None:
        if "1 of" in text:
            virtual.unplug()

    with pytest.raises(KartError, match="was unplugged; nothing was saved"):
        teach(home, "", unplug)
    assert not (home / LAYOUTS).exists()


def test_a_layout_takes_the_place_of_an_older_one_of_the_same_pad(tmp_path: Path) -> None:
    path = tmp_path / "home" / LAYOUTS
    other = layout_line("1" * 32, "Other", {"a": "b0"})
    for elements in ({"a": "b1"}, {"a": "b2"}):
        save_layout(path, other)
        save_layout(path, layout_line("2" * 32, "Mine, of wood", elements))
    assert read_layouts(path) == [other, layout_line("2" * 32, "Mine, of wood", {"a": "b2"})]
    assert "Mine  of wood" in read_layouts(path)[1]


def test_a_layout_that_cannot_be_saved_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KartError, match="cannot be saved"):
        save_layout(tmp_path / "file" / LAYOUTS, "x")


def test_layouts_of_the_environment_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_GAMECONTROLLERCONFIG", "theirs")
    save_layout(tmp_path / LAYOUTS, "ours,pad,platform:Linux,")
    announce_layouts(tmp_path / LAYOUTS)
    announce_layouts(tmp_path / LAYOUTS)
    assert os.environ["SDL_GAMECONTROLLERCONFIG"] == "theirs\nours,pad,platform:Linux,"
