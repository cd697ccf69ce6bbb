"""What a folder of built frames says about itself, and how its arrays are opened."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id

FRAMES, LABELS, INFO = "frames.npy", "labels.parquet", "frames.json"

VERSION = 1  # of what `build_frames` writes; another one is built anew


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A step of the session that has no frame here, and why."""

    step: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesInfo:
    """The frames of one session under one contract.

    Attributes:
        folder: where they are.
        session: its id.
        game, group: from its manifest.
        digest: of the session that they were made from.
        content: SHA-256 of its pictures, steps, actions and labels, hex: equal for a recording that was imported twice
            under two ids, whose digests differ.
        contract: hash of the contract.
        frames: how many there are.
        labelled: how many of them have a label.
        shift_ms: how much later than its frame a label was made.
        left_out: the steps that have none.
        edits: the mark of the edits that the labels follow, see `core.edits.Edits.mark`.
        edited: how many frames have no label because of them.
        seconds: what building took.
    """

    folder: Path
    session: str
    game: str
    group: str
    digest: str
    content: str
    contract: str
    frames: int
    labelled: int
    shift_ms: float = 0.0
    left_out: tuple[LeftOut, ...] = ()
    edits: str = ""
    edited: int = 0
    seconds: float = 0.0

    def open(self) -> np.memmap[Any, np.dtype[np.uint8]]:
        """The frames, mapped: uint8 `(frames, height, width, channels)`."""
        frames: np.memmap[Any, np.dtype[np.uint8]] = np.load(self.folder / FRAMES, mmap_mode="r")
        return frames

    def labels(self, columns: list[str] | None = None) -> pa.Table:
        """The rows beside the frames, see `labels.label_table`."""
        # one small file: opening it as a dataset, or with threads, takes longer than reading it
        with pq.ParquetFile(self.folder / LABELS) as file:
            return file.read(columns=columns, use_threads=False)

    def left_out_reasons(self) -> dict[str, int]:
        """How many steps were left out for which reason, the commonest first."""
        return dict(Counter(item.reason for item in self.left_out).most_common())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without the folder: it may be moved."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "folder"}
        return {"version": VERSION, **fields, "left_out": [[item.step, item.reason] for item in self.left_out]}

    @classmethod
    def from_dict(cls, folder: Path, data: Mapping[str, Any]) -> "FramesInfo":
        """Inverse of `to_dict`; KeyError, TypeError or ValueError where `data` is something else."""
        data = {"shift_ms": 0.0, "edits": "", "edited": 0, **data}  # what was built before there were any
        fields = {name: data[name] for name in cls.__dataclass_fields__ if name != "folder"}
        fields["left_out"] = tuple(LeftOut(step, reason) for step, reason in data["left_out"])
        return cls(folder=folder, **fields)


def frames_folder(root: Path, contract_hash: str, session_id: str) -> Path:
    """Where the frames of a session under a contract are, or would be."""
    return root / "frames" / contract_hash / checked_id(session_id)


def read_frames_info(root: Path, contract_hash: str, session_id: str) -> FramesInfo | None:
    """What was built for a session under a contract; None where nothing whole was, or by another release.

    Raises:
        KartError: `frames.json` is damaged.
    """
    folder = frames_folder(root, contract_hash, session_id)
    try:
        data = json.loads((folder / INFO).read_text(encoding="utf-8"))
        whole = data["version"] == VERSION and all((folder / name).is_file() for name in (FRAMES, LABELS))
        return FramesInfo.from_dict(folder, data) if whole else None
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise KartError(
            f"{folder / INFO} is damaged ({error!r}); delete the folder {folder} and build again."
        ) from error
