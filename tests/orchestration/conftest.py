"""Small sessions of a drawn road in a real store, real Dagster instances, and a real MLflow database."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import RGB, Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.session import Session
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.games import car_racing

SPEC = ActionSpec(("steer", "throttle"), ("A",), mirrored_axes=("steer",))
RATES = {"drawn": 10.0, "car_racing": car_racing.RATE_HZ}

Record = Callable[..., Session]


def road(steer: float, number: int) -> RGB:
    """A picture 80 pixels wide and 70 high: a stripe that lies to the right for steer > 0, and a pixel of its own."""
    rgb = np.full((70, 80, 3), (40, 90, 60), np.uint8)
    centre = round(40 + 30 * steer)
    rgb[:, max(0, centre - 6) : centre + 6] = 220
    rgb[0, 0] = (number % 256, number // 256, 0)
    return rgb


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"KART_HOME": str(tmp_path / "a home")})


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.store_url)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def record(store: Store) -> Record:
    """Record `count` steps of a road that winds, `phase` radians on its way."""

    def make(session_id: str, count: int = 12, *, game: str = "drawn", phase: float = 0.0, **header: object) -> Session:
        spec = car_racing.SPEC if game == "car_racing" else SPEC
        rate = RATES.get(game, 10.0)
        known = {"id": session_id, "game": game, "rate_hz": rate, "spec": spec, "driver": {"kind": "human"}}
        with store.create(SessionHeader(**known | header)) as writer:  # type: ignore[arg-type]
            for index in range(count):
                steer = float(np.float32(0.9 * math.sin(phase + index / 4)))
                values = {"steer": steer, "throttle": 0.5, "A": index % 5 == 0}
                action = spec.action(**{name: values[name] for name in spec.names})
                frame = Frame(road(steer, index), round(index * 1e9 / rate))
                writer.append(Step(index, frame, Choice(action, "human", action)))
        return store.open(session_id)

    return make


@pytest.fixture
def damage(settings: Settings) -> Callable[[str], None]:
    """Change one byte in the middle of a session's file."""

    def change(session_id: str) -> None:
        path = settings.recordings / session_id / "steps.parquet"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)

    return change


@pytest.fixture
def set_contracts(settings: Settings) -> Callable[[str], None]:
    """Write `contracts.toml`."""

    def write(text: str) -> None:
        settings.home.mkdir(exist_ok=True)
        (settings.home / "contracts.toml").write_text(text, encoding="utf-8")

    return write


@pytest.fixture(scope="session")
def empty_tracking_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated MLflow database, to be copied: migrating takes seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("db") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path.as_posix()}").search_experiments()
    return path


@pytest.fixture
def tracked(settings: Settings, empty_tracking_db: Path) -> Settings:
    """The settings, with an MLflow database that is ready for use."""
    settings.home.mkdir(exist_ok=True)
    shutil.copy(empty_tracking_db, settings.home / "mlflow.db")
    return settings
