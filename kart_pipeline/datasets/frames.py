"""The frames of one session as the network sees them: built once, by threads, and mapped from then on.

`<root>/frames/<contract hash>/<session id>/` holds

- `frames.npy`: uint8 `(N, height, width, channels)`, single frames in the session's order. Stacks are formed when they
  are read, by row (`core.prepare.stack_steps`), as the player forms them from the frames that it gets: over a gap (a
  frame that was dropped while recording, or left out here) the frames on both sides are neighbours.
- `labels.parquet`: a row for each frame, see `labels.label_table`. What a person has left out of the session has no
  label; when that changes, this file alone is written anew.
- `frames.json`: a `FramesInfo`; what it was made from decides whether the folder is up to date.

The folder appears by a rename when all three are on the disk.
"""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.durable import replace_file, write_json
from kart_pipeline.core.edits import Edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.folders import folder_lock, replaced_folder
from kart_pipeline.datasets.frames_info import (
    FRAMES,
    INFO,
    LABELS,
    FramesInfo,
    LeftOut,
    frames_folder,
    read_frames_info,
)
from kart_pipeline.datasets.labels import label_shift_ms, label_table, labelled, vectors
from kart_pipeline.datasets.preparing import cores, prepared

RATE_TOLERANCE = 0.2  # a policy that was taught 10 Hz steers visibly late or early outside 8 to 12
SYNC_BYTES = 4 << 20  # go to the disk while others are decoded; all at the end, nothing would be done meanwhile
MOST_LEFT_OUT = 0.1  # beyond it the recording is broken, and neighbours in a stack are no neighbours in time


def build_frames(
    session: Session,
    contract: Contract,
    root: Path,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FramesInfo:
    """Prepare all frames of a session; does nothing where they are there already.

    A picture that cannot be decoded, or has another size than the session's first, is left out together with its row
    and named in the result. Memory does not grow with the session.

    Args:
        session: from any store.
        contract: how a frame becomes an input, and how far labels are shifted.
        root: the datasets folder.
        threads: how many prepare frames at a time; by default one for each core.
        progress: called now and then with the number of steps that are done.

    Returns:
        What was built, or found.

    Raises:
        KartError: session and contract do not fit (channels, rate, crop), more than a tenth of the pictures cannot be
            used, the contract wants a delay that nobody measured, or an outdated folder is held open by another
            program (Windows).
    """
    manifest = session.manifest
    _check_fit(manifest, contract)
    shift_ms, edits = label_shift_ms(contract, manifest), session.edits
    folder = frames_folder(root, contract.hash, session.id)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        found = read_frames_info(root, contract.hash, session.id)
        if found is not None and (found.digest, found.shift_ms) == (manifest.digest, shift_ms):
            return found if found.edits == edits.mark else _relabelled(found, session, contract, edits)
        with replaced_folder(folder) as temporary:
            threads = threads or cores()
            info = _build(session, contract, shift_ms, edits, temporary, threads, progress or (lambda _: None))
        return FramesInfo.from_dict(folder, info.to_dict())


def _check_fit(manifest: Manifest, contract: Contract) -> None:
    if manifest.spec != contract.spec:
        raise KartError(
            f"Session {manifest.id} was recorded with the action spec {manifest.spec.to_dict()}, the contract has "
            f"{contract.spec.to_dict()}; use a contract of the session's spec or leave the session out."
        )
    if abs(manifest.rate_hz - contract.rate_hz) > RATE_TOLERANCE * contract.rate_hz:
        raise KartError(
            f"Session {manifest.id} was recorded at {manifest.rate_hz:g} Hz, the contract is for "
            f"{contract.rate_hz:g} Hz; use a contract of the session's rate or leave the session out."
        )
    inset = (contract.inset.region,) if contract.inset else ()
    for region in (contract.crop, *contract.masks, *inset):
        region.pixels(manifest.width, manifest.height)


def _build(
    session: Session,
    contract: Contract,
    shift_ms: float,
    edits: Edits,
    folder: Path,
    threads: int,
    progress: Callable[[int], None],
) -> FramesInfo:
    began = time.perf_counter()
    manifest, names = session.manifest, contract.spec.names
    content = hashlib.sha256()
    done, unusable = _write_frames(folder / FRAMES, session, contract, threads, content.update, progress)
    table = session.table()
    if done != table.num_rows:
        raise KartError(f"Session {session.id} has {done} frames but {table.num_rows} rows; restore it from a copy.")
    left_out = tuple(LeftOut(table.column("step")[row].as_py(), reason) for row, reason in unusable.items())
    if len(left_out) > MOST_LEFT_OUT * done:
        raise KartError(
            f"{len(left_out)} of {done} frames of session {session.id} cannot be used, the first at step "
            f"{left_out[0].step}: {left_out[0].reason} Record or import the session again, or remove it."
        )
    content.update(table.column("step").to_numpy().tobytes())
    content.update(vectors(table, [*names, *(f"label_{name}" for name in names)]).tobytes())
    kept = np.setdiff1d(np.arange(done), list(unusable))
    labels = label_table(table, contract.spec, shift_ms, manifest.rate_hz, kept, edits)
    _write_table(labels, folder / LABELS)
    info = FramesInfo(
        folder=folder,
        session=session.id,
        game=manifest.game,
        group=manifest.group,
        digest=manifest.digest,
        content=content.hexdigest(),
        contract=contract.hash,
        frames=labels.num_rows,
        labelled=int(labelled(vectors(labels, names)).sum()),
        shift_ms=shift_ms,
        left_out=left_out,
        edits=edits.mark,
        edited=_edited(labels, edits),
        seconds=round(time.perf_counter() - began, 3),
    )
    write_json(folder / INFO, info.to_dict())
    return info


def _relabelled(found: FramesInfo, session: Session, contract: Contract, edits: Edits) -> FramesInfo:
    """The same frames with labels that follow other edits; killed between the two files, it is done again."""
    table, names = session.table(), contract.spec.names
    gone = pa.array([item.step for item in found.left_out], table.schema.field("step").type)
    kept = np.flatnonzero(pc.invert(pc.is_in(table.column("step"), gone)).to_numpy())
    labels = label_table(table, contract.spec, found.shift_ms, session.manifest.rate_hz, kept, edits)
    with replace_file(found.folder / LABELS) as temporary:
        _write_table(labels, temporary)
    count = int(labelled(vectors(labels, names)).sum())
    info = replace(found, labelled=count, edits=edits.mark, edited=_edited(labels, edits))
    write_json(found.folder / INFO, info.to_dict())
    return info


def _edited(labels: pa.Table, edits: Edits) -> int:
    return int((~edits.kept(labels.column("step").to_numpy())).sum())


def _write_frames(
    path: Path,
    session: Session,
    contract: Contract,
    threads: int,
    seen: Callable[[bytes], None],
    progress: Callable[[int], None],
) -> tuple[int, dict[int, str]]:
    """Write `frames.npy`; return how many pictures there were, and why some rows of the session have no frame.

    Parts are appended in order, which costs the same as writing into a map of the whole file and leaves no hole where
    a frame is left out.
    """
    size = (session.manifest.width, session.manifest.height)
    unusable: dict[int, str] = {}
    done = unsynced = 0
    with path.open("wb") as file:
        _write_header(file, 0, contract)
        with closing(prepared(session.pictures(), contract, size, threads)) as parts:
            for part in parts:
                file.write(part.frames.data)
                unsynced += part.frames.nbytes
                if unsynced >= SYNC_BYTES:
                    _sync(file)
                    unsynced = 0
                seen(part.source)
                unusable.update({done + place: reason for place, reason in part.unusable})
                done += part.pictures
                progress(done)
        file.seek(0)
        _write_header(file, done - len(unusable), contract)
        _sync(file)
    return done, unusable


def _write_header(file: IO[bytes], frames: int, contract: Contract) -> None:
    """The head of a `.npy` file. NumPy pads it, so that it takes the same room for any number of frames."""
    shape = (frames, *contract.frame_shape)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _write_table(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        pq.write_table(table, file)
        _sync(file)


def _sync(file: IO[bytes]) -> None:
    """What was written is on the disk afterwards."""
    file.flush()
    os.fsync(file.fileno())
