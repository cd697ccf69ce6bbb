"""Sessions of a drawn road, built into training sets by the project's own code."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.frame import RGB, Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.split import position
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.inference import predictor
from kart_pipeline.learning.package import Golden, make_golden

SPEC = ActionSpec(("steer", "throttle"), ("A", "L", "R"), ("steer",), (("L", "R"),))
RATE_HZ = 10.0


def road(steer: float, dark: bool, number: int) -> RGB:
    """A picture 66 pixels wide and 62 high: a stripe where the road is, right for steer > 0, and a pixel of its own."""
    rgb = np.full((62, 66, 3), (40, 90, 60), np.uint8)
    centre = round(33 + 24 * steer)
    rgb[:, max(0, centre - 5) : centre + 5] = 60 if dark else 220
    rgb[0, 0] = number % 256
    return rgb


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The smallest comfortable one for PilotNet."""
    return Contract(SPEC, RATE_HZ, width=66, height=62)


@pytest.fixture(scope="session")
def hyper() -> HyperParameters:
    """A short run without augmentation."""
    return HyperParameters(epochs=2, batch_size=16, mirror=0.0, shift=0.0, brightness=0.0, patches=0, seed=3)


@pytest.fixture(scope="session")
def make_training_set(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., TrainingSet]:
    """Record sessions of given lengths, of which the last is held out; build their frames and their training set."""

    def make(contract: Contract, lengths: tuple[int, ...] = (40, 40), **options: Any) -> TrainingSet:
        home = tmp_path_factory.mktemp("home")
        store = Store(home / "sessions")
        names = sorted((f"drive-{number}" for number in range(len(lengths))), key=position, reverse=True)
        for number, (name, length) in enumerate(zip(names, lengths, strict=True)):
            rng = np.random.default_rng(number)
            header = SessionHeader(id=name, game="drawn", rate_hz=RATE_HZ, spec=contract.spec)
            with store.create(header) as writer:
                for index in range(length):
                    steer, dark = float(np.float32(rng.uniform(-1, 1))), index % 4 == 0
                    values = {"steer": steer, "throttle": 0.25, "A": not dark, "L": steer < 0, "R": steer > 0}
                    action = contract.spec.action(**{name: values[name] for name in contract.spec.names})
                    frame = Frame(road(steer, dark, index), index * 100_000_000)
                    writer.append(Step(index, frame, Choice(action, "human", action)))
            build_frames(store.open(header.id), contract, home / "datasets", threads=1)
        return build_training_set(home / "datasets", contract, "drawn", **options)

    return make


@pytest.fixture(scope="session")
def empty_tracking_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated MLflow database, to be copied: migrating takes seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("db") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path.as_posix()}").search_experiments()
    return path


@pytest.fixture(scope="session")
def make_settings(tmp_path_factory: pytest.TempPathFactory, empty_tracking_db: Path) -> Callable[[], Settings]:
    """Make homes, with a space in their names, and with an empty tracking store in them."""

    def make() -> Settings:
        home = tmp_path_factory.mktemp("a home")
        shutil.copy(empty_tracking_db, home / "mlflow.db")
        return Settings.from_env({"KART_HOME": str(home)})

    return make


@pytest.fixture
def settings(make_settings: Callable[[], Settings]) -> Settings:
    """A fresh one of them."""
    return make_settings()


@pytest.fixture
def network(contract: Contract) -> Any:
    """PilotNet with the weights that it begins with."""
    import keras

    from kart_pipeline.learning.networks import build_network

    keras.utils.set_random_seed(1)
    return build_network("pilotnet", contract)


@pytest.fixture
def golden(contract: Contract, network: Any) -> Golden:
    """Five frames of a drive."""
    frames = [road(steer, dark=False, number=number) for number, steer in enumerate((-0.8, -0.3, 0.0, 0.4, 0.9))]
    return make_golden(contract, frames, predictor(network, contract))
