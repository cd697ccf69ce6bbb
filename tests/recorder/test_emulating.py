"""A person plays in BizHawk: frames, hands and memory of the same moment become a session."""

import io
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.store import Store
from recorder.emulating import STATE, EmulatorPlan, capture_emulator
from recorder.stores import Stores
from tests.bizhawk.worlds import Counter


def record(home, game, port, **how):
    plan = EmulatorPlan("bizhawk", {"game": game, "port": port}, range(1), codec="png", **how)
    status = capture_emulator(plan, Stores.open())
    store = Store(str(home / "sessions"))
    (name,) = store.ids()
    return status, store, store.manifest(name)


class Turning(Counter):
    """With every frame the person turns the stick by 8 more, once they have one."""

    person = None

    def step(self, held):
        super().step(held)
        if self.person is not None:
            self.person["P1 X Axis"] = self.frames * 8 % 80


def test_every_frame_has_the_hands_of_that_very_frame(beside, port, counted, home):
    emulated = beside(Turning, fps=120)

    def play():
        while emulated.emulator is None:
            time.sleep(0.001)
        emulated.emulator.world.person = emulated.emulator.joypad.person

    threading.Thread(target=play, daemon=True).start()
    status, store, manifest = record(home, counted, port, max_steps=40)
    assert (status, manifest.game, manifest.steps, manifest.rate_hz) == (0, "counted", 40, 30.0)
    assert manifest.driver["device"] == "emulator"
    assert manifest.source["emulator"]["way"] == "by hand"
    rows = store.open(manifest.id).table(["frame", "steer", "label_steer", "actor", "t_ns"]).to_pylist()
    assert {row["actor"] for row in rows} == {"human"}
    assert all(row["steer"] == row["label_steer"] for row in rows)
    first = next(place for place, row in enumerate(rows) if row["steer"])
    for row in rows[first + 1 :]:
        frame, shown, _ = np.asarray(Image.open(io.BytesIO(row["frame"]["bytes"])))[0, 0].astype(int)
        assert row["t_ns"] == round(frame * 1e9 / 60)
        assert round(80 * row["steer"]) == frame * 8 % 80
        assert shown - 128 == (frame - 1) * 8 % 80  # what the frame before had


def test_where_it_began_is_beside_it_as_a_save_state(beside, port, counted, home):
    beside(Counter, fps=120)
    _, _, manifest = record(home, counted, port, max_steps=40)
    assert (home / "sessions" / manifest.id / STATE).is_file()


def test_the_next_race_is_waited_for_and_is_a_session_of_its_own(beside, port, counted, home, capsys):
    emulated = beside(Counter, fps=120)

    def play():
        while emulated.emulator is None:
            time.sleep(0.001)
        emulated.emulator.joypad.person["P1 A"] = True
        while "Waiting for you" not in "".join(said):
            said.append(capsys.readouterr().err)
            time.sleep(0.01)
        while emulated.emulator.world.way >= 100:  # a frame may be under way
            emulated.emulator.world.way = 0.0  # as the game does at the start

    said = []
    threading.Thread(target=play, daemon=True).start()
    plan = EmulatorPlan("bizhawk", {"game": counted, "port": port}, range(2))
    assert capture_emulator(plan, Stores.open()) == 0
    store = Store(str(home / "sessions"))
    kept = {store.manifest(name).source["seed"]: store.manifest(name).ended for name in store.ids()}
    assert kept == {0: "finished", 1: "finished"}


def test_what_was_recorded_stays_when_bizhawk_is_killed(emuhawk, counted, home, monkeypatch):
    monkeypatch.setenv("FPS", "120")
    killer = threading.Timer(0.0, lambda: (_recording(home), time.sleep(1.5), emuhawk.kill()))
    killer.start()
    program, rom = emuhawk.launch
    plan = EmulatorPlan("bizhawk", {"game": counted, "port": 0, "emuhawk": program, "rom": rom}, range(1))
    assert capture_emulator(plan, Stores.open()) == 0
    killer.join()
    store = Store(str(home / "sessions"))
    (name,) = store.ids()
    manifest = store.manifest(name)
    assert manifest.ended == "link lost"
    assert manifest.steps > 10  # how many more depends on what else the machine does


@pytest.mark.e2e
def test_a_killed_recorder_leaves_its_recording_and_the_game_to_the_person(emuhawk, counted, home, soon):
    words = ["capture", "--game", "bizhawk", "--option", f"game={counted}", "--launch", *emuhawk.launch]
    recorder = subprocess.Popen(
        [sys.executable, "-m", "recorder", *words],
        env={**os.environ, "FPS": "60", "PERSON": '{"P1 A": true}'},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _recording(home)
        began = time.monotonic()
        time.sleep(2.5)
        passed = time.monotonic() - began
    finally:
        os.kill(recorder.pid, signal.SIGKILL)
        recorder.wait()
    soon(lambda: "the pad is yours" in (home / "bizhawk.log").read_text())
    subprocess.run([sys.executable, "-m", "recorder", "repair", "--all"], check=True, capture_output=True)
    store = Store(str(home / "sessions"))
    (name,) = store.ids()
    assert store.manifest(name).duration_s > 0.2 * passed  # the game, too, is slower on a busy machine


def _recording(home):
    """Wait until something is recorded."""
    end = time.monotonic() + 30  # a busy machine needs its time to start two programs
    while not [*home.glob("sessions/*/recording.arrows")]:
        assert time.monotonic() < end
        time.sleep(0.02)
