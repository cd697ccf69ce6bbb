"""What each benchmark's command line says and refuses; nothing is measured here."""

import importlib
import os
import runpy
import sys

import pytest

from benchmarks import __main__ as bench
from benchmarks.recipe_list import RECIPES
from kart_pipeline.core.settings import Settings

BY_THEMSELVES = ("label_delay", "lap", "leak", "recipes", "score")


def said(module: str, *arguments: str, capsys, monkeypatch) -> tuple[int, str]:
    """Exit status and all that `python -m benchmarks.<module>` prints."""
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    for loaded in (module, f"{module}.__main__"):
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__", alter_sys=False)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out + captured.err


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KART_HOME", str(tmp_path / "home"))
    for name in ("SDL_VIDEODRIVER", "TF_CPP_MIN_LOG_LEVEL"):  # they set these, for their own process
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return lambda module, *arguments: said(module, *arguments, capsys=capsys, monkeypatch=monkeypatch)


@pytest.mark.parametrize("module", ["benchmarks", *(f"benchmarks.{name}" for name in BY_THEMSELVES)])
def test_each_explains_itself(module, say):
    status, text = say(module, "--help")
    assert status == 0
    assert f"usage: python -m {module}" in text


def test_every_benchmark_of_the_table_can_be_run():
    for name in bench.NAMES:
        assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_a_benchmark_that_does_not_exist_is_named(say):
    status, text = say("benchmarks", "flying")
    assert status == 2
    assert "no benchmark flying; there are startup, " in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("--sessions", "2"), "--sessions must be more than 2, not 2."), (("--simulated", "-1"), "must be at least 0")],
)
def test_too_few_sessions_are_no_many(arguments, sentence, say):
    status, text = say("benchmarks", "many", *arguments)
    assert status == 2
    assert sentence in text


def test_the_recipes_are_listed_with_what_each_changes(say):
    status, text = say("benchmarks.recipes", "--list")
    assert status == 0
    assert [line.split()[0] for line in text.splitlines()] == list(RECIPES)


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        ("recipes", ("fastest",), "There is no recipe fastest; see --list."),
        ("recipes", ("base",), "There are no sessions of car_racing in "),
        ("recipes", ("base", "--game", "chess"), "There are no sessions of chess in "),
        ("recipes", ("base", "--steps", "0"), "--steps must be at least 1, not 0."),
        ("score", ("--seeds", "0"), "--seeds must be at least 1, not 0."),
        ("score", ("--rounds", "-1"), "--rounds must be at least 0, not -1."),
        ("lap", ("nowhere",), "nowhere"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(module, arguments, sentence, say):
    status, text = say(f"benchmarks.{module}", *arguments)
    assert status == 2
    assert sentence in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [((), "There are no sessions in "), (("--network", "lstm"), "There is no network 'lstm'")],
)
def test_a_leak_needs_sessions_and_a_network(arguments, sentence, say, tmp_path):
    status, text = say("benchmarks.leak", str(tmp_path), *arguments)
    assert status == 2
    assert sentence in text


def test_results_that_cannot_be_read_are_not_overwritten(say, tmp_path):
    home = Settings.from_env().home
    home.mkdir()
    (home / "recipes.json").write_text("nonsense", encoding="utf-8")
    status, text = say("benchmarks.recipes", "base")
    assert status == 2
    assert "is damaged" in text
    assert (home / "recipes.json").read_text(encoding="utf-8") == "nonsense"
