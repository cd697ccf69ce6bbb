"""Which device is taken, what is said about it, and the `devices` command."""

import json
import sys
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from recorder.devices.choose import PadChoice, choose
from recorder.devices.device import NoDeviceError
from recorder.devices.found import linux_hint
from recorder.devices.settings import PadSettings

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the keyboard needs no DISPLAY")


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("auto", PadChoice("auto")),
        ("sdl", PadChoice("sdl")),
        ("sdl:8BitDo: Pro", PadChoice("sdl", "8BitDo: Pro")),
        ("inputs:xbox", PadChoice("inputs", "xbox")),
        ("keyboard", PadChoice("keyboard")),
    ],
)
def test_a_choice_reads_as_it_is_typed(text: str, choice: PadChoice) -> None:
    assert PadChoice.parse(text) == choice


@pytest.mark.parametrize("text", ["", "pad", "keyboard:left", ":xbox", "SDL"])
def test_what_is_no_choice_is_refused(text: str) -> None:
    with pytest.raises(KartError, match="is no way to read a pad"):
        PadChoice.parse(text)


def test_a_pad_that_sdl_knows_comes_first(virtual, home: Path) -> None:
    chosen = choose(PadChoice(), PadSettings.load(home))
    assert chosen.device.about["backend"] == "sdl"
    chosen.device.close()


def test_without_a_pad_the_keyboard_is_taken_and_that_is_said(
    sdl, home: Path, x_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", x_name)
    chosen = choose(PadChoice(), PadSettings.load(home))
    assert chosen.device.about["device"] == "keyboard"
    assert "sdl: none is connected" in chosen.why
    chosen.device.close()


def test_who_wants_a_certain_pad_never_gets_the_keyboard(
    virtual, home: Path, x_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", x_name)
    with pytest.raises(NoDeviceError, match="has 'xbox' in its name"):
        choose(PadChoice(name="xbox"), PadSettings.load(home))


@linux_only
def test_with_nothing_at_all_one_sentence_says_so(sdl, run) -> None:
    status, out, err = run("devices")
    assert status == 2
    assert "There is no pad to drive with: sdl: none is connected" in err
    assert "DISPLAY is not set" in err
    assert err.count("\n") == 1
    assert [line.split()[0] for line in out.splitlines()] == ["--pad", "sdl", "inputs", "keyboard"]


@linux_only
def test_what_can_be_seen_is_listed_and_the_choice_named(virtual, make_virtual, run) -> None:
    make_virtual(kind=0)
    status, out, err = run("devices")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["--pad", "sdl", "sdl", "inputs", "keyboard"]
    assert "yes" in lines[1]
    assert "devices --map" in lines[2]
    assert lines[-1].startswith("--pad auto takes the gamepad Virtual Controller through sdl")


def test_machines_get_the_same_as_json(virtual, run) -> None:
    status, out, _ = run("devices", "--json")
    told = json.loads(out)
    assert status == 0
    assert told["devices"][0] == {"backend": "sdl", "name": "Virtual Controller", "usable": True, "note": ""}
    assert told["chosen"]["about"]["name"] == "Virtual Controller"
    assert told["trouble"] is None


@linux_only
@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("devices", "--pad", "joystick"), "is no way to read a pad"),
        (("devices", "--test"), "There is no pad to drive with"),
        (("devices", "--map"), "There is no gamepad to drive with: none is connected"),
        (("devices", "--map", "--pad", "keyboard"), "A layout is taught to SDL only"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(sdl, run, argv: tuple[str, ...], sentence: str) -> None:
    status, _, err = run(*argv)
    assert status == 2
    assert sentence in err
    assert err.count("\n") == 1


def test_settings_that_are_wrong_stop_the_command(home: Path, run) -> None:
    home.mkdir()
    (home / "pads.toml").write_text("[keyboard]\nramp = 3", encoding="utf-8")
    status, _, err = run("devices", "--test")
    assert status == 2
    assert "ramp is true or false" in err


@linux_only
def test_linux_says_why_it_may_show_no_pad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "has no" in linux_hint(tmp_path / "input")
    (tmp_path / "by-id").mkdir()
    assert linux_hint(tmp_path) == ""
    (tmp_path / "event7").touch()
    (tmp_path / "by-id" / "usb-pad-event-joystick").symlink_to(tmp_path / "event7")
    monkeypatch.setattr("os.access", lambda *_: False)  # who runs the tests as root may read everything
    assert linux_hint(tmp_path).startswith("You may not read event7 in")
