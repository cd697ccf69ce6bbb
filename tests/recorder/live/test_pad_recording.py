"""A whole recording that is commanded from the pad alone."""

import threading
import time
from pathlib import Path

import pytest

from kart_pipeline.core.store import Store
from recorder.stores import Stores

pytestmark = pytest.mark.e2e

A, BACK, START, UP, DOWN = 0, 4, 6, 11, 12  # buttons of SDL's virtual pad


class Player(threading.Thread):
    """Presses buttons of the virtual pad when the recording has come so far."""

    def __init__(self, pad, store: Store) -> None:
        super().__init__(daemon=True)
        self._pad = pad
        self._stores = Stores(store, store, Path(store.url))

    def run(self) -> None:
        while not self._stores.local.unfinished():
            time.sleep(0.05)
        time.sleep(1.0)
        self._press(BACK, UP)
        self._press(BACK, START)
        time.sleep(1.0)
        self._press(BACK, START)
        self._press(A)
        time.sleep(1.5)
        self._press(BACK, DOWN)

    def _press(self, *buttons: int) -> None:
        for button in buttons:
            self._pad.button(button, True)
        time.sleep(0.7)
        for button in buttons:
            self._pad.button(button, False)
        time.sleep(0.1)


def test_lap_pause_and_end_are_at_the_thumbs(make_window, virtual, run, store: Store) -> None:
    make_window()
    player = Player(virtual, store)
    player.start()
    game = ("--game", "mario_kart_64", "--pad", "sdl", "--rate", "20", "--height", "64", "--signals", "off")
    status, out, err = run("capture", "--window", "racing", *game)
    player.join(60)
    assert status == 0, err
    assert "on the pad, held for 0.4 s" in err
    assert "back + start" in err
    for line in ("Lap 1.", "Paused.", "Recording goes on.", "Ending."):
        assert line in err
    (session_id,) = store.ids()
    assert session_id in out
    manifest = store.manifest(session_id)
    assert manifest.ended == "stopped"
    marks = manifest.notes["marks"]
    assert (len(marks["laps"]), len(marks["pauses"])) == (1, 1)
    assert any(store.open(session_id).table(["label_A"])["label_A"].to_pylist())
