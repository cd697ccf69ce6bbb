"""What one more session costs: to record, to notice and to prepare, in a store of 10 and in one of 500."""

import shutil
import tempfile
import time
from pathlib import Path

import dagster as dg
import numpy as np

from benchmarks.many_sessions import record, tick
from benchmarks.table import Row
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.orchestration.definitions import build_defs

REPEATS = 5
SILENT = {"config": {"log_level": "CRITICAL"}}


def run() -> list[Row]:
    """Medians of several additions to each store; only the added session is new to Dagster."""
    small, large = _cost(10), _cost(500)
    ratio = small / large
    what = "adding one session to a store of 500: record, notice, prepare"
    return [Row(what, large, "s", "the same to a store of 10", small, ratio, "the same (>= 0.8)", ratio >= 0.8)]


def _cost(sessions: int) -> float:
    """Median seconds from the first recorded frame to built frames, when Dagster knows all other sessions already."""
    with tempfile.TemporaryDirectory() as home, dg.DagsterInstance.local_temp(home) as instance:
        settings = Settings.from_env({"KART_HOME": home})
        store = Store(settings.store_url)
        record(store, "first")
        for number in range(1, sessions):
            _copy(store, "first", f"copy{number}")
        job = build_defs(settings).resolve_job_def("prepare_session")
        cursor: str | None = None
        while True:
            requests, cursor = tick(settings, instance, cursor)
            if not requests:
                break
        times = []
        for repeat in range(REPEATS):
            started = time.perf_counter()
            record(store, f"new{repeat}")
            requests, cursor = tick(settings, instance, cursor)
            for session_id in requests:
                job.execute_in_process(
                    instance=instance, partition_key=session_id, run_config={"loggers": {"console": SILENT}}
                )
            times.append(time.perf_counter() - started)
            if requests != [f"new{repeat}"]:
                raise RuntimeError(f"expected one new session, the sensor asked for {requests}")
    return float(np.median(times))


def _copy(store: Store, source: str, target: str) -> None:
    root = Path(store.url)
    shutil.copytree(root / source, root / target)
    manifest = root / target / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(f'"{source}"', f'"{target}"'), encoding="utf-8")
