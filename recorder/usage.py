"""Which training sets and models a session went into: by the files that the pipeline left beside them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.training_set import INDEX, load_training_set

SET = "training set"


def used_by(settings: Settings) -> Mapping[str, list[str]]:
    """By session, what was made of it, the training sets first: "training set", "kart-car_racing v2", "run 3f2a…".

    Models that a tracking server keeps elsewhere are not known here.
    """
    found: dict[str, list[str]] = {}
    for what, sessions in (*_training_sets(settings.datasets), *_models(settings.artifacts)):
        for session in sessions:
            names = found.setdefault(session, [])
            if what not in names:
                names.append(what)
    return found


def _training_sets(datasets: Path) -> Iterator[tuple[str, list[str]]]:
    for path in sorted(datasets.glob(f"training_sets/*/{INDEX}")):
        try:
            yield SET, [entry.id for entry in load_training_set(path).sessions]
        except KartError:  # of another release; it is built anew before anybody learns from it
            continue


def _models(artifacts: Path) -> Iterator[tuple[str, list[str]]]:
    named = []
    for path in artifacts.glob("*/artifacts/training_set.json"):
        try:
            sessions = [str(item["id"]) for item in _read(path)["sessions"]]
        except (OSError, ValueError, KeyError, TypeError):  # being written, or of another release
            continue
        named.append((*_name(path), sessions))
    for _, name, sessions in sorted(named):
        yield name, sessions


def _name(path: Path) -> tuple[int, str]:
    """What a run's model is called, and a number to sort by."""
    try:
        about = _read(path.with_name("registered.json"))
        return int(about["version"]), f"{about['name']} v{about['version']}"
    except (OSError, ValueError, KeyError, TypeError):  # it has registered none, or none yet
        return 2**31, f"run {path.parents[1].name[:8]}"


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
