"""What was measured, among what a person has written."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.response import Response
from player.calibration.keep import keep, line
from recorder.devices.settings import FILE, PadSettings

SPEC = ActionSpec(("steer", "throttle"))
FOUND = Response(dead_zone=0.12, curve=0.8, reach=0.9)


def test_without_a_file_it_begins_one(tmp_path: Path) -> None:
    keep(tmp_path / "new", "kart", "steer", FOUND)
    assert PadSettings.load(tmp_path / "new").mapping("kart", SPEC).output == {"steer": FOUND}


def test_what_a_person_has_written_stays_as_it_is(tmp_path: Path) -> None:
    mine = '# mine\n[games.kart]\nsteer = "left_x"   # so\n\n'
    before = mine + "[output.kart]\nthrottle = { reach = 0.5 }\n\n[keyboard]\nramp = false\n"
    (tmp_path / FILE).write_text(before, encoding="utf-8")
    keep(tmp_path, "kart", "steer", Response())
    keep(tmp_path, "kart", "steer", FOUND)
    keep(tmp_path, "other", "steer", FOUND)
    after = (tmp_path / FILE).read_text(encoding="utf-8")
    assert [text for text in before.splitlines() if text not in after.splitlines()] == []
    settings = PadSettings.load(tmp_path)
    assert settings.mapping("kart", SPEC).output == {"steer": FOUND, "throttle": Response(reach=0.5)}
    assert settings.mapping("other", SPEC).output == {"steer": FOUND}
    assert not settings.keys.ramp


@given(st.builds(Response, st.floats(0, 0.4), st.floats(0.2, 5), st.booleans(), st.floats(0.5, 1)))
def test_the_line_that_is_shown_is_what_the_file_would_hold(response: Response) -> None:
    assert Response.parse(tomllib.loads(line("steer", response))["steer"]) == response


def test_a_file_that_is_no_toml_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("games = ", encoding="utf-8")
    with pytest.raises(KartError, match="could not be kept in"):
        keep(tmp_path, "kart", "steer", FOUND)
    assert (tmp_path / FILE).read_text(encoding="utf-8") == "games = "
