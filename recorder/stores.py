"""Where the recorder writes and where its sessions end up: one folder mostly, two places with a remote store."""

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.recording import STEPS, STREAM, recorded_header
from kart_pipeline.core.remote import RemoteError
from kart_pipeline.core.session_writer import LOCK
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.core.video import VIDEO


@dataclass(frozen=True, slots=True)
class Stores:
    """The two ends of a recording.

    Attributes:
        target: where finished sessions belong.
        local: where they are recorded; the same store, unless `target` is remote.
        recordings: the folder of `local`.
    """

    target: Store
    local: Store
    recordings: Path

    @classmethod
    def open(cls, url: str | None = None, settings: Settings | None = None) -> "Stores":
        """The store at `url`, by default the one of the settings.

        Raises:
            KartError: no such kind of store, or a file where its folder should be.
        """
        settings = settings or Settings.from_env()
        target = Store(url or settings.store_url)
        if target.local_path is None:
            return cls(target, Store(settings.recordings), settings.recordings)
        if target.local_path.exists() and not target.local_path.is_dir():
            raise KartError(f"The store {target.url} is a file; name a folder.")
        return cls(target, target, target.local_path)

    @property
    def remote(self) -> bool:
        """Finished sessions have to be published."""
        return self.target is not self.local

    def folder(self, session_id: str) -> Path:
        """Where a session is, or would be, on this machine."""
        return self.recordings / session_id

    def megabytes(self, session_id: str) -> float | None:
        """Size of a finished session in MB (10^6 bytes); None where there is no copy on this machine."""
        folder = self.folder(session_id)
        return session_megabytes(folder) if (folder / STEPS).exists() else None

    def deliver(self, session_id: str) -> None:
        """Bring a finished session to the target.

        Raises:
            KartError: the target cannot be written.
        """
        if not self.remote:
            return
        try:
            self.target.publish(self.folder(session_id))
        except (OSError, RemoteError) as error:
            raise KartError(
                f"Session {session_id} is safe in {self.folder(session_id)} but did not reach {self.target.url} "
                f"({error}); run `python -m recorder repair --all` when that can be reached."
            ) from error

    def undelivered(self) -> list[str]:
        """Sessions finished on this machine that the target does not have."""
        return sorted({*self.local.ids()} - {*self.target.ids()}) if self.remote else []

    def delete(self, session_id: str) -> None:
        """Move a session to the trash, here and in the target.

        Raises:
            KartError: there is no such session, or it is being recorded at this moment.
        """
        if session_id in self.local.unfinished() and self.is_live(session_id):
            raise KartError(f"Session {session_id} is being recorded; stop its recorder first.")
        if not self.remote:
            self.target.trash.put(session_id)
            return
        here, there = self.folder(session_id).exists(), session_id in self.target.ids()
        if there or not here:
            self.target.trash.put(session_id)
        if here:
            self.local.trash.put(session_id)

    def is_live(self, session_id: str) -> bool:
        """Whether a recorder is writing this unfinished session now; a lock dies with its process."""
        lock = FileLock(self.folder(session_id) / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        return False

    def unfinished_header(self, session_id: str) -> SessionHeader | None:
        """What an unfinished session says about itself; None where it broke off before it could."""
        try:
            return recorded_header(self.folder(session_id) / STREAM)
        except (KartError, FileNotFoundError):  # the second: it was finished just now
            return None


def session_megabytes(folder: Path) -> float:
    """Size of a finished session's rows and frames, 10^6 bytes."""
    return sum((folder / name).stat().st_size for name in (STEPS, VIDEO) if (folder / name).exists()) / 1e6
