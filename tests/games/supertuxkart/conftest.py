"""A small track, as files."""

from collections.abc import Callable
from pathlib import Path

import pytest

# A square road of 100 m a side, 10 m wide, driven from the south-west corner north, east, south and west.
QUADS = """<?xml version="1.0"?>
<quads>
  <height-testing min="-1" max="5"/>
  <quad p0="-5 0 0" p1="5 0 0" p2="5 0 95" p3="-5 0 105"/>
  <quad p0="0:3" p1="0:2" p2="95 0 95" p3="105 0 105"/>
  <quad p0="1:3" p1="1:2" p2="95 0 5" p3="105 0 -5"/>
  <quad p0="2:3" p1="2:2" p2="0:1" p3="0:0"/>
</quads>
"""
GRAPH = """<?xml version="1.0"?>
<graph>
  <node-list from-quad="0" to-quad="3"/>
  <edge-loop from="0" to="3"/>
</graph>
"""


def make_track(folder: Path, **files: str) -> Path:
    """A track's folder; files by their names without `.xml` replace the usual ones."""
    folder.mkdir(parents=True)
    usual = {"quads": QUADS, "graph": GRAPH, "track": '<track name="Square" groups="standard"/>'}
    for name, text in {**usual, **files}.items():
        (folder / f"{name}.xml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(name="make_track")
def _make_track() -> Callable[..., Path]:
    return make_track


@pytest.fixture
def square(tmp_path: Path) -> Path:
    return make_track(tmp_path / "square")


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Tells whether no process of a number runs; one that is dead and waited for by nobody counts as gone."""

    def is_gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    return is_gone
