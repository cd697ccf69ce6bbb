"""What was measured is kept by game and size, goes with later sessions, and is told of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import SessionHeader
from recorder.delay.kept import FILE, NOTE, KeptDelay, delay_line, keep_delay, kept_delay, with_delay

DELAY = KeptDelay(48.5, 9.0, 11, 12, 8.3, "the program, key x", "2026-11-26T10:00:00+00:00")


def header(game: str = "kart", width: int = 640, height: int = 480) -> SessionHeader:
    source = {"kind": "screen", "seen": {"width": width, "height": height}}
    return SessionHeader(id="s1", game=game, rate_hz=30, spec=ActionSpec(("steer",)), source=source)


def test_a_delay_belongs_to_a_game_and_a_size(tmp_path: Path) -> None:
    assert kept_delay(tmp_path, "kart", "640x480") is None
    keep_delay(tmp_path, "kart", "640x480", replace(DELAY, delay_ms=99.0))
    keep_delay(tmp_path, "kart", "640x480", DELAY)
    keep_delay(tmp_path, "kart", "1280x960", replace(DELAY, delay_ms=80.0))
    assert kept_delay(tmp_path, "kart", "640x480") == DELAY
    assert kept_delay(tmp_path, "other", "640x480") is None


def test_a_session_of_that_game_and_size_carries_it_with_how_it_was_measured(tmp_path: Path) -> None:
    keep_delay(tmp_path, "kart", "640x480", DELAY)
    found = with_delay(header(), tmp_path)
    assert found.delay_ms == 48.5
    assert found.notes[NOTE]["pressed_by"] == "the program, key x"
    assert found.notes[NOTE]["measured_at"] == DELAY.measured_at
    assert SessionHeader.from_dict(found.to_dict()) == found
    assert delay_line(found) == (
        "48.5 ms from a press to its first pixel, spread 9 ms, 11 presses by the program, key x, "
        "2026-11-26T10:00:00+00:00"
    )
    for other in (header("other"), header(width=320)):
        assert with_delay(other, tmp_path) == other
        assert delay_line(other) == ""


def test_a_delay_without_its_history_is_told_alone() -> None:
    assert delay_line(replace(header(), delay_ms=50)) == "50 ms from a press to its first pixel"


@pytest.mark.parametrize("text", ["{", "[]", '{"kart": 3}', '{"kart": {"640x480": {"delay_ms": "soon"}}}', "\xff"])
def test_a_damaged_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    with pytest.raises(KartError, match=r"delays\.json is damaged .*; delete it and run"):
        kept_delay(tmp_path, "kart", "640x480")


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf")])
def test_a_delay_that_is_none_is_no_header(delay: float) -> None:
    with pytest.raises(KartError, match=r"a delay of .* ms; it is 0 or more"):
        replace(header(), delay_ms=delay)
