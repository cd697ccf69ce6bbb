"""The command line of the rounds: what it asks for, and what it refuses."""

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.correct.__main__ import _parser, _wishes, main


def wishes(*arguments: str):
    return _wishes(_parser().parse_args(arguments))


def test_without_a_word_it_does_three_rounds_of_car_racing():
    asked = wishes()
    assert (asked.game, asked.rounds, asked.episodes, asked.drives, asked.seeds) == ("car_racing", 3, 12, 6, 20)
    assert asked.hyper.max_minutes == 5
    assert asked.training_set == {}


def test_settings_of_training_and_training_set_can_be_named():
    asked = wishes(
        "--set", "network=pilotnet", "--set", "epochs=3", "--set", "balance=none", "--correction-weight", "2"
    )
    assert (asked.hyper.network, asked.hyper.epochs) == ("pilotnet", 3)
    assert asked.training_set == {"balance": "none", "correction_weight": 2.0}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--rounds", "-1"), "--rounds must be at least 0, not -1."),
        (("--episodes", "1"), "--episodes must be at least 2"),
        (("--recovery", "-1"), "--recovery must be at least 0, not -1."),
        (("--drives", "0"), "--drives must be at least 1"),
        (("--max-steps", "0"), "--max-steps must be at least 1"),
        (("--noise", "2"), "--noise is a number from 0 to 1, not 2.0."),
        (("--minutes", "nan"), "max_minutes is a number from"),
        (("--seconds-off-track", "0"), "--seconds-off-track must be above 0"),
        (("--set", "epochs"), "--set takes NAME=VALUE"),
        (("--set", "epoch=3"), "--set knows no 'epoch'; it knows: axis_"),
        (("--set", "epochs=many"), "epochs is a whole number"),
        (("--set", "network=lstm"), "There is no network 'lstm'; choose one of pilotnet, "),
        (("--set", "val_fraction=much"), "val_fraction is not 'much': input should be a valid number"),
        (("--set", "val_fraction=1"), "above 0 and below 1, not 1.0"),
        (("--set", "balance=3"), "balance is not 3: input should be a valid string"),
        (("--set", "balance=even"), "Balance is one of none, histogram, places, both, not 'even'."),
        (("--set", "hold_out=lap"), "What is held out is one of group, session, track, frame, not 'lap'."),
        (("--set", "hold_out=frame"), "known from their neighbours"),
        (("--correction-weight", "0"), "above 0 and at most 100, not 0.0"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("KART_HOME", str(tmp_path / "home"))
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert not (tmp_path / "home").exists()


def test_rounds_in_bizhawk_are_those_of_the_game_that_can_be_launched(home):
    with pytest.raises(KartError, match="say with `launch`"):
        _wishes(_parser().parse_args(["--game", "bizhawk"]))
    home.mkdir()
    (home / "bizhawk.toml").write_text('[super_mario_kart.launch]\nemuhawk = "EmuHawk"\nrom = "smk.sfc"\n')
    assert _wishes(_parser().parse_args(["--game", "bizhawk"])).game == "super_mario_kart"


def test_a_journal_of_something_else_is_refused(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("KART_HOME", str(tmp_path))
    (tmp_path / "rounds.json").write_text("nonsense", encoding="utf-8")
    assert main([]) == 2
    assert "is damaged" in capsys.readouterr().err
