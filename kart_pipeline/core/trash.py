"""Where deleted sessions go: `.trash` in their store, from which they come back as they were."""

from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.recording import MANIFEST

FOLDER = ".trash"  # no session has such a name, and no listing of a store looks into it


class Trash:
    """The trash of one store.

    Args:
        filesystem: an fsspec filesystem.
        root: the store's folder in it.
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        self._fs = filesystem
        self._root = root
        self._folder = f"{root}/{FOLDER}"

    def names(self) -> list[str]:
        """What is in it, sorted: ids, of a session that was deleted more than once with a number behind it."""
        self._fs.invalidate_cache()
        try:
            found: list[str] = self._fs.ls(self._folder, detail=False)
        except FileNotFoundError:
            return []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def megabytes(self, name: str) -> float:
        """Its size, 10^6 bytes."""
        size: int = self._fs.du(self._path(name))
        return size / 1e6

    def put(self, session_id: str) -> str:
        """Move a session here; the name that it has here.

        Raises:
            KartError: there is no such session, or another program holds it open.
        """
        source = f"{self._root}/{checked_id(session_id)}"
        if not self._fs.exists(source):
            raise KartError(f"There is no session {session_id} in {self._root}.")
        taken = set(self.names())
        name, number = session_id, 1
        while name in taken:
            number += 1
            name = f"{session_id}.{number}"
        self._fs.makedirs(self._folder, exist_ok=True)
        self._move(source, f"{self._folder}/{name}", session_id)
        return name

    def restore(self, name: str) -> str:
        """Move it back; its id.

        Raises:
            KartError: there is no such thing here, or the store has a session of that id.
        """
        source = self._path(name)
        session_id = checked_id(name.partition(".")[0])
        target = f"{self._root}/{session_id}"
        if self._fs.exists(target):
            raise KartError(f"The store has a session {session_id} already; delete that one first, if it may go.")
        self._move(source, target, session_id)
        return session_id

    def empty(self, name: str) -> None:
        """Delete it for good.

        Raises:
            KartError: there is no such thing here.
        """
        self._fs.rm(self._path(name), recursive=True)

    def _path(self, name: str) -> str:
        if name not in self.names():
            raise KartError(f"There is no {name} in the trash; `python -m recorder trash` shows what is.")
        return f"{self._folder}/{name}"

    def _move(self, source: str, target: str, session_id: str) -> None:
        """By a rename where there is one; else the manifest comes last and goes first: no session is half there."""
        protocol = self._fs.protocol
        try:
            if "file" in ((protocol,) if isinstance(protocol, str) else protocol):
                self._fs.mv(source, target)
                return
            files = sorted(self._fs.find(source), key=lambda path: path.endswith(f"/{MANIFEST}"))
            for path in files:
                self._fs.cp_file(path, target + path[len(source) :])
            for path in reversed(files):
                self._fs.rm_file(path)
            if self._fs.exists(source):
                self._fs.rm(source, recursive=True)
        except PermissionError as error:
            raise KartError(
                f"Session {session_id} cannot be moved ({error.strerror or error}); is it open in another program?"
            ) from error
