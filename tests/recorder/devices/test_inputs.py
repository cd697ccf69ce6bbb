"""Gamepads through the package `inputs`: its own code, fed by a pipe in the place of a device file."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.devices import inputs_backend
from recorder.devices.inputs_codes import Decoder, Range, button_names, maker_driver, ranges_of

XBOX = {"ABS_X": Range(-32768, 32767, 0), "ABS_Y": Range(-32768, 32767, 0), "ABS_Z": Range(0, 1023, 0)}
SONY = {"ABS_X": Range(0, 255, 128), "ABS_Y": Range(0, 255, 128), "ABS_Z": Range(0, 255, 0)}


def decoder(driver: str = "xpad", ranges: dict[str, Range] = XBOX, *, windows: bool = False) -> Decoder:
    return Decoder(button_names(driver, windows=windows), ranges, up_is_negative=not windows)


@pytest.mark.parametrize("ranges", [XBOX, SONY])
def test_whatever_numbers_a_pad_uses_its_stick_rests_at_nought_and_reaches_one(ranges: dict[str, Range]) -> None:
    pad = decoder(ranges=ranges)
    assert pad.state().value("left_x") == 0.0
    for raw, value in ((ranges["ABS_X"].most, 1.0), (ranges["ABS_X"].least, -1.0)):
        pad.take("ABS_X", raw)
        assert pad.state().value("left_x") == value
    pad.take("ABS_Z", ranges["ABS_Z"].most)
    assert pad.state().value("left_trigger") == 1.0


@given(st.integers(-40000, 40000), st.integers(1, 70000), st.integers(-80000, 80000))
def test_numbers_beyond_the_range_stay_within_one(least: int, width: int, value: int) -> None:
    span = Range(least, least + width, least)
    assert -1 <= span.stick(value) <= 1
    assert 0 <= span.trigger(value) <= 1
    assert span.stick(value) <= span.stick(value + 1)
    assert (span.stick(least), span.stick(least + width)) == (-1, 1) or width == 1


def test_up_is_positive_on_linux_and_on_windows() -> None:
    linux, windows = decoder(), decoder(windows=True)
    linux.take("ABS_Y", -32768)
    windows.take("ABS_Y", 32767)
    assert linux.state().value("left_y") == windows.state().value("left_y") == 1.0


@pytest.mark.parametrize(
    ("driver", "windows", "west", "north"),
    [
        ("xpad", False, "y", "x"),
        ("microsoft", False, "y", "x"),
        ("", False, "y", "x"),
        ("sony", False, "x", "y"),
        ("playstation", False, "x", "y"),
        ("nintendo", False, "y", "x"),
        ("xinput", True, "x", "y"),
    ],
)
def test_x_and_y_are_told_apart_by_driver_and_system(driver: str, windows: bool, west: str, north: str) -> None:
    for code, name in (("BTN_WEST", west), ("BTN_NORTH", north)):
        pad = decoder(driver, windows=windows)
        pad.take(code, 1)
        assert pad.state().buttons == {name}


@pytest.mark.parametrize(("number", "driver"), [("054c", "sony"), ("057e", "nintendo"), ("045e", "")])
def test_a_pad_without_a_driver_has_the_names_of_its_makers(tmp_path: Path, number: str, driver: str) -> None:
    (tmp_path / "vendor").write_text(f"{number}\n", encoding="ascii")
    assert maker_driver(tmp_path / "vendor") == driver
    assert maker_driver(tmp_path / "nothing") == ""


def test_start_and_back_which_inputs_confuses_on_windows_are_put_right() -> None:
    for windows, code in ((False, "BTN_START"), (True, "BTN_SELECT")):
        pad = decoder(windows=windows)
        pad.take(code, 1)
        assert pad.state().buttons == {"start"}


def test_the_hat_is_the_d_pad() -> None:
    pad = decoder()
    for code, value, pressed in (
        ("ABS_HAT0Y", -1, {"dpad_up"}),
        ("ABS_HAT0X", 1, {"dpad_up", "dpad_right"}),
        ("ABS_HAT0Y", 0, {"dpad_right"}),
        ("ABS_HAT0X", -1, {"dpad_left"}),
    ):
        pad.take(code, value)
        assert pad.state().buttons == pressed


def test_pedals_are_triggers_and_free_the_right_stick() -> None:
    span = Range(0, 65535, 32768)
    pad = decoder("microsoft", {"ABS_Z": span, "ABS_RZ": span, "ABS_GAS": Range(0, 1023, 0)})
    pad.take("ABS_GAS", 1023)
    pad.take("ABS_RZ", 0)
    state = pad.state()
    assert (state.value("right_trigger"), state.value("right_x"), state.value("right_y")) == (1.0, 0.0, 1.0)


def test_triggers_that_are_only_buttons_are_pulled_all_the_way() -> None:
    pad = decoder("nintendo", {})
    pad.take("BTN_TR2", 1)
    assert pad.state().value("right_trigger") == 1.0


@given(st.lists(st.tuples(st.sampled_from(["ABS_X", "BTN_SOUTH", "SYN_REPORT", "MSC_SCAN"]), st.integers(-99, 99))))
def test_events_that_a_pad_does_not_need_are_left_aside(events: list[tuple[str, int]]) -> None:
    pad = decoder()
    for code, value in events:
        pad.take(code, value)
    assert set(pad.state().axes) <= {"left_x", "left_y", "left_trigger"}


def test_a_file_that_is_no_device_has_the_ranges_of_windows(tmp_path: Path) -> None:
    with (tmp_path / "event0").open("wb") as file:
        assert ranges_of(file.fileno()) == ranges_of(None)


def test_what_is_held_when_the_reader_comes_is_known_on_windows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own reading of XInput, which alone is played here."""
    inputs = inputs_backend._inputs()
    monkeypatch.setattr(inputs, "WIN", True)

    def get_state(number: int, reference: Any) -> int:
        reference._obj.gamepad.buttons = 0x1010  # XINPUT_GAMEPAD_START, XINPUT_GAMEPAD_A
        reference._obj.gamepad.l_thumb_x = 32767
        return 0

    pad = inputs.GamePad.__new__(inputs.GamePad)
    pad.manager = SimpleNamespace(
        xinput=SimpleNamespace(XInputGetState=get_state),
        **{
            name: getattr(inputs.devices, name)
            for name in ("codes", "get_event_type", "get_event_string", "get_typecode")
        },
    )
    pad._GamePad__device_number = pad.read_size = 0
    pad._GamePad__received_packets = pad._GamePad__missed_packets = 0
    pad._character_file = pad._InputDevice__pipe = None
    pad._GamePad__last_state = pad._GamePad__read_device()
    source = inputs_backend._Windows(inputs, pad)
    state = decoder(ranges=source.ranges, windows=True)
    for event in source.events():
        state.take(event.code, event.state)
    assert state.state().buttons == {"start", "a"}
    assert state.state().value("left_x") == 1.0
    assert source.events() == []


# A namespace of its own, in which the device files are pipes: `inputs` cannot tell the difference. The script plays the
# pad, unplugs it and plugs it in again, and prints what was seen.
STAGE = r"""
import json, os, struct, sys, threading, time
from pathlib import Path

event, links = Path("/dev/input/event0"), Path("/dev/input/by-id")
sys_event = Path("/sys/class/input/event0/device")

def plug_in():
    links.mkdir(exist_ok=True)
    sys_event.mkdir(parents=True, exist_ok=True)
    (sys_event / "name").write_text("Stage X-Box pad\n")
    os.mkfifo(event)
    (links / "usb-Stage_pad-event-joystick").symlink_to(event)
    return os.open(event, os.O_RDWR)

def send(descriptor, kind, code, value):
    os.write(descriptor, struct.pack("llHHi", 0, 0, kind, code, value) + struct.pack("llHHi", 0, 0, 0, 0, 0))

def soon(condition):
    end = time.monotonic() + 8
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)

wire = plug_in()
from recorder.devices.inputs_backend import InputsPad, inputs_pads
from kart_pipeline.core.frame import now_ns
seen = {"listed": [found.name for found in inputs_pads()]}
pad = InputsPad("x-box")
now = lambda: pad.at(now_ns())
seen["rest"] = [now().value("left_x"), sorted(now().buttons), pad.connected]
late = []
for k in range(30):
    value = 32767 if k % 2 == 0 else -32768
    sent = now_ns()
    send(wire, 3, 0, value)
    time.sleep(0.01)
    change = next(t for t in range(sent, sent + 10**9, 50_000) if pad.at(t).value("left_x") == (1 if value > 0 else -1))
    late.append((change - sent) / 1e6)
seen["late_ms"] = sorted(late)[len(late) // 2]
send(wire, 1, 0x133, 1)
send(wire, 1, 0x2ff, 1)  # a code that inputs does not know
send(wire, 3, 1, -32768)
soon(lambda: now().value("left_y") == 1)
seen["pressed"] = sorted(now().buttons)
(links / "usb-Stage_pad-event-joystick").unlink()
event.unlink()
hold, wire = wire, None
os.close(hold)
soon(lambda: not pad.connected)
seen["unplugged"] = [now().value("left_y"), sorted(now().buttons)]
wire = plug_in()
soon(lambda: pad.connected)
send(wire, 1, 0x130, 1)
soon(lambda: now().buttons == {"a"})
seen["again"] = sorted(now().buttons)
seen["threads"] = threading.active_count()
print(json.dumps(seen), flush=True)
sys.exit(3)  # with the pad open, and the thread in the middle of a read
"""


# The lights of an X-Box pad that is not the first, and of a keyboard.
MOUNTS = " && ".join(f"mount -t tmpfs none {place}" for place in ("/dev/input", "/sys/class"))
MOUNTS += " && mkdir -p /sys/class/input /sys/class/leds/xpad7 /sys/class/leds/input3::capslock"


@pytest.fixture
def places() -> Iterator[None]:
    """Something to mount upon, which a machine without any input device lacks."""
    folder = Path("/dev/input")
    missing = not folder.exists()
    if missing:
        folder.mkdir()
    yield
    if missing:
        folder.rmdir()


def staged() -> str | None:
    """Why there cannot be such a namespace; None where there can."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "namespaces are Linux's"
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    tried = subprocess.run(command, capture_output=True, check=False)
    return None if tried.returncode == 0 else "a namespace of its own wants root"


@pytest.mark.e2e
@pytest.mark.skipif(staged() is not None, reason=str(staged()))
def test_a_pad_is_read_unplugged_and_read_again_and_never_keeps_the_program_from_ending(
    tmp_path: Path, places: None
) -> None:
    script = tmp_path / "stage.py"
    script.write_text(STAGE, encoding="utf-8")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{MOUNTS} && exec "$@"', "sh", sys.executable, str(script)],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "")
    seen = json.loads(done.stdout)
    assert seen.pop("late_ms") < 5
    assert seen == {
        "listed": ["Stage X-Box pad"],
        "rest": [0.0, [], True],
        "pressed": ["x"],
        "unplugged": [0.0, []],
        "again": ["a"],
        "threads": 2,
    }
