"""What a virtual pad of Linux writes into the kernel, seen at the edge of python-evdev."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.uinput import UinputPad, events
from kart_pipeline.desktop.pad import AXES, BUTTONS, PadState

evdev = pytest.importorskip("evdev", reason="python-evdev is for Linux only: pip install 'kart-pipeline[uinput]'")
E = evdev.ecodes


class FakeUInput:
    """The kernel behind evdev's UInput: it cuts nothing, and passes on changes only, as one report at a time.

    Attributes:
        reports: what a program that reads the pad gets.
    """

    fd = 77

    def __init__(self, described: Mapping[int, Sequence[Any]], **identity: Any) -> None:
        self.identity = identity
        self.keys = set(described[E.EV_KEY])
        self.ranges = {code: (info.min, info.max) for code, info in described[E.EV_ABS]}
        self.stands: dict[tuple[int, int], int] = {}
        self.reports: list[dict[str, int]] = []
        self.gone = self.closed = False
        self._report: dict[str, int] = {}

    def write(self, kind: int, code: int, value: int) -> None:
        if self.gone:
            raise OSError(19, "No such device")
        assert code in (self.keys if kind == E.EV_KEY else self.ranges), "it was not described"
        if kind == E.EV_ABS:
            assert self.ranges[code][0] <= value <= self.ranges[code][1]
        if self.stands.get((kind, code), 0) != value:
            self.stands[kind, code] = value
            names = E.bytype[kind][code]
            self._report[names if isinstance(names, str) else names[0]] = value

    def syn(self) -> None:
        if self._report:
            self.reports.append(self._report)
        self._report = {}

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def kernel() -> list[FakeUInput]:
    return []


@pytest.fixture
def pad(kernel: list[FakeUInput]) -> UinputPad:
    def make(*described: Any, **identity: Any) -> FakeUInput:
        kernel.append(FakeUInput(*described, **identity))
        return kernel[0]

    return UinputPad(make)


def test_it_is_announced_as_the_pad_that_everybody_knows(pad: UinputPad, kernel: list[FakeUInput]) -> None:
    assert kernel[0].identity == {
        "name": "Microsoft X-Box 360 pad",
        "vendor": 0x045E,
        "product": 0x028E,
        "version": 0x0110,
        "bustype": E.BUS_USB,
    }
    assert kernel[0].ranges[E.ABS_X] == kernel[0].ranges[E.ABS_RY] == (-32768, 32767)
    assert kernel[0].ranges[E.ABS_Z] == (0, 255)
    assert kernel[0].ranges[E.ABS_HAT0X] == (-1, 1)
    assert pad.fileno() == 77


def test_a_state_is_one_report_with_up_at_the_lower_end(pad: UinputPad, kernel: list[FakeUInput]) -> None:
    axes = {"left_x": 1.0, "left_y": 1.0, "right_y": -1.0, "right_trigger": 1.0}
    pad.apply(PadState(axes, frozenset({"a", "x", "guide", "dpad_up", "dpad_right"})))
    assert kernel[0].reports == [
        {"ABS_X": 32767, "ABS_Y": -32768, "ABS_RY": 32767, "ABS_RZ": 255, "ABS_HAT0Y": -1, "ABS_HAT0X": 1}
        | {"BTN_A": 1, "BTN_NORTH": 1, "BTN_MODE": 1}
    ]


def test_what_stays_is_not_told_again(pad: UinputPad, kernel: list[FakeUInput]) -> None:
    pad.apply(PadState({"left_x": -0.5}))
    pad.apply(PadState({"left_x": -0.5}))
    pad.neutral()
    pad.neutral()
    assert kernel[0].reports == [{"ABS_X": -16384}, {"ABS_X": 0}]


def test_every_button_has_a_code_of_its_own() -> None:
    rest = set(events(PadState()))
    pressed = [frozenset(set(events(PadState(buttons=frozenset({button})))) - rest) for button in BUTTONS]
    assert all(len(changed) == 1 for changed in pressed)
    assert len(set(pressed)) == len(BUTTONS)


@given(
    st.fixed_dictionaries({name: st.floats(0 if "trigger" in name else -1, 1) for name in AXES}),
    st.frozensets(st.sampled_from(BUTTONS)),
)
def test_whatever_is_held_is_within_what_was_announced(axes: dict[str, float], buttons: frozenset[str]) -> None:
    made: list[FakeUInput] = []

    def make(*described: Any, **identity: Any) -> FakeUInput:
        made.append(FakeUInput(*described, **identity))
        return made[0]

    pad = UinputPad(make)
    pad.apply(PadState(axes, buttons))
    assert made[0].stands.get((E.EV_ABS, E.ABS_X), 0) / 32767.5 == pytest.approx(axes["left_x"], abs=1e-4)
    pad.close()
    assert not any(made[0].stands.values()), "at rest before it is unplugged"


def test_a_closed_pad_is_unplugged_once_and_takes_nothing_more(pad: UinputPad, kernel: list[FakeUInput]) -> None:
    pad.close()
    pad.close()
    assert kernel[0].closed
    with pytest.raises(KartError, match="has been closed"):
        pad.apply(PadState())


def test_a_pad_that_the_kernel_has_taken_away_is_told(pad: UinputPad, kernel: list[FakeUInput]) -> None:
    kernel[0].gone = True
    with pytest.raises(KartError, match="The virtual gamepad is gone"):
        pad.apply(PadState({"left_x": 1.0}))
    pad.neutral()


def test_a_kernel_that_makes_no_pad_is_told() -> None:
    def fail(*_: Any, **__: Any) -> FakeUInput:
        raise evdev.UInputError('"/dev/uinput" cannot be opened for writing')

    with pytest.raises(UnavailableError, match="makes no pad"):
        UinputPad(fail)


def test_without_evdev_the_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evdev", None)
    with pytest.raises(UnavailableError, match=r"evdev is not installed. Run `pip install 'kart-pipeline\[uinput\]'"):
        UinputPad(FakeUInput)
