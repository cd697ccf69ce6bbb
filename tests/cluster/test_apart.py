"""Machines that share services and no folder: an S3 server, an MLflow server that is not this machine's by its name."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import dagster as dg
import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.orchestration.materialise import judge_model, materialise_sessions, train
from player.locate import locate

SPEC = ActionSpec(("steer",), mirrored_axes=("steer",))
HYPER = HyperParameters(epochs=1, batch_size=16, patches=0, brightness=0.0, shift=0.0)

pytestmark = pytest.mark.e2e


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[str]:
    """An MLflow server with a folder of its own, under a name by which nobody takes it for one of this machine."""
    folder = tmp_path / "mlflow server"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--allowed-hosts", "*"]
    files = ["--backend-store-uri", f"sqlite:///{(folder / 'mlflow.db').as_posix()}"]
    files += ["--artifacts-destination", folder.as_posix()]
    command = [sys.executable, "-m", "mlflow", "server", *where, *files]
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, start_new_session=True)
    try:
        end = time.monotonic() + 120
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < end, log.read_text(encoding="utf-8")
                time.sleep(0.1)
        yield f"http://0.0.0.0:{port}"
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def record(store: Store, number: int) -> None:
    """A stripe that lies where the wheel is turned to, and a pixel that no other frame has."""
    header = SessionHeader(id=f"s{number}", game="drawn", rate_hz=10.0, spec=SPEC, driver={"kind": "human"})
    with store.create(header) as writer:
        for index in range(40):
            steer = float(np.float32(0.9 * np.sin(2 * number + index / 4)))
            rgb = np.full((70, 80, 3), (40, 90, 60), np.uint8)
            centre = round(40 + 30 * steer)
            rgb[:, max(0, centre - 6) : centre + 6] = 220
            rgb[0, 0] = index
            action = SPEC.action(steer=steer)
            writer.append(Step(index, Frame(rgb, index * 100_000_000), Choice(action, "human", action)))


def test_sessions_frames_and_models_go_from_machine_to_machine(bucket, mlflow_server, tmp_path) -> None:
    """One records, one builds frames, one trains, one scores; what each made is nowhere but behind a URL."""
    recorder = Store(tmp_path / "recorder" / "sessions")
    for number in range(3):
        record(recorder, number)
        Store(bucket.url).publish(tmp_path / "recorder" / "sessions" / f"s{number}")
    shutil.rmtree(tmp_path / "recorder")
    environment = {"KART_STORE": bucket.url, "KART_DATASETS": f"s3://{bucket.name}/datasets"}
    environment["MLFLOW_TRACKING_URI"] = mlflow_server

    def machine(name: str) -> Settings:
        return Settings.from_env({**environment, "KART_HOME": str(tmp_path / name)})

    with dg.DagsterInstance.ephemeral() as memory:  # Dagster's own is a PostgreSQL, see `test_celery`
        builder = machine("builder")
        prepared = materialise_sessions(builder, instance=memory)
        assert (prepared.done, prepared.failed) == (["s0", "s1", "s2"], {})
        shutil.rmtree(builder.home)
        trainer = machine("trainer")
        trained = train(trainer, "drawn", HYPER, instance=memory)
        assert trained.training_set["rows to learn from"] + trained.training_set["rows held out"] == 120
        assert trained.champion["changed"] is True
        shutil.rmtree(trainer.home)
        scored = judge_model(machine("judge"), "drawn", instance=memory)
    assert scored["scorecard"]["held-out error"] == pytest.approx(trained.scorecard["held-out error"], 1e-5)
    player = replace(machine("player"), store_url="")
    with pytest.raises(KartError, match="--trust-remote"):
        locate("models:/kart-drawn@champion", player)
    assert locate("models:/kart-drawn@champion", player, trust_remote=True).folder.is_dir()
