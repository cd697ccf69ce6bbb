"""What holds for all tests."""

import os

import pytest
from hypothesis import settings

# A property holds or not; how fast it is checked depends on what else the machine does.
settings.register_profile("kart", deadline=None)
settings.load_profile("kart")


@pytest.fixture(autouse=True)
def no_store_of_another_test() -> None:
    """MLflow tells child processes of its store in the environment, where our settings would find it."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)
