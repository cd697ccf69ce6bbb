"""From a picture on the screen to the keys, at 640x480 beside a game that draws at 60 Hz: how late is a command?"""

import sys
import tempfile
import time
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.moving_window import SIZE
from benchmarks.runtimes import packed
from benchmarks.screen import has_screen, moving_screen, windows_are_shown
from benchmarks.screen_drive import CONTRACT, FIRST, RATE_HZ, Driven, driven
from benchmarks.table import Row
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.learning.inference import Predict, predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.runtimes import RUNTIMES
from player.hush import quiet

STEPS = 600  # of each way, 20 s
PEER_STEPS = 200  # of the peer, which takes several periods for each
ROUNDS = 2  # in turn, so that a machine whose speed drifts treats all alike
AIM_MS = 16.7  # a frame of a game at 60 Hz
_WAY = f"the screen to the keys, {SIZE[0]}x{SIZE[1]}"


def run() -> list[Row]:
    """Drive a moving picture under Xvfb with PilotNet; nothing where there is no Xvfb."""
    if not has_screen():
        return []
    model = build_network("pilotnet", CONTRACT)
    ways = _ways(model)
    rows = _against_peer(model, ways)
    if (lite := ways.get(RUNTIMES["tflite"].title)) is not None:
        with moving_screen("1280x800"), windows_are_shown():  # with room for a window beside it
            rows += _beside(lite)
    return rows


def _against_peer(model: Any, ways: dict[str, Predict]) -> list[Row]:
    """Each way to run the network."""
    ours, theirs = {title: array("d") for title in ways}, array("d")
    with moving_screen():
        for _ in range(ROUNDS):
            for title, predict in ways.items():
                ours[title].extend(driven(predict, STEPS // ROUNDS).ms)
            theirs.extend(_donkey(model))
    rows = []
    for title, times in ours.items():
        for share in (50, 95, 99):
            mine, other = float(np.percentile(times, share)), float(np.percentile(theirs, share))
            peer = "donkeycar's way: read, model.predict, write"
            what = f"{_WAY}, {title}, p{share}"
            rows.append(Row(what, mine, "ms", peer, other, other / mine, f"<= {AIM_MS} ms", mine <= AIM_MS))
    return rows


def _beside(lite: Predict) -> list[Row]:
    """What the preview costs, and what a thread that looks ahead would bring."""
    sides: dict[str, dict[str, bool]] = {
        "bare": {},
        "preview": {"preview": True},
        "ahead": {"ahead": True},
        "fast": {"paced": False},
        "fast ahead": {"paced": False, "ahead": True},
    }
    drives: dict[str, list[Driven]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, how in sides.items():
            drives[name].append(driven(lite, STEPS // ROUNDS, **how))
    return beside_rows(f"{_WAY}, {RUNTIMES['tflite'].title}", drives)


def beside_rows(what: str, drives: dict[str, list[Driven]]) -> list[Row]:
    """The rows of drives that took turns.

    Args:
        what: is measured.
        drives: `bare`, with the `preview` and with a thread that looks `ahead`, at the game's rate; `fast` and `fast
            ahead` without a rate.
    """
    rows = []
    for share in (50, 99):
        bare, preview = (_percentile(drives[name], share) for name in ("bare", "preview"))
        title, aim = f"{what}, with the preview, p{share}", f"<= {AIM_MS} ms"
        rows.append(Row(title, preview, "ms", "without it", bare, bare / preview, aim, preview <= AIM_MS))
    for share in (50, 99):
        bare, ahead = (_percentile(drives[name], share) for name in ("bare", "ahead"))
        title = f"{what}, looking when asked, p{share}"
        rows.append(
            Row(
                title,
                bare,
                "ms",
                "the newest of a thread that looks all the time",
                ahead,
                ahead / bare,
                ">= 1",
                ahead >= bare,
            )
        )
    fast, ahead = (float(np.mean([drive.hz for drive in drives[name]])) for name in ("fast", "fast ahead"))
    title = f"{what}, looking when asked, as fast as it goes"
    rows.append(Row(title, fast, "steps/s", "one picture ahead, in a thread", ahead, fast / ahead, "", None))
    return rows


def _percentile(drives: list[Driven], share: int) -> float:
    return float(np.percentile([ms for drive in drives for ms in drive.ms], share))


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
            for step in range(-FIRST, PEER_STEPS // 2):
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
