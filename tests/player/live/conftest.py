"""A toy game in a process of its own, and a model that can drive it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
import toy_road

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.settings import Settings
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.package import make_golden
from kart_pipeline.learning.tracking import LoggedDriver, log_driver, training_run

GAME = "toy_road"
SPEC = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))
CONTRACT = Contract(SPEC, rate_hz=20, width=32, height=24, colour="grey")


@pytest.fixture
def contract() -> Contract:
    """Of the model that drives the toy game."""
    return CONTRACT


class ToyRoad:
    """The game, running.

    Attributes:
        off: how far the road was from the car, pixels, tick by tick.
        held: which keys it saw held: some of L, R and U.
    """

    def __init__(self, display: str) -> None:
        environ = {name: value for name, value in os.environ.items() if name != "SDL_VIDEODRIVER"}
        self.process = subprocess.Popen(
            [sys.executable, toy_road.__file__],
            env=environ | {"DISPLAY": display},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.off: list[float] = []
        self.held: list[str] = []
        self._shown = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._shown.wait(20), "the toy game did not open"

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            off, _, held = line.rstrip("\n").partition(" ")
            self.off.append(float(off))
            self.held.append(held)
            if len(self.off) > 5:
                self._shown.set()

    @property
    def on_road(self) -> float:
        """Share of the ticks in which the car was on the road."""
        return float(np.mean(np.abs(self.off) < toy_road.ROAD / 2))

    def begin_anew(self) -> None:
        """Forget what was so far."""
        self.off.clear()
        self.held.clear()

    def tell(self, what: str) -> None:
        """Frozen, black, or go on."""
        assert self.process.stdin
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def toy(desktop: str, hands) -> Iterator[ToyRoad]:
    """The toy game, which has the focus."""
    game = ToyRoad(desktop)
    hands.mouse(100, 100)
    yield game
    game.close()


@dataclass(frozen=True)
class Racer:
    """A home with a model in it that drives the toy game."""

    settings: Settings
    driver: LoggedDriver
    folder: Path


def toy_network(contract: Contract = CONTRACT):
    """Steers by the centre of what is bright: one weight a column, which needs no training; full throttle always."""
    import keras

    height, width, _ = contract.input_shape
    pixels = keras.Input(contract.input_shape, dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    heads = {name: keras.layers.Dense(1, name=name) for name in contract.spec.names}
    model = keras.Model(pixels, {name: head(flat) for name, head in heads.items()}, name="toy")
    columns = np.tile((np.arange(width) - (width - 1) / 2) / width, height)[:, None]
    heads["steer"].set_weights([24 * columns / (height * width), np.zeros(1)])
    heads["throttle"].set_weights([np.zeros((height * width, 1)), np.ones(1)])
    return model


def toy_frame(off: float) -> np.ndarray:
    """The picture of the game with its road `off` pixels to the right."""
    rgb = np.full((toy_road.SIZE[1], toy_road.SIZE[0], 3), (20, 60, 20), np.uint8)
    middle = toy_road.SIZE[0] / 2 + off
    rgb[:, max(0, int(middle - toy_road.ROAD / 2)) : max(0, int(middle + toy_road.ROAD / 2))] = 200
    return rgb


@pytest.fixture(scope="session")
def racer(tmp_path_factory, empty_tracking_db) -> Racer:
    import shutil

    from mlflow import MlflowClient

    settings = Settings.from_env({"KART_HOME": str(tmp_path_factory.mktemp("racer"))})
    shutil.copy(empty_tracking_db, settings.home / "mlflow.db")
    model = toy_network()
    golden = make_golden(CONTRACT, [toy_frame(off) for off in (-60, 0, 60)], predictor(model, CONTRACT))
    assert [round(float(steer), 1) for steer in golden.outputs[:, 0]] == [-0.9, 0.0, 0.9]
    with training_run(settings, GAME):
        logged = log_driver(model, CONTRACT, golden, GAME)
    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    location = client.get_logged_model(logged.model_id).artifact_location
    return Racer(settings, logged, Path(url2pathname(urlsplit(location).path)))


@pytest.fixture
def keys_down(desktop: str) -> Iterator[Callable[[], set[int]]]:
    """Which keys are down on the X server, without a window that would take the focus."""
    from Xlib.display import Display

    server = Display(desktop)

    def down() -> set[int]:
        held = server.query_keymap()
        return {code for code in range(8, 256) if held[code // 8] >> code % 8 & 1}

    yield down
    server.close()
