"""A session at a glance: how it steers, whether it is fit to learn from, and what was made of it.

The first two need the session's rows, so they are kept in `glances.json` of KART_HOME until the session changes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.health import check_table
from kart_pipeline.datasets.labels import directions, labelled, vectors

FILE = "glances.json"
BINS = 11  # odd: straight ahead has one of its own
_VERSION = 1
_BLOCKS, _ASCII = " ▁▂▃▄▅▆▇█", " .:-=+*#@"


@dataclass(frozen=True, slots=True)
class Glance:
    """What is told of a session in two words.

    Attributes:
        key: of what was looked at: the session's digest, and the mark of its edits.
        histogram: of the steering of the labels, left to right, as counts; empty where nothing steers.
        health: "fit", "fit, N to look at" or "broken", by its rows; `doctor` looks at the pictures too.
    """

    key: str
    histogram: tuple[int, ...]
    health: str


def glance(session: Session) -> Glance:
    """Look at one session.

    Raises:
        KartError: it cannot be read.
    """
    manifest, edits = session.manifest, session.edits
    table = session.table()
    verdicts = check_table(manifest, table)
    bad = [verdict for verdict in verdicts if not verdict.passed]
    health = f"fit, {len(bad)} to look at" if bad else "fit"
    if any(verdict.severity == "error" for verdict in bad):
        health = "broken"
    labels = vectors(table, [f"label_{name}" for name in manifest.spec.names])
    steer = directions(labels[labelled(labels) & edits.kept(table.column("step").to_numpy())], manifest.spec)
    counts = () if steer is None else tuple(np.histogram(np.clip(steer, -1, 1), BINS, (-1, 1))[0].tolist())
    return Glance(_key(session), counts, health)


def glances(
    sessions: Sequence[Session], home: Path, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Glance]:
    """Look at sessions, at those again that have changed since; what cannot be read is left out.

    Args:
        sessions: to look at.
        home: KART_HOME, where the glances are kept.
        progress: is told how many are done.
    """
    path = home / FILE
    known = _load(path)
    found: dict[str, Glance] = {}
    for done, session in enumerate(sessions, 1):
        with suppress(KartError):  # whoever lists them names those that cannot be read
            before = known.get(session.id)
            found[session.id] = before if before and before.key == _key(session) else glance(session)
        progress(done)
    if any(known.get(name) != item for name, item in found.items()):
        with suppress(OSError):  # they are looked at once more, then
            kept = {**known, **found}
            write_json(path, {"version": _VERSION, "sessions": {name: asdict(kept[name]) for name in sorted(kept)}})
    return found


def sparkline(counts: Sequence[int], encoding: str | None = "utf-8") -> str:
    """A histogram as one line of text, a character a bin; in blocks where `encoding` has them."""
    try:
        _BLOCKS.encode(encoding or "ascii")
        levels = _BLOCKS
    except UnicodeEncodeError:
        levels = _ASCII
    most = max(counts, default=0) or 1
    return "".join(levels[-(-count * (len(levels) - 1) // most)] for count in counts)


def _key(session: Session) -> str:
    return f"{session.manifest.digest} {session.edits.mark}".strip()


def _load(path: Path) -> dict[str, Glance]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        items: Mapping[str, Mapping[str, object]] = data["sessions"] if data["version"] == _VERSION else {}
        return {name: _glance(item) for name, item in items.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # nothing is lost but time


def _glance(item: Mapping[str, object]) -> Glance:
    counts = item["histogram"]
    if not isinstance(counts, list):
        raise TypeError("no histogram")
    return Glance(str(item["key"]), tuple(int(count) for count in counts), str(item["health"]))
