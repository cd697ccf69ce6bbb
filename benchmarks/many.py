"""What many sessions cost: `--sessions` of them in the real pipeline, `--simulated` of which only manifests exist.

    python -m benchmarks many --sessions 1000 --simulated 10000

The real ones are small, 20 steps of 32x24, and go through the very sensor, jobs and training set. The simulated ones
show what the sensor and Dagster's page cost, which open no session that they know. Below 100 sessions Dagster looks up
each one's data version for the training set, so that its cost per session is known from a few hundred on.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from benchmarks.many_sessions import GAME, manifests, record, tick
from benchmarks.many_ui import page
from benchmarks.table import Row
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.gather import gather
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.orchestration import in_process
from kart_pipeline.orchestration.definitions import build_defs
from kart_pipeline.orchestration.instance import open_instance
from kart_pipeline.orchestration.jobs import prepare_session, train_driver
from kart_pipeline.orchestration.materialise import materialise_sessions
from kart_pipeline.orchestration.partitions import GAMES

STEPS, SIZE = 20, (32, 24)
REPEATS = 5
MOST_TICK_S = MOST_PAGE_S = 1.0
MOST_FILE_MS = 1.0
_GATHERED = ("frames.json", "labels.parquet")  # what a session adds to a training set, file by file
_INDEXED = (*_GATHERED, "manifest.json")
FEW = 2  # sessions of the smaller training set, which needs two sides


def run(sessions: int, simulated: int) -> list[Row]:
    """The real ones beside a store of one, then the simulated ones.

    Args:
        sessions: recorded and prepared.
        simulated: with a manifest only; 0 leaves them out.

    Raises:
        KartError: there are fewer than 3 `sessions`, or the pipeline did something else than was to be measured.
    """
    if sessions <= FEW:
        raise KartError(f"--sessions must be more than {FEW}, not {sessions}.")
    if simulated < 0:
        raise KartError(f"--simulated must be at least 0, not {simulated}.")
    rows = _real(sessions)
    return rows + _simulated(simulated) if simulated else rows


def _real(sessions: int) -> list[Row]:
    """All that is asked of a store of so many; the same of a store of one or two where a ratio is wanted."""
    _forget_peak()
    before = _megabytes("VmRSS")
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        one, many = _home(small), _home(large)
        with open_instance(one) as alone, open_instance(many) as memory:
            _fill(one, alone, 1)
            recorded, prepared = _fill(many, memory, sessions)
            runs = memory.get_runs_count() / sessions
            rows = [
                Row("a session of 20 steps: recorded", recorded / sessions, "s", "", None, None, "", None),
                Row("the same: looked through, frames built", prepared / sessions, "s", "", None, None, "", None),
                Row(
                    f"runs for each of {sessions:,} sessions", runs, "", "", None, None, "1, whatever frames", runs == 1
                ),
                *_listing(many, sessions, "real"),
                *_ticks(many, memory, sessions, "real"),
                _added(one, alone, many, memory, sessions),
            ]
            sessions += REPEATS
            again = _seconds(lambda: _prepare(many, memory, 0, sessions))
            what = f"`make demo` again over {sessions:,} sessions: nothing rebuilt"
            rows += [
                Row(what, 1000 * again / sessions, "ms a session", "", None, None, "", None),
                *_fan_in(one, alone, many, memory, sessions),
                *_page(many, memory, sessions, "real"),
            ]
        if before is not None:
            grown = (_megabytes("VmHWM") or 0.0) - before
            rows.append(Row(f"memory for {sessions:,} real sessions, peak", grown, "MB more", "", None, None, "", None))
    return rows


def _simulated(sessions: int) -> list[Row]:
    """Sensor and page over partitions that are all materialised, of which only the manifests exist."""
    with tempfile.TemporaryDirectory() as name:
        settings = _home(name)
        store = Store(settings.store_url)
        record(store, "first", STEPS, SIZE)
        manifests(store, "first", (f"s{number:06}" for number in range(1, sessions)))
        with open_instance(settings) as memory:
            rows = [*_listing(settings, sessions, "simulated"), *_ticks(settings, memory, sessions, "simulated")]
            for session in store.ids():  # as if their runs had been
                memory.report_runless_asset_event(dg.AssetMaterialization("frames", partition=session))
            return [*rows, *_page(settings, memory, sessions, "simulated")]


def _home(name: str) -> Settings:
    """A KART_HOME whose networks see what was recorded, so that a thousand sessions are no gigabyte."""
    (Path(name) / "contracts.toml").write_text(f"[{GAME}]\nwidth = {SIZE[0]}\nheight = {SIZE[1]}\n", encoding="utf-8")
    return Settings.from_env({"KART_HOME": name})


def _fill(settings: Settings, memory: dg.DagsterInstance, count: int) -> tuple[float, float]:
    """Record so many and prepare them; the seconds that each took."""
    store = Store(settings.store_url)
    recorded = _seconds(lambda: [record(store, f"s{number:06}", STEPS, SIZE) for number in range(count)])
    return recorded, _seconds(lambda: _prepare(settings, memory, count, 0))


def _prepare(settings: Settings, memory: dg.DagsterInstance, done: int, unchanged: int) -> None:
    """What `make demo` does with sessions; KartError where it is other work than was expected."""
    found = materialise_sessions(settings, instance=memory)
    if found.failed or (len(found.done), len(found.unchanged)) != (done, unchanged):
        raise KartError(
            f"{done} sessions were to be prepared and {unchanged} left as they are; "
            f"{len(found.done)} and {len(found.unchanged)} were, {len(found.failed)} failed: {found.failed}."
        )


def _listing(settings: Settings, sessions: int, kind: str) -> list[Row]:
    store = Store(settings.store_url)
    taken = _median(store.ids), _median(store.unfinished)
    names = "the finished", "the unfinished"
    return [
        Row(f"{name} of {sessions:,} {kind} sessions listed", 1000 * seconds, "ms", "", None, None, "", None)
        for name, seconds in zip(names, taken, strict=True)
    ]


def _ticks(settings: Settings, memory: dg.DagsterInstance, sessions: int, kind: str) -> list[Row]:
    """A sensor that has forgotten everything, until it knows all, and then with nothing to do."""
    cursor: str | None = None
    times, asked = [], 0
    while True:
        began = time.perf_counter()
        requests, cursor = tick(settings, memory, cursor)
        times.append(time.perf_counter() - began)
        if not requests:
            break
        asked += len(requests)
    if asked != sessions:
        raise KartError(f"The sensor asked for {asked} sessions where there are {sessions}.")
    worst, idle = max(times), _median(lambda: tick(settings, memory, cursor))
    what, aim = f"{sessions:,} {kind} sessions", f"< {MOST_TICK_S:g} s"
    return [
        Row(
            f"the longest of {len(times)} ticks until {what} are known",
            worst,
            "s",
            "",
            None,
            None,
            aim,
            worst < MOST_TICK_S,
        ),
        Row(f"a tick with nothing new, {what}", idle, "s", "", None, None, aim, idle < MOST_TICK_S),
    ]


def _added(one: Settings, alone: dg.DagsterInstance, many: Settings, memory: dg.DagsterInstance, sessions: int) -> Row:
    """One session more, in turn in both stores: recorded, noticed, looked through, its frames built."""
    ours, theirs = [], []
    cursors = [_cursor(one, alone), _cursor(many, memory)]
    for number in range(REPEATS):
        for place, (settings, instance, times) in enumerate(((one, alone, theirs), (many, memory, ours))):
            name = f"new{number}"
            began = time.perf_counter()
            record(Store(settings.store_url), name, STEPS, SIZE)
            requests, cursors[place] = tick(settings, instance, cursors[place])
            if requests != [name]:
                raise KartError(f"The sensor was to ask for {name} alone, not for {requests}.")
            result = in_process.run(build_defs(settings), prepare_session.name, instance, name, {})
            if not result.success:
                raise KartError(in_process.reason(result))
            times.append(time.perf_counter() - began)
    large, small = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    what = f"adding one session to {sessions:,}: record, notice, prepare"
    return Row(what, large, "s", "the same to a store of 1", small, ratio, "the same (>= 0.8)", ratio >= 0.8)


def _cursor(settings: Settings, memory: dg.DagsterInstance) -> str | None:
    """Of a sensor that knows the whole store."""
    requests, cursor = tick(settings, memory, None)
    while requests:
        requests, cursor = tick(settings, memory, cursor)
    return cursor


def _fan_in(
    one: Settings, alone: dg.DagsterInstance, many: Settings, memory: dg.DagsterInstance, sessions: int
) -> list[Row]:
    """The training set: its files alone, and the asset as a run, against one of few sessions."""
    manifest = Store(many.store_url).manifest("s000000")
    contract = Contracts.load(many.home).contract(manifest)
    gathered = 1000 * _median(lambda: gather(many.datasets, contract, GAME, None)) / sessions / len(_GATHERED)
    few = 1 + REPEATS
    large, small = (_median(lambda pair=pair: _index(*pair), 3) for pair in ((many, memory), (one, alone)))
    each = 1000 * (large - small) / (sessions - few) / len(_INDEXED)
    what, aim = f"training set of {sessions:,} sessions", f"<= {MOST_FILE_MS:g} ms"
    return [
        Row(
            f"{what}: labels gathered, {len(_GATHERED)} files of each",
            gathered,
            "ms a file",
            "",
            None,
            None,
            aim,
            gathered <= MOST_FILE_MS,
        ),
        Row(
            f"{what}: the whole asset, beyond one of {few}, {len(_INDEXED)} files of each",
            each,
            "ms a file",
            f"the run itself, {small:.2g} s",
            None,
            None,
            aim,
            each <= MOST_FILE_MS,
        ),
    ]


def _index(settings: Settings, memory: dg.DagsterInstance) -> None:
    memory.add_dynamic_partitions(str(GAMES.name), [GAME])
    result = in_process.run(build_defs(settings), train_driver.name, memory, GAME, {}, assets=["training_set"])
    if not result.success:
        raise KartError(in_process.reason(result))


def _page(settings: Settings, memory: dg.DagsterInstance, sessions: int, kind: str) -> list[Row]:
    """What Dagster's page asks for the asset `frames`, and the memory of the process that answers."""
    what, aim = f"{sessions:,} {kind} sessions", f"< {MOST_PAGE_S:g} s"
    with page(settings, memory) as shown:
        answers = shown.partitions("frames"), shown.counts("frames")
        if answers != ((sessions, sessions),) * 2:
            raise KartError(f"Dagster's page shows {answers} of {sessions} frames.")
        bar, counts = _median(lambda: shown.partitions("frames")), _median(lambda: shown.counts("frames"))
        used = _megabytes("VmHWM", shown.process)
    rows = [
        Row(f"the page of an asset, {what}: every partition", bar, "s", "", None, None, aim, bar < MOST_PAGE_S),
        Row("the same: its counts", counts, "s", "", None, None, aim, counts < MOST_PAGE_S),
    ]
    return rows if used is None else [*rows, Row("the same: the server's memory", used, "MB", "", None, None, "", None)]


def _median(work: Callable[[], object], repeats: int = REPEATS) -> float:
    return statistics.median(_seconds(work) for _ in range(repeats))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _forget_peak() -> None:
    """Benchmarks of one command share a process; Linux counts its peak anew on request."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5")


def _megabytes(kind: str, process: int | str = "self") -> float | None:
    """One of Linux' figures of a process's memory; None elsewhere."""
    path = Path(f"/proc/{process}/status")
    if not path.exists():
        return None
    line = next(line for line in path.read_text().splitlines() if line.startswith(f"{kind}:"))
    return int(line.split()[1]) / 1000
