"""What cannot be recorded, or not be opened, is said in one sentence: what is wrong, where, what to do."""

import json
import re
import sys
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from kart_pipeline.games.controls import N64_SPEC
from recorder.live.chords import Hotkeys
from recorder.live.commands import Commands

GAME = ("--game", "mario_kart_64", "--rate", "10", "--max-steps", "5", "--height", "64", "--signals", "off")


def refused(run, *argv: str) -> str:
    """The sentence, without a line's end."""
    status, _, err = run(*argv)
    assert status == 2
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return str(err.strip())


@pytest.mark.parametrize("way", ["sdl", "inputs", "sdl:xbox"])
def test_no_pad(desktop: str, run, store: Store, way: str) -> None:
    assert re.match(r"There is no gamepad to drive with: none .+\. .+", refused(run, *capture("--pad", way)))
    assert store.ids() == store.unfinished() == []


def capture(*argv: str) -> tuple[str, ...]:
    return ("capture", "--monitor", "1", *GAME, *argv)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "There is no screen here .* start this on a desktop, or start an X server"),
        ({"DISPLAY": ":7654"}, "The screen cannot be read .* Start this on a desktop that you see"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland lets no program .* Log in to an X11 session"),
    ],
)
def test_no_screen(run, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], sentence: str) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert re.match(sentence, refused(run, *capture()))


@pytest.mark.parametrize("below", ["", "sessions"])
def test_a_store_that_cannot_be_written(desktop: str, run, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("no folder")
    status, _, err = run(*capture("--pad", "keyboard", "--store", str(tmp_path / "file" / below)))
    sentence = err.splitlines()[-1]
    assert status == 2
    assert str(tmp_path / "file") in sentence
    assert re.search("name a folder", sentence)
    assert "Traceback" not in err


def test_a_session_that_another_recorder_makes(store: Store) -> None:
    header = SessionHeader(id="s1", game="kart", rate_hz=10, spec=N64_SPEC)
    store.create(header)
    with pytest.raises(KartError, match=r"^Session s1 already exists in .*; record under another id\.$"):
        store.create(header)


@pytest.fixture
def newer(desktop: str, run, store: Store) -> str:
    """A session of a release to come, beside one of ours."""
    for _ in range(2):
        assert run(*capture("--pad", "keyboard"))[0] == 0
    session_id = store.ids()[0]
    manifest = Path(store.url) / session_id / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    return session_id


def test_a_session_from_a_newer_format(newer: str, run, store: Store) -> None:
    sentence = f"Session {newer} has format 99, newer than this release reads (2); upgrade kart-pipeline."
    assert refused(run, "info", newer) == sentence
    assert refused(run, "list") == sentence
    status, out, _ = run("list", "--json")
    assert status == 2
    listed = json.loads(out)
    assert listed["unreadable"] == {newer: sentence}
    assert [item["id"] for item in listed["sessions"]] == [name for name in store.ids() if name != newer]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere keys are always heard")
def test_hotkeys_where_keys_cannot_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(KartError, match="Wayland lets no program hear the keys"):
        Hotkeys(Commands(), lambda _: None)


def test_a_table_of_commands_with_a_mistake(desktop: str, run, home: Path) -> None:
    home.mkdir()
    (home / "pads.toml").write_text("[commands]\npause = { pad = 'go' }\n")
    assert re.match(r".*pads\.toml: 'go' is no button of a pad", refused(run, *capture("--pad", "keyboard")))


def test_rumble_of_a_keyboard(desktop: str, run) -> None:
    sentence = refused(run, *capture("--pad", "keyboard", "--signals", "rumble"))
    assert sentence == "The keyboard cannot rumble; use --signals tone, bell or off."
