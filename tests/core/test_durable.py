"""Files that are whole or not there."""

import json
from pathlib import Path

import pytest

from kart_pipeline.core.durable import replace_file, write_json


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="half"), replace_file(path) as temporary:
        temporary.write_text("half")
        raise ValueError("half")
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_success_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data.json"
    write_json(path, 1)
    write_json(path, 2)
    assert json.loads(path.read_text()) == 2
