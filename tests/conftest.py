"""What holds for all tests."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

pytest_plugins = [
    "bizhawk_fixtures",
    "desktop_fixtures",
    "pad_fixtures",
    "s3_fixtures",
    "service_fixtures",
]  # in tests/fixtures

# A property holds or not; how fast it is checked depends on what else the machine does.
settings.register_profile("kart", deadline=None)
settings.load_profile("kart")

# What a shell starts in the background ignores Ctrl-C, and so would every program that is started from here.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):  # and what `nohup` starts does not hear that its terminal was closed
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def no_store_of_another_test() -> None:
    """MLflow tells child processes of its store in the environment, where our settings would find it."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """KART_HOME, empty; the store is in it."""
    monkeypatch.setenv("KART_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KART_STORE", raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    return tmp_path / "home"


@pytest.fixture
def hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Hugging Face `datasets`, which asks no server and leaves TensorFlow alone."""
    for name, value in {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "USE_TF": "0"}.items():
        monkeypatch.setenv(name, value)
    import datasets

    return datasets


Soon = Callable[[Callable[[], object]], None]


@pytest.fixture
def soon() -> Soon:
    """Waits until something that another thread sees has come about."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < end, "it did not come about within 5 s"
            time.sleep(0.002)

    return wait
