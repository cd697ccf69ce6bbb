"""Steps executed by Celery's workers, over a real Redis; Dagster's and MLflow's memory in a real PostgreSQL."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from dagster._core.instance.ref import InstanceRef

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames_info import read_frames_info
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.learning import tracking
from player.locate import locate

ROOT = Path(__file__).parents[2]
SPEC = ActionSpec(("steer",), mirrored_axes=("steer",))
STEPS = 500
TAKEOVER_S = 5
Environment = Mapping[str, str]

pytestmark = pytest.mark.e2e


@pytest.fixture
def environment(home: Path, redis_url: str, postgres_database: Callable[[str], str]) -> Environment:
    """What all machines are told; one folder and one PostgreSQL stand for what they share."""
    return os.environ | {
        "KART_ENGINE": "celery",
        "KART_BROKER": redis_url,
        "KART_TAKEOVER_S": str(TAKEOVER_S),
        "KART_POSTGRES": postgres_database("dagster"),
        "MLFLOW_TRACKING_URI": postgres_database("mlflow"),
        "DAGSTER_HOME": str(ROOT / "deploy" / "celery"),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def instance(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's memory, as `dagster dev` opens it."""
    for name, value in environment.items():
        if name.startswith(("KART_", "MLFLOW_")):
            monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(environment["DAGSTER_HOME"])) as opened:
        yield opened


@pytest.fixture
def sessions(instance: dg.DagsterInstance) -> list[str]:
    """Two, each of which takes a second or two to prepare."""
    store = Store(Settings.from_env().store_url)
    for name in ("one", "two"):
        header = SessionHeader(id=name, game="drawn", rate_hz=30.0, spec=SPEC, driver={"kind": "human"})
        with store.create(header) as writer:
            for index in range(STEPS):
                rgb = np.random.default_rng(index).integers(0, 256, (60, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
                action = SPEC.action(steer=0.1)
                writer.append(Step(index, Frame(rgb, index * 33_333_333), Choice(action, "human", action)))
    return store.ids()


@contextmanager
def worker(name: str, environment: Environment) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "kart_pipeline.orchestration.worker", "--name", name]
    with running(command, environment) as process:
        yield process


@contextmanager
def running(command: Sequence[str], environment: Environment) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, cwd=environment["KART_HOME"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def run(session: str, environment: Environment) -> Iterator[subprocess.Popen[bytes]]:
    """Of the job that prepares a session, in a process as the daemon launches it."""
    what = ["-m", "kart_pipeline.orchestration.definitions", "-j", "prepare_session"]
    tags = ["--tags", json.dumps({"dagster/partition": session})]
    command = [sys.executable, "-m", "dagster", "job", "execute", *what, *tags]
    with running(command, environment) as process:
        yield process


def built(settings: Settings, session: str) -> int | None:
    """How many frames of a session there are; None where they are not built."""
    contract = Contracts.load(settings.home).contract(Store(settings.store_url).manifest(session))
    info = read_frames_info(settings.datasets, contract.hash, session)
    return info.frames if info else None


def until(condition: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"it did not come about within {seconds} s"
        time.sleep(0.02)
    return found


def begun(instance: dg.DagsterInstance, session: str, step: str = "frames") -> list[str]:
    """The workers that began a step of a session's run, the first first."""
    found = []
    for run in instance.get_runs(dg.RunsFilter(tags={"dagster/partition": session})):
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            event = entry.get_dagster_event()
            told = {name: value.value for name, value in (event.event_specific_data.metadata or {}).items()}
            if event.step_key == step and "Celery worker" in told:
                found.append(told["Celery worker"].removeprefix("kart@"))
    return found


def test_a_step_whose_worker_is_killed_is_taken_over_by_another(environment, instance, sessions):
    """`kill -9` in the middle of building frames: nothing is lost, and both runs succeed."""
    settings = Settings.from_env()
    instance.add_dynamic_partitions("sessions", sessions)
    workers = worker("first", environment), worker("second", environment)
    with ExitStack() as stack:
        first, second = map(stack.enter_context, workers)
        runs = [stack.enter_context(run(session, environment)) for session in sessions]
        hit = until(lambda: next((session for session in sessions if begun(instance, session)), None), 180)
        (victim,) = begun(instance, hit)
        {"first": first, "second": second}[victim].kill()
        assert built(settings, hit) is None
        assert [process.wait(180) for process in runs] == [0, 0]
    (other,) = set(sessions) - {hit}
    heir = {"first": "second", "second": "first"}[victim]
    assert begun(instance, hit) == [victim, heir]
    assert begun(instance, other) in ([victim, heir], [heir])  # it may have waited at the victim
    assert [built(settings, session) for session in sessions] == [STEPS, STEPS]


def test_a_step_that_takes_longer_than_a_takeover_is_done_once(environment, instance, tmp_path):
    """Whoever lives says so, and no other worker takes over meanwhile."""
    script, marks = tmp_path / "slow.py", tmp_path / "marks"
    script.write_text(
        "import sys, time\n"
        "from kart_pipeline.core.settings import Settings\n"
        "from kart_pipeline.orchestration import worker\n"
        "app = worker.build_app(Settings.from_env())\n"
        "@app.task(name='slow')\n"
        "def slow(path):\n"
        "    open(path, 'a').write('begun ')\n"
        f"    time.sleep({2.5 * TAKEOVER_S})\n"
        "    open(path, 'a').write('done ')\n"
        "if len(sys.argv) > 1:\n"
        "    app.worker_main(['worker', '--pool', 'solo', '--queues', 'dagster', '--hostname', sys.argv[1]])\n"
        f"slow.delay({str(marks)!r}).get(timeout=120)\n",
        encoding="utf-8",
    )
    command = [sys.executable, str(script)]
    with running([*command, "first"], environment), running([*command, "second"], environment):
        subprocess.run(command, env=environment, check=True, timeout=180)
    assert marks.read_text(encoding="utf-8") == "begun done "


def test_a_model_that_is_registered_in_a_postgresql_is_found_by_the_player(environment, tmp_path):
    settings = Settings.from_env(environment)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").touch()
    mlflow = tracking.use_store(settings)
    mlflow.create_registered_model("kart-drawn")
    mlflow.create_model_version("kart-drawn", (tmp_path / "model").as_uri())
    mlflow.set_registered_model_alias("kart-drawn", "champion", "1")
    assert locate("models:/kart-drawn@champion", settings).folder == tmp_path / "model"
    with pytest.raises(KartError, match=r"There is no model models:/kart-drawn/2.*models:/kart-drawn@champion"):
        locate("models:/kart-drawn/2", settings)
