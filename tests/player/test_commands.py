"""Which of the player's commands a line means."""

import sys
from types import SimpleNamespace

import pytest

from kart_pipeline.core.errors import KartError
from player import cli


@pytest.fixture
def asked(monkeypatch) -> dict[str, list[str]]:
    """What each of two commands was asked."""
    found: dict[str, list[str]] = {}

    def stand_in(name: str) -> SimpleNamespace:
        def run(words: list[str]) -> int:
            found[name] = words
            if "--wrong" in words:
                raise KartError("That is wrong.")
            if "--interrupt" in words:
                raise KeyboardInterrupt
            return 7

        return SimpleNamespace(run=run)

    monkeypatch.setattr(cli, "COMMANDS", {"measure": "measures"})
    for name in ("measure", "drive"):
        monkeypatch.setitem(sys.modules, f"player.commands.{name}", stand_in(name))
    return found


def test_a_named_command_gets_the_rest_of_the_line(asked):
    assert cli.main(["measure", "--fast"]) == 7
    assert asked == {"measure": ["--fast"]}


@pytest.mark.parametrize("words", [["--model-uri", "measure"], ["drive", "--model-uri", "measure"]])
def test_without_a_command_or_by_its_name_a_model_drives(asked, words):
    assert cli.main(words) == 7
    assert asked == {"drive": ["--model-uri", "measure"]}


def test_a_command_that_is_none_is_answered_with_those_that_are(asked, capsys):
    assert cli.main(["mesure", "--fast"]) == 2
    sentence = "The player has no command 'mesure'; it has measure, and drives where none is named.\n"
    assert capsys.readouterr().err == sentence
    assert asked == {}


def test_a_mistake_in_any_command_is_one_sentence(asked, capsys):
    assert cli.main(["measure", "--wrong"]) == 2
    assert capsys.readouterr().err == "That is wrong.\n"


def test_an_interruption_of_any_command_has_the_status_of_one(asked):
    assert cli.main(["measure", "--interrupt"]) == 130
