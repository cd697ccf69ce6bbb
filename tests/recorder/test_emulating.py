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


def test_every_frame_has_the_hands_of_that_very_frame(beside, port, counted, home):
    emulated = beside(Counter)

    def play():
        while emulated.emulator is None:
            time.sleep(0.001)
        person = emulated.emulator.joypad.person
        while emulated.failure is None and not emulated._end.is_set():
            person["P1 X Axis"] = (person["P1 X Axis"] + 8) % 80
            person["P1 A"] = True
            time.sleep(0.003)

    threading.Thread(target=play, daemon=True).start()
    status, store, manifest = record(home, counted, port, max_steps=40)
    assert (status, manifest.game, manifest.steps, manifest.rate_hz) == (0, "counted", 40, 30.0)
    assert manifest.driver["device"] == "emulator"
    assert manifest.source["emulator"]["way"] == "by hand"
    rows = (
        store.open(manifest.id).table(["frame", "steer", "A", "label_steer", "state_way", "actor", "t_ns"]).to_pylist()
    )
    shown = [np.asarray(Image.open(io.BytesIO(row["frame"]["bytes"])))[0, 0] for row in rows]
    assert np.unique(np.diff([int(pixel[0]) for pixel in shown]) % 256).tolist() == [2]
    assert {row["actor"] for row in rows} == {"human"}
    assert all(row["steer"] == row["label_steer"] for row in rows)
    assert [row["state_way"] for row in rows] == sorted(row["state_way"] for row in rows)
    # The picture shows what was held in the last of the frames before it, so within 8 of what is held now.
    off = [abs(80 * row["steer"] - (int(pixel[1]) - 128)) for row, pixel in zip(rows, shown, strict=True)]
    assert np.median(off) <= 16


def test_where_it_began_is_beside_it_as_a_save_state(beside, port, counted, home):
    beside(Counter)
    _, _, manifest = record(home, counted, port, max_steps=40)
    assert (home / "sessions" / manifest.id / STATE).is_file()


def test_the_next_race_is_waited_for_and_is_a_session_of_its_own(beside, port, counted, home, capsys):
    emulated = beside(Counter)

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
    assert manifest.duration_s > 1.5


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
    assert store.manifest(name).duration_s > 0.5 * passed


def _recording(home):
    """Wait until something is recorded."""
    end = time.monotonic() + 30  # a busy machine needs its time to start two programs
    while not [*home.glob("sessions/*/recording.arrows")]:
        assert time.monotonic() < end
        time.sleep(0.02)
