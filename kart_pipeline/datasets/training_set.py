"""The index over all frames of one game and one contract: which are learned from, with what label and weight.

`<root>/training_sets/<game>/training_set.parquet` has a row for each labelled frame (session, row, the channels, split,
weight) and says in its schema's metadata what it was made from and what was left out.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.names import checked_id
from kart_pipeline.datasets import frames_info
from kart_pipeline.datasets.balance import (
    TAKEOVER_WEIGHT,
    Balance,
    Histogram,
    balance_weights,
    correction_weights,
    histogram,
    places,
)
from kart_pipeline.datasets.entries import SessionEntry, session_entry
from kart_pipeline.datasets.frames_info import FramesInfo, read_frames_info
from kart_pipeline.datasets.gather import Gathered, LeftOutRows, gather
from kart_pipeline.datasets.labels import Floats, Ints, directions, vectors
from kart_pipeline.datasets.sides import choose_sides
from kart_pipeline.datasets.split import HoldOut, Side

INDEX = "training_set.parquet"
METADATA_KEY = b"kart"

VERSION = 2  # of the split, the weights and the file; part of a training set's own version


@dataclass(frozen=True, slots=True, eq=False)
class RowSet:
    """Rows of one side.

    Attributes:
        session_index: int32 `(n,)`, position in `TrainingSet.sessions`.
        row: int64 `(n,)`, position in that session's frames.
        labels: float32 `(n, len(spec))`.
        weight: float32 `(n,)`, of mean 1 over the training rows; 1 for held-out rows.
    """

    session_index: npt.NDArray[np.int32]
    row: Ints
    labels: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Read with `load_training_set`; rows are in memory, frames are mapped.

    Attributes:
        path: of the index.
        game, contract: what it is for.
        sessions: sorted by id; `session_index` counts here.
        version: SHA-256 of all that decides its content, hex.
        split_kind: how sides were chosen, in words.
        options: val_fraction, balance, hold_out, correction_weight and takeover_weight, as given.
        left_out: what is not in it.
        steering: where the training rows steer, before and after weighting; None where the spec does not tell, see
            `labels.directions`.
    """

    path: Path
    game: str
    contract: Contract
    sessions: tuple[SessionEntry, ...]
    version: str
    split_kind: str
    options: dict[str, Any]
    left_out: LeftOutRows
    steering: Histogram | None
    _table: pa.Table = field(repr=False)

    def rows(self, split: Side) -> RowSet:
        """The rows of one side, by session and then in the order of driving."""
        table = self._table.filter(pc.equal(self._table.column("split"), split))
        return RowSet(
            table.column("session_index").to_numpy(),
            table.column("row").to_numpy(),
            vectors(table, self.contract.spec.names),
            table.column("weight").to_numpy(),
        )

    def frames(self, session_index: int) -> np.memmap[Any, np.dtype[np.uint8]]:
        """All frames of a session, mapped: uint8 `(N, height, width, channels)`. Each call opens them anew.

        Raises:
            KartError: they are gone, or were built from another version of the session.
        """
        return self._info(session_index).open()

    def executed(self, session_index: int) -> Floats:
        """What was done in all frames of a session, whether labelled or not: float32 `(N, len(spec))`.

        Raises:
            KartError: as in `frames`.
        """
        columns = [f"executed_{name}" for name in self.contract.spec.names]
        return vectors(self._info(session_index).labels(columns), columns)

    def _info(self, session_index: int) -> FramesInfo:
        entry = self.sessions[session_index]
        info = read_frames_info(self.path.parents[2], self.contract.hash, entry.id)
        if info is None or info.digest != entry.digest:
            raise KartError(
                f"The frames of session {entry.id} are not those that the training set of {self.game} was made from; "
                "build frames and training set again."
            )
        return info


def build_training_set(
    root: Path,
    contract: Contract,
    game: str,
    *,
    sessions: Iterable[Manifest] | None = None,
    edits: Mapping[str, str] | None = None,
    val_fraction: float = 0.2,
    balance: Balance = "histogram",
    hold_out: HoldOut = "group",
    correction_weight: float = 1.0,
    takeover_weight: float = TAKEOVER_WEIGHT,
) -> TrainingSet:
    """Index all labelled frames of a game under one contract, and write the index in one stroke.

    Args:
        root: the datasets folder, with frames in it.
        contract: only its frames are taken.
        game: only its sessions are taken.
        sessions: those that ought to be in it, so that one whose frames are not built is named; None takes all frames
            that there are, and knows no tracks.
        edits: by session the mark of its present edits; one whose labels follow others is left out and named.
        val_fraction: the share to hold out, see `split`.
        balance: how training rows are weighted, see `balance`.
        hold_out: what is held out whole, see `sides`.
        correction_weight: how many times as much as another a training row counts where a policy acted and a teacher
            said what would have been right.
        takeover_weight: the same where a teacher had taken the controls.

    Raises:
        KartError: there is nothing to learn from, too little for two sides, or an option is out of range.
    """
    if sessions is None and hold_out == "track":
        raise KartError("Which track a session is of is known from its manifest alone; name the sessions.")
    gathered, left_out = gather(root, contract, game, sessions, edits)
    names = contract.spec.names
    counts = [len(item.row) for item in gathered]
    session_index = np.repeat(np.arange(len(gathered), dtype=np.int32), counts)
    row = np.concatenate([item.row for item in gathered])
    labels = np.concatenate([item.labels for item in gathered])
    sides, split_kind = choose_sides(gathered, hold_out, val_fraction, (contract.stack - 1) * contract.stride)
    left_out.embargo = int((sides == "").sum())

    train = sides == "train"
    steer = directions(labels[train], contract.spec)
    weight = np.ones(len(row), np.float32)
    correction, takeover = (
        np.concatenate([getattr(item, name) for item in gathered])[train] for name in ("correction", "takeover")
    )
    balanced = balance_weights(balance, steer, _places(gathered)[train])
    weight[train] = correction_weights(balanced, correction, takeover, correction_weight, takeover_weight)
    figures = None if steer is None else histogram(steer, weight[train])

    options = {
        "val_fraction": val_fraction,
        "balance": balance,
        "hold_out": hold_out,
        "correction_weight": correction_weight,
        "takeover_weight": takeover_weight,
    }
    metadata = {
        "game": game,
        "contract": contract.to_dict(),
        "version": _version(gathered, contract, game, options),
        "split_kind": split_kind,
        "options": options,
        "left_out": left_out.to_dict(),
        "steering": figures and figures.to_dict(),
        "sessions": [
            asdict(session_entry(item, part))
            for item, part in zip(gathered, np.split(sides, np.cumsum(counts)[:-1]), strict=True)
        ],
    }
    table = pa.table(
        {
            "session": pa.DictionaryArray.from_arrays(session_index, [item.info.session for item in gathered]),
            "session_index": session_index,
            "row": row,
            **{name: labels[:, place] for place, name in enumerate(names)},
            "split": pa.array(sides).dictionary_encode(),
            "weight": weight,
        },
    ).replace_schema_metadata({METADATA_KEY: json.dumps(metadata)})
    path = root / "training_sets" / checked_id(game, "game name") / INDEX
    with replace_file(path) as temporary:
        pq.write_table(table.filter(pa.array(sides != "")), temporary)
    return load_training_set(path)


def load_training_set(path: Path) -> TrainingSet:
    """Read an index.

    Raises:
        KartError: there is none, or the file is no such index.
    """
    try:
        table = pq.read_table(path)
        metadata = json.loads(table.schema.metadata[METADATA_KEY])
        figures = metadata["steering"]
        return TrainingSet(
            path=path,
            game=metadata["game"],
            contract=Contract.from_dict(metadata["contract"]),
            sessions=tuple(SessionEntry(**entry) for entry in metadata["sessions"]),
            version=metadata["version"],
            split_kind=metadata["split_kind"],
            options=metadata["options"],
            left_out=LeftOutRows(**metadata["left_out"]),
            steering=figures and Histogram.from_dict(figures),
            _table=table,
        )
    except FileNotFoundError:
        raise KartError(f"There is no training set {path}; materialise `training_set` in `dagster dev`.") from None
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError) as error:
        raise KartError(f"{path} is no training set ({error!r}); materialise `training_set` again.") from error


def _places(gathered: list[Gathered]) -> Ints:
    known = {track: number for number, track in enumerate(sorted({item.track for item in gathered}))}
    return np.concatenate([places(np.full(len(item.row), known[item.track]), item.progress) for item in gathered])


def _version(gathered: list[Gathered], contract: Contract, game: str, options: dict[str, Any]) -> str:
    sessions = sorted(
        (item.info.session, item.info.digest, item.track, *([item.info.edits] if item.info.edits else []))
        for item in gathered
    )
    parts = [VERSION, frames_info.VERSION, game, contract.hash, options, sessions]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
