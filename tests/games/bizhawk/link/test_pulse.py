"""Whoever thinks for long is not taken for lost; whoever hangs is."""

import threading
import time

from kart_pipeline.games.bizhawk.link.pulse import Pulse


def test_it_beats_where_nobody_takes_a_turn(soon):
    beats = []
    pulse = Pulse(lambda: beats.append(time.monotonic()), every_s=0.05)
    soon(lambda: len(beats) >= 3)
    pulse.stop()
    assert beats[1] - beats[0] >= 0.05


def test_turns_make_it_needless():
    beats = []
    pulse = Pulse(lambda: beats.append(0), every_s=0.5)
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        pulse.turn()
        time.sleep(0.01)
    pulse.stop()
    assert beats == []


def test_it_falls_silent_where_whoever_thinks_seems_to_hang():
    beats = []
    pulse = Pulse(lambda: beats.append(0), every_s=0.02, most_s=0.2)
    time.sleep(0.5)
    count = len(beats)
    time.sleep(0.2)
    pulse.stop()
    assert 0 < count == len(beats)


def test_it_ends_with_the_link(soon):
    def gone():
        raise ConnectionError

    before = threading.active_count()
    Pulse(gone, every_s=0.01)
    soon(lambda: threading.active_count() <= before)
