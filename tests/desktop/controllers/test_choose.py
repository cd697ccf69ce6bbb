"""Which controller a program plays with, and what is said where there is none."""

from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers import uinput
from kart_pipeline.desktop.controllers.base import UnavailableError
from kart_pipeline.desktop.controllers.choose import KINDS, ControllerChoice, open_controller
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState

KEYS = KeyLayout()


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        *((kind, ControllerChoice(kind)) for kind in ("auto", *KINDS)),
        ("retroarch:192.168.1.5", ControllerChoice("retroarch", "192.168.1.5")),
        ("retroarch:box:55401", ControllerChoice("retroarch", "box", 55401)),
        ("retroarch:[::1]:55401", ControllerChoice("retroarch", "::1", 55401)),
    ],
)
def test_what_a_person_writes_is_a_choice(text: str, choice: ControllerChoice) -> None:
    assert ControllerChoice.parse(text) == choice
    assert ControllerChoice.parse(str(choice)) == choice


@pytest.mark.parametrize("text", ["", "pad", "Keyboard", "keyboard:x", "none:", ":"])
def test_what_is_no_controller_is_refused_with_a_list(text: str) -> None:
    with pytest.raises(KartError, match="is no controller; write auto, uinput, vgamepad, vjoy, keyboard, retroarch"):
        ControllerChoice.parse(text)


@pytest.mark.parametrize(
    "text", ["retroarch:", "retroarch::55400", "retroarch:box:0", "retroarch:box:99999", "retroarch:::1"]
)
def test_a_retroarch_without_a_place_is_refused(text: str) -> None:
    with pytest.raises(KartError, match=r"names no place of a RetroArch; write it as retroarch:192\.168\.1\.5:55400"):
        ControllerChoice.parse(text)


@pytest.fixture
def no_uinput(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose kernel has no uinput, whatever this one's has."""
    monkeypatch.setattr(uinput, "NODE", tmp_path / "uinput")
    return tmp_path / "uinput"


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere there is no uinput")
def test_the_best_that_works_is_taken_and_says_what_the_others_lack(no_uinput: Path, desktop: str) -> None:
    choice = ControllerChoice()
    opened = open_controller(choice, KEYS)
    said = opened.describe(choice)
    assert said.startswith(
        f"--controller auto takes the keyboard through xtest, since uinput: {no_uinput} is missing, the kernel's "
        "module is not loaded (Run `sudo modprobe uinput && "
    )
    assert said.endswith("`).")
    opened.controller.close()


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere there is no uinput")
def test_where_nothing_works_each_is_said_with_what_brings_it(no_uinput: Path) -> None:
    with pytest.raises(UnavailableError) as error:
        open_controller(ControllerChoice(), KEYS, environ={})
    said = str(error.value)
    for part in ("sudo modprobe uinput", "DISPLAY is not set", "--controller retroarch", "--controller none"):
        assert part in said
    assert "\n" not in said


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere there is no uinput")
def test_a_module_that_is_not_loaded_is_said_with_the_udev_rule_that_is_wanted_next(no_uinput: Path) -> None:
    with pytest.raises(UnavailableError, match=r'modprobe uinput && echo .KERNEL=="uinput", TAG\+="uaccess".*trigger'):
        open_controller(ControllerChoice("uinput"), KEYS)


@pytest.mark.skipif("sys.platform != 'linux' or os.geteuid() == 0", reason="root may write anywhere")
def test_without_permission_the_udev_rule_is_said(no_uinput: Path) -> None:
    no_uinput.touch(0o000)
    with pytest.raises(UnavailableError, match=r'KERNEL=="uinput", TAG\+="uaccess".*udevadm trigger'):
        open_controller(ControllerChoice("uinput"), KEYS)


def test_a_dry_run_reaches_nothing_and_says_so() -> None:
    choice = ControllerChoice("none")
    opened = open_controller(choice, KEYS, environ={})
    opened.controller.apply(PadState({"left_x": 1.0}))
    opened.controller.close()
    assert opened.describe(choice) == "--controller none presses nothing: a dry run."
