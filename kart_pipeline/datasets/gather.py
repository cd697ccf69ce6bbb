"""Which sessions, and which of their rows, a training set is made of; whatever stays out is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.datasets.frames_info import FramesInfo, read_frames_info
from kart_pipeline.datasets.labels import PROGRESS, Bools, Floats, Ints, corrections, labelled, takeovers, vectors


@dataclass(slots=True)
class LeftOutRows:
    """What a training set could not use.

    Attributes:
        sessions: id and reason of each session without a single row in it.
        unlabelled: rows of the other sessions that nobody labelled.
        edited: rows of the other sessions that a person left out.
        embargo: rows between the sides of a split by time.
        frames: steps of the other sessions that have no frame.
    """

    sessions: dict[str, str] = field(default_factory=dict)
    unlabelled: int = 0
    edited: int = 0
    embargo: int = 0
    frames: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `LeftOutRows(**data)` gives an equal object back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The labelled rows of one session.

    Attributes:
        info: of its frames.
        track: as its manifest names it; its group where that names none, or no manifest was given.
        row: int64 `(n,)`, which frames.
        labels: float32 `(n, channels)`.
        correction: bool `(n,)`, a teacher corrected a policy here.
        takeover: bool `(n,)`, and had taken the controls for it.
        progress: float32 `(n,)`, share of the race that is done; NaN where the game does not tell.
    """

    info: FramesInfo
    track: str
    row: Ints
    labels: Floats
    correction: Bools
    takeover: Bools
    progress: Floats


def gather(
    root: Path,
    contract: Contract,
    game: str,
    sessions: Iterable[Manifest] | None,
    edits: Mapping[str, str] | None = None,
) -> tuple[list[Gathered], LeftOutRows]:
    """Read the labels of all sessions of a game that have frames under a contract, in the order of their ids.

    Args:
        root: the datasets folder.
        contract: the one whose frames are taken.
        game: sessions of other games are passed over.
        sessions: those that ought to be there; None takes whatever frames there are.
        edits: by session the mark of its present edits, so that labels of earlier ones are not used; None uses any.

    Raises:
        KartError: there is not a single labelled row.
    """
    left_out = LeftOutRows()
    gathered: list[Gathered] = []
    known: dict[str, str] = {}
    manifests = None if sessions is None else [manifest for manifest in sessions if manifest.game == game]
    tracks = {manifest.id: manifest.track for manifest in manifests or ()}
    for info in _built(root, contract, game, manifests, left_out):
        # the same recording under two ids must not be on both sides of a split
        first = known.setdefault(info.digest, known.setdefault(info.content, info.session))
        if first != info.session:
            left_out.sessions[info.session] = f"it is the same recording as {first}"
            continue
        if edits is not None and info.edits != edits.get(info.session, ""):
            left_out.sessions[info.session] = "other steps of it were left out since; materialise its frames"
            continue
        table = info.labels(["row", *contract.spec.names, "actor", "intervention", PROGRESS])
        labels = vectors(table, contract.spec.names)
        usable = labelled(labels)
        if not usable.any():
            why = "all of it was left out by hand" if info.edited == info.frames else "none of its rows has a label"
            left_out.sessions[info.session] = why
        elif (np.abs(labels[usable]) > 1).any():
            left_out.sessions[info.session] = "a label of it is outside [-1, 1]"
        else:
            track = tracks.get(info.session) or info.group
            gathered.append(
                Gathered(
                    info,
                    track,
                    row=table.column("row").to_numpy()[usable],
                    labels=labels[usable],
                    correction=corrections(table)[usable],
                    takeover=takeovers(table)[usable],
                    progress=_progress(table)[usable],
                )
            )
            left_out.unlabelled += int((~usable).sum()) - info.edited
            left_out.edited += info.edited
            left_out.frames += len(info.left_out)
    if not gathered:
        raise KartError(_nothing(contract, game, left_out))
    return gathered, left_out


def _progress(table: pa.Table) -> Floats:
    if PROGRESS in table.column_names:
        return vectors(table, [PROGRESS])[:, 0]
    return np.full(table.num_rows, np.nan, np.float32)


def _built(
    root: Path, contract: Contract, game: str, manifests: Iterable[Manifest] | None, left_out: LeftOutRows
) -> Iterable[FramesInfo]:
    key = contract.hash
    if manifests is None:
        folder = root / "frames" / key
        names = (item.name for item in folder.iterdir()) if folder.exists() else ()
        for name in sorted(name for name in names if not name.startswith(".")):
            info = read_frames_info(root, key, name)
            if info is None:
                left_out.sessions[name] = "its frames are of another release; build them again"
            elif info.game == game:
                yield info
        return
    for manifest in sorted(manifests, key=lambda item: item.id):
        info = read_frames_info(root, key, manifest.id)
        if info is None:
            left_out.sessions[manifest.id] = "its frames are not built"
        elif info.digest != manifest.digest:
            left_out.sessions[manifest.id] = "it has changed since its frames were built; build them again"
        else:
            yield info


def _nothing(contract: Contract, game: str, left_out: LeftOutRows) -> str:
    if not left_out.sessions:
        return (
            f"There are no frames of {game} under contract {contract.hash}; record with `python -m recorder capture "
            f"--game {game}`, then materialise `frames` in `dagster dev`."
        )
    session, reason = next(iter(left_out.sessions.items()))
    return (
        f"None of {len(left_out.sessions)} sessions of {game} can be learned from; the first, {session}: {reason}. "
        f"Materialise `frames` in `dagster dev`, or record with `python -m recorder capture --game {game}`."
    )
