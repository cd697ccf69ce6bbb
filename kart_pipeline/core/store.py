"""A folder of sessions, here or behind any fsspec URL."""

import contextlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from kart_pipeline.core.edits import FILE as EDITS
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest, SessionHeader
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.recording import MANIFEST, STREAM
from kart_pipeline.core.remote import Remote, open_url
from kart_pipeline.core.session import Session
from kart_pipeline.core.session_writer import SessionWriter
from kart_pipeline.core.transfer import look, push
from kart_pipeline.core.trash import Trash


class Store:
    """Sessions below `url`, one folder each.

    A session is finished when its `manifest.json` exists; nothing else counts, so listing while a recorder writes
    is safe.

    Args:
        url: a folder, or an fsspec URL such as `s3://bucket/sessions` or `memory://sessions`.

    Raises:
        KartError: no filesystem for such a URL.
    """

    def __init__(self, url: str | Path) -> None:
        self._fs, self._root = open_url(str(url))
        self.url = str(url)

    @cached_property
    def local_path(self) -> Path | None:
        """The store's folder where it is a local one, else None."""
        names = (self._fs.protocol,) if isinstance(self._fs.protocol, str) else self._fs.protocol
        return Path(self._root) if "file" in names else None

    @property
    def trash(self) -> Trash:
        """Where its sessions go that are deleted."""
        return Trash(self._fs, self._root)

    def _folder(self, session_id: str) -> str:
        return f"{self._root}/{checked_id(session_id)}"

    def _having(self, name: str) -> set[str]:
        """Ids of the folders that hold a file `name`."""
        if self.local_path is not None:
            return _local_folders_with(self.local_path, name)
        return {folder for folder, files in Remote(self.url).files().items() if name in files and "/" not in folder}

    def ids(self) -> list[str]:
        """Finished sessions, sorted."""
        return sorted(self._having(MANIFEST))

    def unfinished(self) -> list[str]:
        """Sessions that are being recorded, or whose recorder died, sorted."""
        recordings = self._having(STREAM)
        return sorted(recordings - self._having(MANIFEST)) if recordings else []

    def open(self, session_id: str) -> Session:
        """A reader of one finished session; the manifest is read on first use."""
        return Session(self._fs, self._folder(session_id))

    def manifest(self, session_id: str) -> Manifest:
        """The manifest of one finished session."""
        return self.open(session_id).manifest

    def manifests(self) -> Iterator[Manifest]:
        """Those of the finished sessions that can be read, sorted by id; `recorder doctor` names the others."""
        for session_id in self.ids():
            with contextlib.suppress(KartError):
                yield self.manifest(session_id)

    def stamp(self, session_id: str) -> str:
        """A cheap mark that changes when the session is replaced or its edits are saved: no file is opened.

        Raises:
            FileNotFoundError: there is no such session.
        """
        look = self._fs.ukey if self.local_path is None else _local_stamp
        key: str = look(f"{self._folder(session_id)}/{MANIFEST}")
        try:
            return f"{key}-{look(f'{self._folder(session_id)}/{EDITS}')}"
        except FileNotFoundError:
            return key

    def create(self, header: SessionHeader) -> SessionWriter:
        """A writer of a new session.

        Raises:
            KartError: the store is not local (a power cut would leave nothing there), or the id is taken.
        """
        if self.local_path is None:
            raise KartError(f"Recording needs a local folder, not {self.url}; record locally and publish from there.")
        return SessionWriter(self.local_path / checked_id(header.id), header)

    def publish(self, folder: Path) -> None:
        """Copy a finished session from a local folder into this store; the same as `recorder push`.

        Raises:
            KartError: as `transfer.push`.
        """
        remote = Remote(self.url)
        push(remote, folder, look(remote, folder.name))

    def remove(self, session_id: str) -> None:
        """Delete a session for good, the manifest first, so that it is never half there; see `trash`.

        Raises:
            KartError: there is no such session.
        """
        folder = self._folder(session_id)
        if not self._fs.exists(folder):
            raise KartError(f"There is no session {session_id} in {self.url}.")
        manifest: Any = f"{folder}/{MANIFEST}"
        if self._fs.exists(manifest):
            self._fs.rm_file(manifest)
        self._fs.rm(folder, recursive=True)


def _local_stamp(path: str) -> str:
    """What fsspec's `ukey` tells, without its dictionary, text and digest: a tick asks for 10,000 sessions."""
    found = os.stat(path)  # noqa: PTH116
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"


def _local_folders_with(root: Path, name: str) -> set[str]:
    """One listing and a look at each name: fsspec's glob would list every folder, six times as long for 10,000."""
    try:
        with os.scandir(root) as entries:
            return {entry.name for entry in entries if os.path.exists(os.path.join(entry.path, name))}  # noqa: PTH110, PTH118
    except (FileNotFoundError, NotADirectoryError):
        return set()
