"""What the game's log tells of the kart."""

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.games.supertuxkart.telemetry import Telemetry, parse_line

LINE = "\x1b[0m[info   ] Script: kart 16.8101 -13.8664 -50.699 0.0132471 0.0811985 0.000167708"


def test_a_line_tells_place_and_speed_at_the_time_it_came() -> None:
    kart = parse_line("[info   ] Script: kart 1 -2.5 3e+02 3 -1e-05 4", 77)
    assert kart is not None
    assert kart.t_ns == 77
    assert kart.position.tolist() == [1, -2.5, 300]
    assert kart.velocity.tolist() == [3, -1e-05, 4]
    assert kart.speed == 5.0


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[info   ] Track: Overall scene complexity estimated at 156",
        "Script: kart 1 2 3 4 5",
        "Script: kart 1 2 3 4 5 6 7",
        "Script: kart 1 2 3 4 5 nan",
        "Script: tart 1 2 3 4 5 6",
    ],
)
def test_whatever_else_the_game_says_is_no_kart(line: str) -> None:
    assert parse_line(line, 0) is None


@given(st.text())
def test_no_line_breaks_the_reader(text: str) -> None:
    parse_line(text, 0)


def test_the_reader_keeps_the_latest_kart_and_the_games_last_other_words() -> None:
    out, into = os.pipe()
    times = iter(range(100, 1000))
    telemetry = Telemetry(os.fdopen(out, "rb"), clock=lambda: next(times))
    assert telemetry.latest is None
    with os.fdopen(into, "wb") as log:
        log.write(b"hello\n\xff\xfe broken\n")
        log.write(f"{LINE}\n".encode())
        log.write(b"[verbose  ] fps: time 7.175000 distance 75.025291 dt 0.016000 fps 62.500000\n")
        log.write(b"[info   ] Script: kart 2 0 0 0 0 0\n")
        log.write(b"Script: kart 3 0 0 0 0")  # cut off by the game's death
    assert telemetry.wait(5.0) is not None
    telemetry.close()
    assert telemetry.over
    assert telemetry.lines == 2
    assert telemetry.latest is not None
    assert telemetry.latest.position[0] == 2
    assert (telemetry.latest.t_ns, telemetry.latest.race_s) == (104, 7.175)
    assert telemetry.words[0] == "hello"


def test_a_game_that_ends_before_its_race_keeps_nobody_waiting() -> None:
    out, into = os.pipe()
    telemetry = Telemetry(os.fdopen(out, "rb"))
    threading.Timer(0.05, os.close, (into,)).start()
    assert telemetry.wait(60.0) is None
    telemetry.close()
