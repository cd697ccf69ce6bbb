"""Folders that appear whole or not at all, and that one process at a time may change."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from kart_pipeline.core.errors import KartError


def folder_lock(folder: Path) -> FileLock:
    """What whoever changes a folder must hold; it lies beside it."""
    return FileLock(folder.with_name(f".{folder.name}.lock"))


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that takes its place when the block succeeds, and else is removed.

    What a killed process left of an earlier try is removed first; the caller holds the lock.

    Raises:
        KartError: the outdated folder is held open by another program (Windows).
    """
    temporary, outdated = folder.with_name(f".{folder.name}.building"), folder.with_name(f".{folder.name}.outdated")
    for leftover in (temporary, outdated):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if folder.exists():
            try:
                folder.rename(outdated)
            except PermissionError as error:
                raise KartError(
                    f"{folder} is in use by another program, perhaps a training; try again later."
                ) from error
        temporary.rename(folder)
    finally:
        for leftover in (temporary, outdated):
            shutil.rmtree(leftover, ignore_errors=True)
