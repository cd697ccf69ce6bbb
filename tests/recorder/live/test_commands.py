"""The table of commands: what gives which, and what is said of a table that makes no sense."""

import tomllib

import pytest

from kart_pipeline.core.errors import KartError
from recorder.live.commands import DEFAULTS, Command, Commands


def parse(text: str) -> Commands:
    return Commands.parse(tomllib.loads(text))


def test_without_settings_every_command_can_be_given_in_every_way() -> None:
    commands = parse("")
    assert commands == Commands()
    assert set(commands.bindings) == set(commands.deeds()) == set(Command)
    assert all(item.pad and item.keys and item.terminal for item in commands.bindings.values())


def test_a_command_is_given_as_the_file_says_and_otherwise_by_default() -> None:
    commands = parse("""
        hold_s = 1
        drop_s = 10
        pause = { pad = "lb+ rb ", keys = "right shift + f9", terminal = "p" }
        lap = { pad = "", terminal = "space" }
        drop = {}
    """)
    assert (commands.hold_s, commands.drop_s) == (1.0, 10.0)
    pause, lap = commands.bindings[Command.PAUSE], commands.bindings[Command.LAP]
    assert (pause.pad, pause.keys, pause.terminal) == ({"lb", "rb"}, {"right shift", "f9"}, "p")
    assert (lap.pad, lap.keys, lap.terminal) == (frozenset(), DEFAULTS[Command.LAP].keys, " ")
    assert commands.bindings[Command.DROP] == DEFAULTS[Command.DROP]


def test_the_help_names_deeds_and_what_gives_them() -> None:
    rows = [*parse("drop_s = 8\nlap = { pad = '' }").help(["pad", "keys", "terminal"])]
    assert rows == [
        ("pause, go on", "back + start", "left ctrl + left alt + p", "space"),
        ("mark a lap", "", "left ctrl + left alt + l", "l"),
        ("drop the last 8 s", "back + dpad_left", "left ctrl + left alt + d", "d"),
        ("end", "back + dpad_down", "left ctrl + left alt + s", "s"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("jump = {}", "no command jump; there are pause, lap, drop, stop, hold_s, drop_s"),
        ("pause = 'p'", "pause is written as { pad ="),
        ("pause = { pad = 3 }", "pause is written as { pad ="),
        ("pause = { mouse = 'left' }", "by pad, keys or terminal, not by mouse"),
        ("pause = { pad = 'back + go' }", "'go' is no button of a pad"),
        ("pause = { keys = 'hyper' }", "'hyper' is no key"),
        ("pause = { terminal = 'pp' }", "'pp' is no single character, nor space"),
        ("pause = { terminal = 's' }", "pause and stop are both s"),
        ("lap = { pad = 'start + back' }", "pause and lap are both back [+] start"),
        ("hold_s = -1", "hold_s is a number of seconds from 0 to 600, not -1"),
        ("drop_s = true", "drop_s is a number of seconds from 0.1 to 600, not True"),
    ],
)
def test_a_table_that_makes_no_sense_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(KartError, match=sentence):
        parse(text)
