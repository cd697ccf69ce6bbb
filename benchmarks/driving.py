"""From a picture on the screen to the keys, at 640x480 beside a game that draws at 60 Hz: how late is a command?"""

import sys
import tempfile
import time
from array import array
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.moving_window import SIZE, TITLE
from benchmarks.runtimes import packed
from benchmarks.screen import has_screen, moving_screen
from benchmarks.table import Row
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.desktop.controllers.choose import ControllerChoice
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.source import Where
from kart_pipeline.driving.loop import drive
from kart_pipeline.learning.inference import Predict, predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.runtimes import RUNTIMES
from player.hush import quiet
from player.live.parts import assemble
from player.live.seat import take_seat
from player.live.wishes import Wishes
from player.policy import Policy
from player.stages import LATENCY, Stages
from recorder.devices.choose import PadChoice
from recorder.devices.settings import PadSettings

RATE_HZ = 30.0
SECONDS = 20
PEER_STEPS = 200  # of the peer, which takes several periods for each
_FIRST = 3  # steps that do not count: the first look and the first answer take long
AIM_MS = 16.7  # a frame of a game at 60 Hz
CONTRACT = Contract(ActionSpec(("steer", "throttle"), mirrored_axes=("steer",)), RATE_HZ)
WISHES = Wishes(where=Where(window=TITLE), controller=ControllerChoice("keyboard"), pad=PadChoice("keyboard"))


def run() -> list[Row]:
    """Drive a moving picture under Xvfb with PilotNet; nothing where there is no Xvfb."""
    if not has_screen():
        return []
    with moving_screen():
        model = build_network("pilotnet", CONTRACT)
        ways = _ways(model)
        ours, theirs = {title: array("d") for title in ways}, array("d")
        for _ in range(2):  # in turn, so that a machine whose speed drifts treats all alike
            for title, predict in ways.items():
                ours[title].extend(_ours(predict))
            theirs.extend(_donkey(model))
    rows = []
    for title, times in ours.items():
        for share in (50, 95, 99):
            mine, other = float(np.percentile(times, share)), float(np.percentile(theirs, share))
            what = f"the screen to the keys, {SIZE[0]}x{SIZE[1]}, {title}, p{share}"
            peer = "donkeycar's way: read, model.predict, write"
            rows.append(Row(what, mine, "ms", peer, other, other / mine, f"<= {AIM_MS} ms", mine <= AIM_MS))
    return rows


def _ways(model: Any) -> dict[str, Predict]:
    """The graph that is there without any choice, and LiteRT, which `player bench` finds where it is installed."""
    ways = {RUNTIMES["keras"].title: predictor(model, CONTRACT)}
    lite = RUNTIMES["tflite"]
    if absent := lite.absent():
        sys.stderr.write(f"{absent}\n")
        return ways
    with tempfile.TemporaryDirectory() as name, quiet():
        folder = Path(name)
        ways[lite.title] = lite.open(packed(model, CONTRACT, folder), folder / "kept")
    return ways


def _ours(predict: Predict) -> list[float]:
    """The player's own loop with all that is in it: guard, takeover, watchdog."""
    stages = Stages()
    with ExitStack() as stack:
        seat = take_seat("moving", CONTRACT, SIZE[1], WISHES, PadSettings(Path()), lambda _: None, stack)
        policy = Policy("pilotnet", CONTRACT, predict, stages)
        parts = assemble(seat, policy, WISHES, stages, lambda _: None)
        drive(seat.game, parts.driver, observers=[parts.cockpit], max_steps=round(SECONDS / 2 * RATE_HZ))
    return [ns / 1e6 for ns in stages.measured(LATENCY)[_FIRST:]]


def _donkey(model: Any) -> list[float]:
    """What donkeycar's vehicle does in a loop: its parts one after the other, Keras asked by `predict`."""
    import mss
    from PIL import Image

    from kart_pipeline.desktop.controllers.key_senders import open_sender
    from kart_pipeline.desktop.controllers.keyboard import Keyboard

    keys = KeyLayout()
    keyboard = Keyboard(keys, open_sender(keys))
    times = []
    try:
        with mss.MSS() as camera:
            for step in range(-_FIRST, PEER_STEPS // 2):
                began = time.perf_counter()
                shot = camera.grab({"left": 0, "top": 0, "width": SIZE[0], "height": SIZE[1]})
                picture = Image.frombuffer("RGB", shot.size, shot.bgra, "raw", "BGRX", 0, 1)
                seen = np.asarray(picture.resize((CONTRACT.width, CONTRACT.height)))
                steer, throttle = (float(head[0, 0]) for head in model.predict(seen[None], verbose=0).values())
                keyboard.apply(PadState({"left_x": max(-1.0, min(1.0, steer)), "right_trigger": float(throttle > 0)}))
                if step >= 0:
                    times.append(1e3 * (time.perf_counter() - began))
                time.sleep(max(0.0, 1 / RATE_HZ - (time.perf_counter() - began)))
    finally:
        keyboard.close()
    return times
