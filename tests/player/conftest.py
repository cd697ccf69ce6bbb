"""A tiny game that can be reckoned by hand, and one tiny real model in a real MLflow store."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import RGB, Choice, Frame
from kart_pipeline.core.settings import Settings
from kart_pipeline.games.base import FINISHED, PROGRESS, Game
from kart_pipeline.games.car_racing import CarRacing
from kart_pipeline.games.registry import default_contract
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.networks import build_network
from kart_pipeline.learning.package import make_golden
from kart_pipeline.learning.tracking import LoggedDriver, log_driver, training_run

SPEC = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))


class Line(Game):
    """Throttle moves along a line; frames get brighter with every step; 20 steps a second."""

    name = "line"
    spec = SPEC
    rate_hz = 20.0

    def __init__(self, *, simulated: bool = True, length: float = 10.0) -> None:
        self.simulated = simulated
        self._length = length
        self.sent: list[Action] = []
        self.neutral_calls = 0

    def reset(self, seed: int | None = None) -> Frame:
        self.track = self.group = f"seed-{seed}"
        self.score, self.ended, self._at, self._steps = 0.0, None, 0.0, 0
        return self._frame()

    def send(self, action: Action) -> None:
        self.sent.append(action)

    def next_frame(self) -> Frame:
        self._at += self.sent[-1]["throttle"]
        self._steps += 1
        self.score = 10 * self._at
        if self._at >= self._length:
            self.ended = FINISHED
        return self._frame()

    def _frame(self) -> Frame:
        rgb = np.full((48, 64, 3), min(255, 5 * self._steps), np.uint8)
        return Frame(rgb, round(self._steps * 1e9 / self.rate_hz), {PROGRESS: min(1.0, self._at / self._length)})

    def neutral(self) -> None:
        self.sent.append(self.spec.neutral())
        self.neutral_calls += 1

    def close(self) -> None:
        pass

    def cruise(self) -> Action:
        return self.spec.action(throttle=0.5)


class Straight:
    """A driver with an eye: it shows the lower half of the frame as what it sees."""

    name = "straight"

    def __init__(
        self, throttle: float = 0.5, fail_at: int | None = None, error: type[BaseException] = KeyboardInterrupt
    ):
        self._choice = Choice(SPEC.action(throttle=throttle, steer=0.25), "policy")
        self._fail_at = fail_at
        self._error = error
        self.seen: RGB | None = None

    def reset(self) -> None:
        self._acts = 0

    def act(self, frame: Frame) -> Choice:
        if self._acts == self._fail_at:
            raise self._error
        self._acts += 1
        self.seen = frame.rgb[24:]
        return self._choice


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def straight() -> type[Straight]:
    return Straight


@pytest.fixture(scope="session")
def empty_tracking_db(tmp_path_factory):
    """A migrated MLflow database, to be copied: migrating takes seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("db") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path.as_posix()}").search_experiments()
    return path


@dataclass(frozen=True)
class Shelf:
    """A home with one real model in it: PilotNet with the weights that it begins with, for CarRacing."""

    settings: Settings
    driver: LoggedDriver
    folder: Path


@pytest.fixture(scope="session")
def shelf(tmp_path_factory, empty_tracking_db) -> Shelf:
    import keras
    from mlflow import MlflowClient

    settings = Settings.from_env({"KART_HOME": str(tmp_path_factory.mktemp("shelf"))})
    shutil.copy(empty_tracking_db, settings.home / "mlflow.db")
    contract = default_contract("car_racing")
    keras.utils.set_random_seed(3)
    model = build_network("pilotnet", contract)
    with CarRacing() as game:
        frames = [game.reset(1).rgb, *(game.step(game.spec.action(throttle=0.5)).rgb for _ in range(3))]
    golden = make_golden(contract, frames, predictor(model, contract))
    with training_run(settings, "car_racing"):
        logged = log_driver(model, contract, golden, "car_racing")
    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    client.set_registered_model_alias(logged.name, "champion", logged.version)
    location = client.get_logged_model(logged.model_id).artifact_location
    return Shelf(settings, logged, Path(url2pathname(urlsplit(location).path)))
