"""A training set and a network to measure training and inference with: a few recorded drives, untrained weights."""

from pathlib import Path

from benchmarks.pictures import sessions
from kart_pipeline.core.contract import Contract
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set


def training_set(folder: Path, count: int = 600) -> TrainingSet:
    """A set of `count` steps of one drive, at PilotNet's published input size."""
    _, session = next(sessions(folder / "sessions", count))
    contract = Contract(session.manifest.spec, session.manifest.rate_hz)
    build_frames(session, contract, folder)
    return build_training_set(folder, contract, session.manifest.game, sessions=[session.manifest])
