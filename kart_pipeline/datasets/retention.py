"""Which built frames nobody needs any more, and their removal; they can be built again, and no session is touched."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.folders import folder_lock

_REMOVING = ".removing"  # what a folder's name ends with between its going and its being gone


@dataclass(frozen=True, slots=True)
class Dead:
    """Frames that can go.

    Attributes:
        folder: of one session's frames under one contract.
        reason: why, as half a sentence.
        bytes: on the disk.
    """

    folder: Path
    reason: str
    bytes: int


def dead_frames(root: Path, live: Mapping[str, str], sessions: Collection[str]) -> Iterator[Dead]:
    """Frames that nobody uses, those of sessions that are gone, and what was left half removed.

    Args:
        root: the datasets folder.
        live: hashes of the contracts that are needed, and by what.
        sessions: ids of all that the store has.
    """
    for contract in sorted((root / "frames").glob("*")):
        for folder in sorted(item for item in contract.iterdir() if item.is_dir()):
            if folder.name.startswith("."):
                if folder.name.endswith(_REMOVING):
                    yield Dead(folder, "it was left half removed", _size(folder))
            elif reason := why_dead(contract.name, folder.name, live, sessions):
                yield Dead(folder, reason, _size(folder))


def why_dead(contract: str, session: str, live: Mapping[str, str], sessions: Collection[str]) -> str:
    """Why nobody needs the frames of a session under a contract, as half a sentence; empty where somebody does."""
    if contract not in live:
        return "its contract is in force nowhere"
    return "" if session in sessions else "its session is not in the store"


def remove(dead: Dead) -> None:
    """Remove frames. Killed in the middle, it leaves nothing that looks like frames, and the next run removes the rest.

    Raises:
        KartError: they are being built, or another program holds them open.
    """
    folder = dead.folder
    if not folder.name.endswith(_REMOVING):
        going = folder.with_name(f".{folder.name}{_REMOVING}")
        try:
            with folder_lock(folder).acquire(blocking=False):
                shutil.rmtree(going, ignore_errors=True)
                folder.rename(going)
        except Timeout:
            raise KartError(f"{folder} is being built just now; left alone.") from None
        except PermissionError as error:
            raise KartError(f"{folder} is in use by another program, perhaps a training; left alone.") from error
        folder = going
    shutil.rmtree(folder)
    (folder.parent / f"{folder.name.removesuffix(_REMOVING)}.lock").unlink(missing_ok=True)
    if not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
