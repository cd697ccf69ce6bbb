"""Virtual pads and keys of Windows, against stand-ins for its drivers."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from windows_fakes import XUSB_BUTTON, FakePyvjoy, FakeUser32, FakeVgamepad

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers import guard
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.choose import ControllerChoice, Opened
from kart_pipeline.desktop.controllers.keyboard import Keyboard
from kart_pipeline.desktop.controllers.keys_win32 import Win32Sender
from kart_pipeline.desktop.controllers.vgamepad import VigemPad
from kart_pipeline.desktop.controllers.vjoy import VjoyPad
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import AXES, BUTTONS, PadState

STATES = st.builds(
    PadState,
    st.fixed_dictionaries({name: st.floats(0 if "trigger" in name else -1, 1) for name in AXES}),
    st.frozensets(st.sampled_from(BUTTONS)),
)


def test_an_x_box_pad_is_told_in_xinputs_numbers_with_up_positive() -> None:
    package = FakeVgamepad()
    pad = VigemPad(package)
    pad.apply(PadState({"left_x": 1.0, "left_y": 1.0, "right_y": -1.0, "right_trigger": 0.5}, frozenset({"a", "lb"})))
    seen = package.seen
    assert seen is not None
    assert (seen.sThumbLX, seen.sThumbLY, seen.sThumbRX, seen.sThumbRY) == (32767, 32767, 0, -32768)
    assert (seen.bLeftTrigger, seen.bRightTrigger) == (0, 128)
    assert XUSB_BUTTON(seen.wButtons) == XUSB_BUTTON.XUSB_GAMEPAD_A | XUSB_BUTTON.XUSB_GAMEPAD_LEFT_SHOULDER
    pad.neutral()
    assert package.seen is not None
    assert bytes(package.seen) == bytes(12)


@given(STATES)
def test_no_value_of_a_pad_wraps_round_and_every_button_arrives(state: PadState) -> None:
    package = FakeVgamepad()
    pad = VigemPad(package)
    pad.apply(state)
    assert package.seen is not None
    assert package.seen.sThumbLX / 32767.5 == pytest.approx(state.value("left_x"), abs=1e-4)
    assert package.seen.sThumbLY / 32767.5 == pytest.approx(state.value("left_y"), abs=1e-4)
    assert package.seen.bLeftTrigger / 255 == pytest.approx(state.value("left_trigger"), abs=1 / 255)
    assert package.seen.wButtons.bit_count() == len(state.buttons)


def test_a_closed_pad_is_unplugged_and_takes_nothing_more() -> None:
    package = FakeVgamepad()
    pad = VigemPad(package)
    pad.close()
    pad.close()
    assert package.seen is None
    with pytest.raises(KartError, match="has been closed"):
        pad.apply(PadState())


def test_a_driver_that_is_missing_or_goes_away_is_told_in_a_sentence() -> None:
    with pytest.raises(UnavailableError, match=r"ViGEmBus does not answer .*BUS_NOT_FOUND.*pip install .* vgamepad"):
        VigemPad(FakeVgamepad("VIGEM_ERROR_BUS_NOT_FOUND"))
    package = FakeVgamepad()
    pad = VigemPad(package)
    package.trouble = "VIGEM_ERROR_INVALID_TARGET"
    with pytest.raises(KartError, match="The virtual gamepad is gone"):
        pad.apply(PadState({"left_x": 1.0}))
    pad.neutral()
    pad.close()


def test_that_a_driver_has_been_given_up_is_said() -> None:
    said = Opened(VigemPad(FakeVgamepad()), "the best that there is").describe(ControllerChoice())
    assert said == (
        "--controller auto takes the gamepad through vgamepad, the best that there is. Its driver ViGEmBus works, but "
        "its makers have given it up: there will be no newer one."
    )


def test_a_joystick_is_told_in_vjoys_numbers_with_up_at_the_lower_end() -> None:
    package = FakePyvjoy()
    pad = VjoyPad(package)
    assert (package.seen.wAxisX, package.seen.wAxisY, package.seen.wAxisZ) == (0x4000, 0x4000, 1)
    pad.apply(PadState({"left_x": 1.0, "left_y": 1.0, "right_trigger": 1.0}, frozenset({"a", "dpad_right"})))
    assert (package.seen.wAxisX, package.seen.wAxisY, package.seen.wAxisZRot) == (0x8000, 1, 0x8000)
    assert package.seen.lButtons == 1 << 0 | 1 << 14
    pad.close()
    pad.close()
    assert (package.seen.wAxisX, package.seen.lButtons, package.free) == (0x4000, 0, True)


@given(STATES)
def test_no_value_of_a_joystick_leaves_its_range(state: PadState) -> None:
    package = FakePyvjoy()
    pad = VjoyPad(package)
    pad.apply(state)
    for name in ("wAxisX", "wAxisY", "wAxisZ", "wAxisXRot", "wAxisYRot", "wAxisZRot"):
        assert 1 <= getattr(package.seen, name) <= 0x8000
    assert package.seen.lButtons.bit_count() == len(state.buttons)
    pad.close()


def test_a_joystick_that_another_program_has_or_that_is_lost_is_told() -> None:
    package = FakePyvjoy()
    pad = VjoyPad(package)
    with pytest.raises(UnavailableError, match=r"not hand out joystick 1 .*VJD_STAT_FREE.*Configure vJoy"):
        VjoyPad(package)
    package.works = False
    with pytest.raises(KartError, match="vJoy takes nothing any more"):
        pad.apply(PadState())
    pad.close()


def test_the_guard_brings_a_joystick_to_rest_that_its_owner_left_deflected(monkeypatch: pytest.MonkeyPatch) -> None:
    package = FakePyvjoy()
    monkeypatch.setattr(guard, "VjoyPad", lambda: VjoyPad(package))
    release = guard.releaser(guard.Order("vjoy", {}, 1.0))
    pad = VjoyPad(package)
    pad.apply(PadState({"left_x": -1.0}))
    release()  # while the player is stopped it still has it
    assert package.seen.wAxisX == 1
    pad._device = None  # it was killed: the driver takes the joystick back as it stands
    release()
    assert package.seen.wAxisX == 0x4000


@pytest.mark.skipif(sys.platform == "win32", reason="there they may be had")
@pytest.mark.parametrize("kind", [VigemPad, VjoyPad])
def test_elsewhere_than_on_windows_something_else_is_named(kind: type) -> None:
    with pytest.raises(UnavailableError, match=r"for Windows only.*--controller uinput or keyboard"):
        kind()


def test_keys_are_sent_as_scan_codes_with_the_arrows_as_extended_ones() -> None:
    user32 = FakeUser32()
    layout = KeyLayout({"left": "left", "right": "right", "a": "x", "b": "right ctrl"})
    keyboard = Keyboard(layout, Win32Sender(layout, user32))
    keyboard.apply(PadState({"left_x": -1.0}))
    keyboard.apply(PadState({"left_x": -1.0}, frozenset({"a"})))
    keyboard.apply(PadState(buttons=frozenset({"b"})))
    keyboard.close()
    press, release, extended = 8, 8 | 2, 1
    assert user32.sent[:2] == [(0x4B, press | extended), (0x2D, press)]
    assert set(user32.sent[2:4]) == {(0x4B, release | extended), (0x2D, release)}
    assert user32.sent[4:] == [(0x1D, press | extended), (0x1D, release | extended)]


def test_a_key_under_a_persons_finger_is_left_to_them() -> None:
    user32 = FakeUser32()
    layout = KeyLayout()
    keyboard = Keyboard(layout, Win32Sender(layout, user32))
    user32.person(0x4D, True, True)
    keyboard.apply(PadState({"left_x": 1.0}))
    keyboard.close()
    assert user32.sent == []


def test_keys_that_windows_does_not_let_through_are_told() -> None:
    user32 = FakeUser32()
    layout = KeyLayout()
    keyboard = Keyboard(layout, Win32Sender(layout, user32))
    user32.locked = True
    with pytest.raises(KartError, match="the screen is locked, or the game runs as administrator"):
        keyboard.apply(PadState({"left_x": 1.0}))
    keyboard.close()


def test_where_the_packages_are_missing_the_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    for name, kind in (("vgamepad", VigemPad), ("pyvjoy", VjoyPad)):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(
            UnavailableError, match=rf"{name} is not installed. Run `pip install 'kart-pipeline\[{kind.name}"
        ):
            kind()
