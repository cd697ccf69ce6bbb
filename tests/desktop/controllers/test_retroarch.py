"""A pad over RetroArch's network: its datagrams byte by byte, and RetroArch itself from Debian with a core of ours."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.choose import ControllerChoice, open_controller
from kart_pipeline.desktop.controllers.retroarch import CLEAR, RetroArchPad, most_urgent, packet, values
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import BUTTONS, PadState

LEFT_X, LEFT_Y, LOWER = (5, 0, 0), (5, 0, 1), (1, 0, 0)


def test_a_datagram_is_a_struct_of_five_numbers_and_padding() -> None:
    assert packet(LOWER, 1) == bytes.fromhex("00000000 01000000 00000000 00000000 0100 0000")
    assert packet((5, 1, 1), -2) == bytes.fromhex("00000000 05000000 01000000 01000000 feff 0000")


def test_buttons_are_mapped_by_place_and_up_is_negative() -> None:
    state = PadState({"left_x": 1.0, "left_y": 1.0, "right_trigger": 0.8}, frozenset({"a", "y", "start"}))
    told = values(state)
    assert (told[LEFT_X], told[LEFT_Y]) == (32767, -32768)
    assert {id_ for (device, _, id_), value in told.items() if device == 1 and value} == {0, 9, 3, 13}


def test_every_button_but_guide_has_a_number_of_its_own() -> None:
    told = [values(PadState(buttons=frozenset({button}))) for button in BUTTONS]
    pressed = [[control for control, value in each.items() if value] for each in told]
    assert [button for button, controls in zip(BUTTONS, pressed, strict=True) if not controls] == ["guide"]
    assert len({controls[0] for controls in pressed if controls}) == len(BUTTONS) - 1


def test_a_button_comes_first_and_then_the_axis_that_has_moved_most() -> None:
    rest = values(PadState())
    wanted = values(PadState({"left_x": 0.5, "left_y": 0.6}, frozenset({"a"})))
    sent, order = rest, []
    while control := most_urgent(sent, wanted):
        order.append(control)
        sent = {**sent, control: wanted[control]}
    assert order == [LOWER, LEFT_Y, LEFT_X]


@given(st.floats(-1, 1), st.frozensets(st.sampled_from(BUTTONS)))
def test_whatever_changes_everything_is_sent_in_the_end_and_nothing_twice(x: float, buttons: frozenset[str]) -> None:
    sent, wanted = values(PadState({"left_x": -0.3})), values(PadState({"left_x": x}, buttons))
    differing = sum(sent[control] != wanted[control] for control in wanted)
    for _ in range(differing):
        control = most_urgent(sent, wanted)
        assert control is not None
        sent = {**sent, control: wanted[control]}
    assert sent == wanted
    assert most_urgent(sent, wanted) is None


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """What RetroArch reads from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(5)
        yield made


@pytest.fixture
def pad(listener: socket.socket) -> Iterator[RetroArchPad]:
    made = RetroArchPad(*listener.getsockname())
    assert [listener.recv(100) for _ in range(2)] == [CLEAR, CLEAR], "it begins at rest"
    yield made
    made.close()


def test_changes_are_sent_one_by_one_and_what_stays_is_told_again_now_and_then(
    pad: RetroArchPad, listener: socket.socket
) -> None:
    state = PadState({"left_x": -1.0}, frozenset({"a"}))
    for _ in range(5):
        pad.apply(state)
    assert [listener.recv(100) for _ in range(2)] == [packet(LOWER, 1), packet(LEFT_X, -32768)]
    again = [listener.recv(100) for _ in range(3)]
    assert set(again) <= {packet(control, value) for control, value in values(state).items()}


def test_neutral_clears_everything_at_once_and_nothing_comes_after_it(
    pad: RetroArchPad, listener: socket.socket
) -> None:
    pad.apply(PadState({"left_x": -1.0, "left_y": 0.5}, frozenset(BUTTONS)))
    pad.neutral()
    listener.settimeout(0.4)
    heard = []
    with pytest.raises(TimeoutError):
        while True:
            heard.append(listener.recv(100))
    assert heard[-2:] == [CLEAR, CLEAR]
    pad.close()
    pad.close()
    assert listener.recv(100) == CLEAR


def test_where_nobody_listens_it_is_said_with_what_to_switch_on() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match=r'no RetroArch listens at .*network_remote_enable_user_p1 = "true"'):
        open_controller(ControllerChoice("retroarch", port=port), KeyLayout())
    with pytest.raises(UnavailableError, match=r"there is no no\.such\.machine\.invalid"):
        RetroArchPad("no.such.machine.invalid", 55400)


def test_a_retroarch_that_ends_is_told_in_a_sentence(pad: RetroArchPad, listener: socket.socket, soon) -> None:
    listener.close()

    def told() -> bool:
        try:
            pad.apply(PadState({"left_x": time.monotonic() % 1}))
        except KartError as error:
            return "RetroArch is gone" in str(error)
        return False

    soon(told)
    pad.neutral()


CONFIG = """
video_driver = "sdl2"
audio_driver = "null"
input_driver = "x"
input_joypad_driver = "null"
menu_driver = "null"
pause_nonactive = "false"
config_save_on_exit = "false"
network_remote_enable = "true"
network_remote_enable_user_p1 = "true"
network_remote_base_port = "{port}"
"""


class RetroArch:
    """RetroArch with a core that writes how its pad stands."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "pad.log"
        core = folder / "pad.so"
        source = Path(__file__).with_name("pad_core.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", core, source], check=True)  # noqa: S607
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = folder / "retroarch.cfg"
        config.write_text(CONFIG.format(port=self.port), encoding="utf-8")
        self.process = subprocess.Popen(
            ["retroarch", "-L", core, "--config", config],  # noqa: S607
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PAD_LOG": str(self.log)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stands(self) -> tuple[int, ...]:
        """Buttons as bits, then the axes; () before the first frame."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return tuple(map(int, lines[-1].split())) if lines else ()


@pytest.fixture
def retroarch(desktop: str, tmp_path: Path, soon) -> Iterator[RetroArch]:
    for program, package in (("retroarch", "retroarch"), ("cc", "gcc libc6-dev")):
        if not shutil.which(program):
            pytest.skip(f"there is no {program}: apt-get install {package}")
    made = RetroArch(tmp_path)
    end = time.monotonic() + 60
    while not made.stands():
        assert made.process.poll() is None, "RetroArch has ended"
        assert time.monotonic() < end, "RetroArch does not start"
        time.sleep(0.05)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.e2e
def test_retroarch_itself_sees_the_pad_as_it_is_held(retroarch: RetroArch, soon) -> None:
    pad = RetroArchPad("127.0.0.1", retroarch.port)
    pad.apply(PadState({"left_x": -0.61, "left_y": 1.0, "right_x": 0.25}, frozenset({"a", "rb"})))
    soon(lambda: retroarch.stands() == (1 << 0 | 1 << 11, -19988, -32768, 8192, 0))
    pad.apply(PadState({"left_x": 1.0, "right_y": -1.0, "left_trigger": 1.0}, frozenset({"dpad_up"})))
    soon(lambda: retroarch.stands() == (1 << 4 | 1 << 12, 32767, 0, 0, 32767))
    pad.neutral()
    soon(lambda: retroarch.stands() == (0, 0, 0, 0, 0))
    pad.close()


@pytest.mark.e2e
def test_retroarchs_pad_is_let_go_of_when_the_player_is_killed(retroarch: RetroArch, soon) -> None:
    player = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("drive_forever.py"), f"retroarch:127.0.0.1:{retroarch.port}", "60"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while retroarch.stands() != (1, -16384, -32768, 0, 0):
            assert time.monotonic() < end, retroarch.stands()
            time.sleep(0.02)
    finally:
        player.kill()
        player.wait()
    soon(lambda: retroarch.stands() == (0, 0, 0, 0, 0))
