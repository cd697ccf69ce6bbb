"""Tables and links in metadata."""

import pytest

from kart_pipeline.orchestration import tables


def test_a_table_is_markdown_whose_cells_cannot_break_it():
    assert tables.table(("a", "b"), [("1|2", "3")]).value == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |"


def test_a_long_table_says_how_many_rows_it_leaves_out():
    lines = tables.table(("n",), [(str(number),) for number in range(60)]).value.splitlines()
    assert lines[-1] == "… and 10 more"
    assert "| 49 |" in lines
    assert "| 50 |" not in lines


def test_nothing_left_out_shows_no_table():
    assert tables.reasons({}) is None


def test_entries_without_a_value_are_not_shown_and_numbers_are_short():
    assert tables.present({"a": None, "b": 0, "c": 1 / 3, "d": ""}) == {"b": 0, "c": 0.3333, "d": ""}


@pytest.mark.parametrize(
    ("uri", "link", "command"),
    [
        ("sqlite:///home/mlflow.db", "(http://127.0.0.1:5000/#/experiments/1/runs/r)", "sqlite:///home/mlflow.db"),
        ("postgresql://me:secret@host/db", "(http://127.0.0.1:5000/#/", "postgresql://me:***@host/db"),
        ("http://me:secret@server:5000/", "(http://me:***@server:5000/#/experiments/1/runs/r)", ""),
    ],
)
def test_a_link_to_a_run_never_shows_a_password(uri, link, command):
    text = tables.mlflow_link(uri, "1", "r").value
    assert link in text
    assert command in text
    assert "secret" not in text
