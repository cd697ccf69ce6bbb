"""Stores of many sessions: recorded ones, each with pictures of its own, and ones of which only the manifest exists."""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg
import numpy as np

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.recording import MANIFEST
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.orchestration.sensors import sessions_on_disk

GAME = "bench"
SPEC = ActionSpec(("steer",), mirrored_axes=("steer",))
RATE_HZ = 20


def record(store: Store, session_id: str, steps: int = 100, size: tuple[int, int] = (96, 96)) -> None:
    """Record noise of a `size` of (width, height), so that no two sessions are alike."""
    random = np.random.default_rng()
    with store.create(SessionHeader(id=session_id, game=GAME, rate_hz=RATE_HZ, spec=SPEC)) as writer:
        for index in range(steps):
            action = SPEC.action(steer=float(random.uniform(-1, 1)))
            frame = Frame(random.integers(0, 256, (size[1], size[0], 3), np.uint8), index * 1_000_000_000 // RATE_HZ)
            writer.append(Step(index, frame, Choice(action, "human", action)))


def manifests(store: Store, source: str, names: Iterable[str]) -> None:
    """Sessions that a listing sees and nobody can open: the manifest of `source`, under other ids."""
    root = Path(store.url)
    text = (root / source / MANIFEST).read_text(encoding="utf-8")
    for name in names:
        (root / name).mkdir()
        (root / name / MANIFEST).write_text(text.replace(f'"{source}"', f'"{name}"'), encoding="utf-8")


def tick(settings: Settings, instance: dg.DagsterInstance, cursor: str | None) -> tuple[list[str], str | None]:
    """One evaluation of the sensor, its partitions added; the sessions that it asks for, and its cursor."""
    context = dg.build_sensor_context(instance, cursor=cursor, resources={"settings": settings})
    found = sessions_on_disk(context)
    for change in found.dynamic_partitions_requests or ():
        instance.add_dynamic_partitions(change.partitions_def_name, change.partition_keys)
    return [str(request.partition_key) for request in found.run_requests or ()], found.cursor
