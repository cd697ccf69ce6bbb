"""What is driven with is what BizHawk's pad says, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.consoles import CONSOLES, N64_SPEC, console

shares = st.floats(-1, 1, allow_nan=False)


def test_the_stick_of_an_n64_goes_as_far_as_a_real_one():
    n64 = console("N64")
    assert n64.pad(N64_SPEC.action(steer=1.0, pitch=-1.0, A=True)) == {
        "P1 X Axis": 80,
        "P1 Y Axis": -80,
        "P1 A": True,
        "P1 B": False,
        "P1 R": False,
    }


@given(steer=shares, pitch=shares, a=st.booleans())
def test_what_was_held_comes_back_to_the_nearest_number_of_the_stick(steer, pitch, a):
    n64 = console("N64")
    done = N64_SPEC.action(steer=steer, pitch=pitch, A=a)
    back = n64.action(n64.pad(done))
    assert back["steer"] == pytest.approx(steer, abs=0.5 / 80 + 1e-6)
    assert back["pitch"] == pytest.approx(pitch, abs=0.5 / 80 + 1e-6)
    assert back["A"] == a


def test_a_pad_that_reaches_beyond_a_real_stick_is_all_the_way_there():
    assert console("N64").action({"P1 X Axis": -128, "P1 Y Axis": 127})["steer"] == -1.0


def test_what_is_not_told_rests():
    assert console("N64").action({"P1 Start": True, "P1 X Axis": float("nan")}) == N64_SPEC.neutral()


def test_keys_of_a_snes_have_no_axes():
    snes = console("SNES")
    held = snes.pad(snes.spec.action(left=True, B=True))
    assert held == {"P1 Left": True, "P1 Right": False, "P1 B": True, "P1 Y": False, "P1 R": False}
    assert snes.action(held)["left"]


def test_every_channel_has_a_control_of_its_own():
    for known in CONSOLES.values():
        controls = [*(control for control, _ in known.axes.values()), *known.buttons.values()]
        assert set(known.axes) | set(known.buttons) == set(known.spec.names)
        assert len(set(controls)) == len(known.spec)


def test_a_console_that_is_not_known_is_said():
    with pytest.raises(KartError, match="pad of GBA"):
        console("GBA")
