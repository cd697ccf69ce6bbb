"""Two processes that train together come to the model that one alone comes to."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.training_set import TrainingSet
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.training import train
from kart_pipeline.learning.worker import main
from kart_pipeline.learning.workers import ALONE, Share, share_of_environment

CHIEF = """
import json, sys
from pathlib import Path
import numpy as np
from kart_pipeline.datasets.training_set import load_training_set
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.training import train
result = train(load_training_set(Path(sys.argv[1])), HyperParameters(**json.loads(sys.argv[2])))
np.savez(sys.argv[3], *result.model.get_weights(), losses=[entry["val_loss"] for entry in result.history])
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def cluster(index: int, ports: list[int]) -> dict[str, str]:
    workers = [f"127.0.0.1:{port}" for port in ports]
    return {"TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})}


@pytest.fixture
def lean_set(make_training_set: Callable[..., TrainingSet], contract: Contract) -> TrainingSet:
    lean = replace(contract, spec=ActionSpec(("steer",), ("A",), ("steer",)))
    return make_training_set(lean, (64, 32))


def test_two_workers_make_the_model_that_one_makes(
    lean_set: TrainingSet, hyper: HyperParameters, tmp_path: Path
) -> None:
    hyper = replace(hyper, epochs=3)
    settings, made = json.dumps(hyper.to_dict()), tmp_path / "chief.npz"
    ports = free_ports(2)
    commands = [
        [sys.executable, "-c", CHIEF, str(lean_set.path), settings, str(made)],
        [sys.executable, "-m", "kart_pipeline.learning.worker", str(lean_set.path), "--hyper", settings],
    ]
    processes = [
        subprocess.Popen(command, env={**os.environ, **cluster(index, ports)}, stdout=subprocess.PIPE, text=True)
        for index, command in enumerate(commands)
    ]
    told = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert "Worker 1 has done its share: 3 epochs, all epochs." in told[1]
    alone = train(lean_set, hyper)
    with np.load(made) as found:
        np.testing.assert_allclose(found["losses"], [entry["val_loss"] for entry in alone.history], rtol=2e-3)
        for place, weights in enumerate(alone.model.get_weights()):
            np.testing.assert_allclose(found[f"arr_{place}"], weights, atol=2e-3)


def test_what_workers_cannot_do_is_said_before_they_begin(
    lean_set: TrainingSet, hyper: HyperParameters, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KartError, match="A batch of 16 cannot be shared equally by 3 workers"):
        Share(0, 3).rows(hyper)
    with pytest.raises(KartError, match="set epochs in place of max_minutes"):
        Share(0, 2).rows(replace(hyper, max_minutes=1.0))
    assert ALONE.rows(replace(hyper, max_minutes=1.0)) == 16
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert share_of_environment() == ALONE
    assert main([str(lean_set.path)]) == 2
    assert "TF_CONFIG must name at least two workers" in capsys.readouterr().err
    for text in ("{", "[]", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}'):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(KartError, match="TF_CONFIG is not what TensorFlow expects"):
            share_of_environment()
    for name, value in cluster(1, [1, 2]).items():
        monkeypatch.setenv(name, value)
    assert share_of_environment() == Share(1, 2)
    assert main([str(lean_set.path), "--hyper", '{"speed": 1}']) == 2
    assert "--hyper is JSON of hyper-parameters by name" in capsys.readouterr().err
