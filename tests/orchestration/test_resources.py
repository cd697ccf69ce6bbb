"""Progress in the log of a run."""

import logging

import pytest

from kart_pipeline.orchestration.resources import LogProgress


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that 100 pieces of work give, one a second."""
    now = 0.0
    progress = LogProgress(logging.getLogger("progress"), now=lambda: now)
    with caplog.at_level(logging.INFO):
        for piece in range(1, 101):
            now += 1.0
            progress("Drives", piece, 100, "note" if piece == 100 else "")
    return caplog.messages


def test_one_line_in_ten_seconds_and_one_at_the_end(told):
    assert told[0] == "Drives: 10 of 100"
    assert len(told) == 10
    assert told[-1] == "Drives: 100 of 100 (note)"
