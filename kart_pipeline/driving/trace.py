"""Where a drive went and how it was steered there, a few times a second, for maps and curves of drives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kart_pipeline.core.action import Action
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.datasets.labels import directions
from kart_pipeline.games.base import OFF_TRACK, PROGRESS, SPEED, X, Y

RATE_HZ = 10.0  # of samples: a kart moves a few lengths in between, and a minute takes 20 kB

Values = npt.NDArray[np.float32]

UNTOLD = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Samples along one drive, each float32 `(N,)`; NaN where the game or the teacher does not tell.

    Attributes:
        seed: of the drive.
        track: as the game named it.
        seconds: of game time since the start.
        progress: share of the race done, 0 to 1.
        speed: in the game's own units.
        off_track: 1 where the kart left the road since the last sample, else 0.
        x, y: where the kart is, seen from above, in the game's own units.
        steer: what was done, -1 left to 1 right.
        label: what a teacher says is right here, likewise.
    """

    seed: int
    track: str
    seconds: Values
    progress: Values
    speed: Values
    off_track: Values
    x: Values
    y: Values
    steer: Values
    label: Values

    @property
    def has_place(self) -> bool:
        """Whether the game told where the kart was."""
        return bool(len(self.x)) and not np.isnan(self.x).any() and not np.isnan(self.y).any()

    @property
    def has_label(self) -> bool:
        """Whether a teacher and the game's progress say what would have been right where."""
        return bool(len(self.label)) and not np.isnan(self.label).all() and not np.isnan(self.progress).all()


COLUMNS = tuple(field.name for field in fields(Trace))[2:]


class Tracer:
    """An observer that samples one drive.

    Args:
        rate_hz: samples a second of game time.
    """

    def __init__(self, rate_hz: float = RATE_HZ) -> None:
        self._period_ns = 1e9 / rate_hz
        self._rows: list[tuple[float, ...]] = []
        self._begin: int | None = None
        self._left_road = UNTOLD

    def on_step(self, step: Step) -> None:
        """Keep the step if its turn has come."""
        state, now = step.frame.state, step.frame.t_ns
        if self._begin is None:
            self._begin = now
        if OFF_TRACK in state:
            self._left_road = float(np.fmax(self._left_road, state[OFF_TRACK] > 0))
        if now - self._begin < len(self._rows) * self._period_ns:
            return
        told = (state.get(name, UNTOLD) for name in (PROGRESS, SPEED))
        place = (state.get(name, UNTOLD) for name in (X, Y))
        label = UNTOLD if step.choice.label is None else direction(step.choice.label)
        seconds = (now - self._begin) / 1e9
        self._rows.append((seconds, *told, self._left_road, *place, direction(step.choice.action), label))
        self._left_road = UNTOLD

    def trace(self, seed: int, track: str) -> Trace:
        """The samples so far."""
        columns = np.array(self._rows, np.float32).reshape(-1, len(COLUMNS)).T
        return Trace(seed, track, *columns)


def direction(action: Action) -> float:
    """Where an action steers, -1 left to 1 right; NaN where its spec does not tell."""
    found = directions(action.vector()[None], action.spec)
    return UNTOLD if found is None else float(found[0])


def write_traces(path: Path, traces: Mapping[str, Iterable[Trace]]) -> None:
    """Keep traces by driver as a Parquet file, one row a sample."""
    rows = [(driver, trace) for driver, several in traces.items() for trace in several]
    counts = [len(trace.seconds) for _, trace in rows]
    table = {
        "driver": np.repeat(np.array([driver for driver, _ in rows], object), counts),
        "seed": np.repeat(np.array([trace.seed for _, trace in rows], np.int64), counts),
        "track": np.repeat(np.array([trace.track for _, trace in rows], object), counts),
    }
    for name in COLUMNS:
        table[name] = np.concatenate([getattr(trace, name) for _, trace in rows] or [np.empty(0, np.float32)])
    made = pa.table(table, schema=_SCHEMA)
    pq.write_table(made, path, compression="zstd")


def read_traces(path: Path) -> dict[str, tuple[Trace, ...]]:
    """The traces that `write_traces` kept, by driver, in their order; drives of which nothing was sampled are lost.

    Raises:
        KartError: no such file, or another one.
    """
    try:
        table = pq.read_table(path, schema=_SCHEMA)
    except (OSError, pa.ArrowException) as error:
        raise KartError(f"The traces {path} cannot be read ({error}); materialise `scorecard` again.") from error
    found: dict[str, list[Trace]] = {}
    keys = table.select(["driver", "seed", "track"]).to_pylist()
    starts = [at for at, key in enumerate(keys) if at == 0 or key != keys[at - 1]]
    for begin, end in pairwise([*starts, len(keys)]):
        part = table.slice(begin, end - begin)
        columns = [part.column(name).to_numpy() for name in COLUMNS]
        found.setdefault(keys[begin]["driver"], []).append(Trace(keys[begin]["seed"], keys[begin]["track"], *columns))
    return {driver: tuple(several) for driver, several in found.items()}


_SCHEMA = pa.schema(
    [
        ("driver", pa.string()),
        ("seed", pa.int64()),
        ("track", pa.string()),
        *((name, pa.float32()) for name in COLUMNS),
    ]
)
