"""Learning the layout of a gamepad that SDL does not know, by asking for one control after the other."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from recorder.devices.device import PLUG_IN, NoDeviceError
from recorder.devices.layouts import LAYOUTS, layout_line, save_layout
from recorder.devices.sdl import Sdl

BUTTONS = {
    "a": "press A (of four in a cross: the lower one)",
    "b": "press B (the right one)",
    "x": "press X (the left one)",
    "y": "press Y (the upper one)",
    "leftshoulder": "press the left shoulder button",
    "rightshoulder": "press the right shoulder button",
    "back": "press Back, Select or Minus",
    "start": "press Start or Plus",
    "guide": "press the button with the maker's sign",
    "dpup": "press the d-pad up",
    "dpdown": "press the d-pad down",
    "dpleft": "press the d-pad to the left",
    "dpright": "press the d-pad to the right",
    "leftstick": "press the left stick in",
    "rightstick": "press the right stick in",
}
STICKS = {
    "leftx": "push the left stick to the right",
    "lefty": "pull the left stick down",  # SDL's y grows downwards
    "rightx": "push the right stick to the right",
    "righty": "pull the right stick down",
}
TRIGGERS = {
    "lefttrigger": "pull the left trigger all the way (on an N64 pad: Z)",
    "righttrigger": "pull the right trigger all the way",
}
QUESTIONS = BUTTONS | STICKS | TRIGGERS

_MOVED = 0.6  # of an axis' range of 2
_STILL = 0.1
_STILL_S = 0.25
_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class RawPad:
    """A joystick as it is: axes in [-1, 1], buttons, and hats as SDL's bits (1 up, 2 right, 4 down, 8 left)."""

    axes: tuple[float, ...]
    buttons: tuple[bool, ...]
    hats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """What was moved: `element` in SDL's notation without direction; of an axis its number and direction too."""

    element: str
    axis: int | None = None
    sign: int = 0


def find_hit(rest: RawPad, now: RawPad) -> Hit | None:
    """What is different from rest; of several axes the one that moved farthest."""
    for number, (was, down) in enumerate(zip(rest.buttons, now.buttons, strict=True)):
        if down and not was:
            return Hit(f"b{number}")
    for number, (before, bits) in enumerate(zip(rest.hats, now.hats, strict=True)):
        if bits != before and bits in (1, 2, 4, 8):  # two at once say nothing
            return Hit(f"h{number}.{bits}")
    ways = [value - was for was, value in zip(rest.axes, now.axes, strict=True)]
    number = max(range(len(ways)), key=lambda i: abs(ways[i]), default=0)
    if ways and abs(ways[number]) > _MOVED:
        return Hit(f"a{number}", number, 1 if ways[number] > 0 else -1)
    return None


def element_of(control: str, hit: Hit, rest: RawPad) -> str | None:
    """SDL's notation of what was moved for `control`; None where it cannot be that.

    Args:
        control: SDL's name.
        hit: what was moved.
        rest: after it was let go of: some triggers tell their rest only after they were pulled once.
    """
    if hit.axis is None:
        return None if control in STICKS else hit.element
    if control in STICKS:
        return hit.element + "~" * (hit.sign < 0)
    start = rest.axes[hit.axis]
    if control in TRIGGERS and abs(start) > 0.5:  # its whole way counts
        return hit.element + "~" * (start > 0)
    return ("+" if hit.sign > 0 else "-") + hit.element


def learn(read: Callable[[], RawPad], say: Callable[[str], None]) -> dict[str, str]:
    """Ask for every control; one that was given before means that the pad has none such.

    Args:
        read: the pad as it stands.
        say: shows a line to the person.

    Returns:
        By SDL's name of a control its notation of what was moved.
    """
    say("Let go of everything.")
    rest = _settled(read)
    elements: dict[str, str] = {}
    for number, (control, question) in enumerate(QUESTIONS.items(), 1):
        say(f"{number} of {len(QUESTIONS)}: {question}" + (", or A if there is none" if elements else ""))
        while True:
            hit = _wait(read, rest)
            rest = _settled(read, rest, hit)
            element = element_of(control, hit, rest)
            if element is not None or hit.element in elements.values():
                break
            say("  that is no stick; once more")
        other_stick = any(elements.get(stick, "").rstrip("~") == hit.element for stick in STICKS)
        if element is None or element in elements.values() or (control in STICKS and other_stick):
            say("  left out")
        else:
            elements[control] = element
            say(f"  {element}")
    return elements


def _wait(read: Callable[[], RawPad], rest: RawPad) -> Hit:
    while (hit := find_hit(rest, read())) is None:
        time.sleep(_LOOK_S)
    # The stick is on its way: which axis it is shows best a moment later.
    time.sleep(10 * _LOOK_S)
    return find_hit(rest, read()) or hit


def _settled(read: Callable[[], RawPad], rest: RawPad | None = None, hit: Hit | None = None) -> RawPad:
    """The pad once nothing has moved for a while, nothing is pressed, and the axis of `hit` has been let go of.

    Args:
        read: the pad as it stands.
        rest: how it stood before `hit`. The axis may come to rest elsewhere, but not where it was moved to: whoever
            holds a stick at its end does not move it either.
        hit: what was moved last.
    """
    now = start = read()
    since, farthest = time.monotonic(), _MOVED
    while time.monotonic() - since < _STILL_S:
        time.sleep(_LOOK_S)
        now = read()
        moved = any(abs(a - b) > _STILL for a, b in zip(start.axes, now.axes, strict=True))
        held = False
        if rest and hit and hit.axis is not None:
            way = (now.axes[hit.axis] - rest.axes[hit.axis]) * hit.sign
            farthest = max(farthest, way)
            held = way > farthest / 2
        if moved or held or any(now.buttons) or any(now.hats):
            start, since = now, time.monotonic()
    return now


def teach(home: Path, match: str, say: Callable[[str], None]) -> str:
    """Learn the layout of a pad and save it: of one whose layout is not known, if there is such a one.

    Args:
        home: KART_HOME, where the layout is kept.
        match: a part of the pad's name; "" takes any.
        say: shows a line to the person.

    Returns:
        The layout.

    Raises:
        NoDeviceError: no such pad is plugged in.
        KartError: it was unplugged, or the layout cannot be saved.
    """
    sdl = Sdl(home)
    try:
        known = sdl.known()
        fitting = [index for index, name in enumerate(sdl.names()) if match.casefold() in name.casefold()]
        if not fitting:
            raise NoDeviceError(
                "gamepad", "none is connected" if not match else f"none has {match!r} in its name", PLUG_IN
            )
        joystick = sdl.pygame.joystick.Joystick(min(fitting, key=lambda index: index in known))
        say(f"{joystick.get_name()}: {joystick.get_numaxes()} axes, {joystick.get_numbuttons()} buttons.")
        elements = learn(_reader(sdl, joystick), say)
        line = layout_line(joystick.get_guid(), joystick.get_name(), elements)
        save_layout(home / LAYOUTS, line)
    finally:
        sdl.close()
    return line


def _reader(sdl: Sdl, joystick: Any) -> Callable[[], RawPad]:
    count = sdl.controller.get_count()

    def read() -> RawPad:
        sdl.update()
        if sdl.controller.get_count() < count:
            raise KartError("The gamepad was unplugged; nothing was saved.")
        axes = tuple(joystick.get_axis(i) for i in range(joystick.get_numaxes()))
        buttons = tuple(bool(joystick.get_button(i)) for i in range(joystick.get_numbuttons()))
        hats = tuple(_bits(*joystick.get_hat(i)) for i in range(joystick.get_numhats()))
        return RawPad(axes, buttons, hats)

    return read


def _bits(x: int, y: int) -> int:
    """SDL's bits of pygame's hat, whose y grows upwards."""
    return (y > 0) | (x > 0) << 1 | (y < 0) << 2 | (x < 0) << 3
