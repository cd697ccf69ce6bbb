"""`pads.toml`: what a person sets of pads and keys, and what is said about mistakes in it."""

from pathlib import Path

import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.pad import PadState
from recorder.devices.settings import FILE, PadSettings

KART = ActionSpec(axes=("steer", "pitch"), buttons=("A", "B", "RB"), mirrored_axes=("steer",))


def load(tmp_path: Path, text: str) -> PadSettings:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    return PadSettings.load(tmp_path)


def test_without_the_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = PadSettings.load(tmp_path)
    assert settings.mapping("kart", KART).action(PadState({"left_x": 1.0})) == KART.action(steer=1.0)
    assert settings.keys.keys["a"] == "x"


def test_a_game_is_mapped_as_the_file_says_and_the_rest_by_default(tmp_path: Path) -> None:
    text = """
        [games.kart]
        steer = { from = "-right_x", dead_zone = 0.5, curve = 2 }
        RB = ["rb", "right_trigger"]
    """
    mapping = load(tmp_path, text).mapping("kart", KART)
    state = PadState({"right_x": -0.75, "left_y": -1.0, "right_trigger": 0.6}, frozenset({"a"}))
    assert mapping.action(state) == KART.action(steer=0.25, pitch=-1.0, A=True, RB=True)
    assert mapping.about == {
        "mapping": {"steer": "-right_x", "pitch": "left_y", "A": "a", "B": "b", "RB": "rb or right_trigger"},
        "dead_zone": {"steer": 0.5, "pitch": 0.06},
        "curve": {"steer": 2},
    }


def test_what_a_virtual_pad_does_in_a_game_is_set_beside_it(tmp_path: Path) -> None:
    text = """
        [games.kart]
        steer = { from = "left_x", dead_zone = 0.5 }
        [output.kart]
        steer = { dead_zone = 0.2, reach = 0.6, inverted = true }
    """
    mapping = load(tmp_path, text).mapping("kart", KART)
    assert mapping.state(KART.action(steer=0.5)).value("left_x") == pytest.approx(-0.4)
    assert mapping.action(PadState({"left_x": 0.75})) == KART.action(steer=0.5), "the person's pad is as it was"
    assert load(tmp_path, text).mapping("other", KART).output == {}


def test_a_game_with_more_buttons_than_a_pad_can_be_mapped_by_hand(tmp_path: Path) -> None:
    spec = ActionSpec(axes=("steer",), buttons=tuple(f"b{i}" for i in range(9)))
    mapping = load(tmp_path, '[games.kart]\nb0 = "right_trigger"').mapping("kart", spec)
    assert mapping.action(PadState({"right_trigger": 1.0})) == spec.action(b0=True)


def test_keys_can_be_others_and_a_key_does_one_thing(tmp_path: Path) -> None:
    text = '[keyboard]\nramp = false\nkeys = { left = "a", right = "d", a = "left shift", b = "x" }'
    keys = load(tmp_path, text).keys
    assert (keys.ramp, keys.keys["left"], keys.keys["a"], keys.keys["up"]) == (False, "a", "left shift", "up")
    assert [control for control, key in keys.keys.items() if key == "x"] == ["b"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("games = ", "is no TOML"),
        ("[pads]", "the file has no pads; it has games, output, keyboard, commands"),
        ("games = 3", "games must be a section"),
        ("[games]\nkart = 3", "games.kart must be a section"),
        ("[keyboard]\nspeed = 3", "the keyboard has no speed"),
        ("[keyboard]\nramp = 1", "ramp is true or false, not 1"),
        ('[keyboard]\nkeys = { a = "hyper" }', "'hyper' is no key"),
        ('[keyboard]\nkeys = "x"', "keys must be a section"),
        ('[games.kart]\nyaw = "left_x"', r"section \[games.kart\]: the game has no yaw; it has steer, pitch, A, B, RB"),
        ('[games.kart]\nsteer = "wheel"', "'wheel' is no control of a pad"),
        ("[games.kart]\nsteer = { dead_zone = 0.1 }", "None is no control of a pad"),
        ('[games.kart]\nsteer = { from = "left_x", zone = 1 }', "an axis has no zone; it has from, dead_zone, curve"),
        ('[games.kart]\nsteer = { from = "left_x", curve = true }', "curve is a number, not True"),
        ('[games.kart]\nsteer = { from = "left_x", dead_zone = 2 }', "A dead zone is at least 0 and below 1"),
        ("[games.kart]\nA = []", "a button needs at least one control"),
        ("[games.kart]\nA = [1]", "1 is no control of a pad"),
        ("[output]\nkart = 3", "output.kart must be a section"),
        ("[output.kart]\nA = {}", r"section \[output.kart\]: the game has no axis A; it has steer, pitch"),
        ("[output.kart]\nsteer = 1", "an output is a table with some of dead_zone, curve, inverted, reach, not 1"),
        ("[output.kart]\nsteer = { zone = 1 }", "an output has no zone; it has dead_zone, curve, inverted, reach"),
        ("[output.kart]\nsteer = { reach = 2 }", "The reach is above the dead zone .* and at most 1, not 2"),
        ("[output.kart]\nsteer = { inverted = 1 }", "inverted is true or false, not 1"),
        ('[output.kart]\nsteer = { curve = "2" }', "curve is a number, not '2'"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence_that_names_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(KartError, match=sentence) as error:
        load(tmp_path, text).mapping("kart", KART)
    assert str(tmp_path / FILE) in str(error.value)
    assert "\n" not in str(error.value)
