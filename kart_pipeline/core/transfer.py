"""Finished sessions to the other end of a URL and back: resumed where they broke off, checked byte by byte.

Nothing here is ever removed or overwritten at either end but edits, and those only by edits that were made on them.
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.edits import FILE as EDITS
from kart_pipeline.core.edits import parse_edits, put_edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.fingerprint import Fingerprint, fingerprint
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.pushed import (
    INDEX,
    RECORDED,
    Entry,
    Index,
    base_edits,
    newer_edits,
    note_base_edits,
    parse_index,
)
from kart_pipeline.core.recording import MANIFEST
from kart_pipeline.core.remote import Progress, Remote, RemoteError, Stored
from kart_pipeline.core.session import Session
from kart_pipeline.core.video import VIDEO

INCOMING = ".incoming"  # beside the sessions: what is on its way here; no listing of a store looks into it


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of one session.

    Attributes:
        size: bytes that were sent or fetched; 0 where all was there.
        edits: whose were newer: "ours" and "theirs" as `newer_edits` says.
    """

    size: int
    edits: str


@dataclass(frozen=True, slots=True)
class There:
    """What the other end has of one session: its files, and its index once it is whole."""

    files: Mapping[str, Stored]
    index: Index | None


def look(remote: Remote, session_id: str) -> There:
    """What is there of one session.

    Raises:
        KartError: the other end fails, or the index is damaged.
    """
    files = remote.files(checked_id(session_id)).get(session_id, {})
    found = remote.read_all([f"{session_id}/{INDEX}"]) if INDEX in files else {}
    index = [parse_index(text, session_id) for text in found.values()]
    return There(files, index[0] if index else None)


def push(
    remote: Remote, folder: Path, there: There, *, replace_edits: bool = False, progress: Progress = lambda _: None
) -> Moved:
    """Bring a finished session there: what is missing of it, its index last; of one that is there only newer edits.

    Args:
        remote: the other end.
        folder: of the session, here.
        there: what the other end has of it.
        replace_edits: put our edits in the place of others'.
        progress: hears of bytes that were sent, or that need not be.

    Raises:
        KartError: it is not finished or damaged, another session of that id is there, its edits were changed at both
            ends, or the other end fails.
    """
    session = _local(folder)
    files = {name: folder / name for name in _recorded(session)}
    ours = fingerprint(folder / EDITS) if (folder / EDITS).exists() else None
    if there.index is not None:
        _check_same(there.index, folder, remote)
        return _renew(remote, folder, there.index, ours, replace_edits=replace_edits, progress=progress)
    for name, path in files.items():
        if not path.exists():
            raise KartError(f"Session {folder.name} has a manifest but no {name}; restore it from a copy.")
    session.verify()
    wanted = {name: fingerprint(path) for name, path in files.items()}
    missing = [name for name in files if name not in there.files]
    for name in files:
        if name not in missing and not remote.holds(f"{folder.name}/{name}", there.files[name], wanted[name]):
            raise _another(remote, folder.name, name)
    progress(sum(wanted[name].size for name in files if name not in missing))
    index = {name: Entry(wanted[name].size, wanted[name].sha256) for name in files}
    if ours is not None:  # before the manifest: who sees the session sees what is left out of it
        wanted[EDITS], index[EDITS] = ours, Entry(ours.size, ours.sha256)
        missing.insert(max(len(missing) - 1, 0), EDITS)
    for name in missing:
        remote.put(folder / name, f"{folder.name}/{name}", progress)
    _check_sent(remote, folder.name, {name: wanted[name] for name in missing})
    _seal(remote, folder, Index(folder.name, index))
    return Moved(sum(wanted[name].size for name in missing), "same")


def pull(
    remote: Remote, index: Index, recordings: Path, *, replace_edits: bool = False, progress: Progress = lambda _: None
) -> Moved:
    """Bring a whole session from there into a folder of sessions, where it appears when all of it was checked.

    Args:
        remote: the other end.
        index: of the session there.
        recordings: the folder of sessions here; nobody else may pull into it meanwhile.
        replace_edits: put the edits of the other end in the place of ours.
        progress: hears of bytes that were fetched, or that need not be.

    Raises:
        KartError: what is there is not what was pushed, another session of that id is here, its edits were changed at
            both ends, or the other end fails.
    """
    folder = recordings / checked_id(index.session)
    if folder.exists():
        _local(folder)
        _check_same(index, folder, remote)
        return _take_edits(remote, folder, index, replace_edits=replace_edits, progress=progress)
    incoming = recordings / INCOMING / index.session
    incoming.mkdir(parents=True, exist_ok=True)
    fetched = sum(_fetch(remote, index, name, incoming, progress) for name in index.files)
    for path in incoming.iterdir():
        if path.name not in index.files:
            path.unlink()  # halves that a killed pull has left
    _local(incoming).verify()
    if EDITS in index.files:
        parse_edits((incoming / EDITS).read_bytes(), index.session)
    note_base_edits(incoming, remote.url, index.edits)
    incoming.rename(folder)
    return Moved(fetched, "same")


def _local(folder: Path) -> Session:
    import fsspec

    if not (folder / MANIFEST).exists():
        raise KartError(
            f"{folder} holds no finished session: it is still being recorded, or broke off; for that there is "
            "`python -m recorder repair`."
        )
    return Session(fsspec.filesystem("file"), folder.as_posix())


def _recorded(session: Session) -> list[str]:
    return [name for name in RECORDED if name != VIDEO or session.manifest.is_video]


def _check_same(index: Index, folder: Path, remote: Remote) -> None:
    """The manifest holds the digest of all else that was recorded: where it is the same, all is."""
    if fingerprint(folder / MANIFEST).sha256 != index.files[MANIFEST].sha256:
        raise _another(remote, folder.name, MANIFEST)


def _another(remote: Remote, session_id: str, name: str) -> KartError:
    return KartError(
        f"{remote.url} already holds another session {session_id} ({name} differs); neither was touched. "
        "Rename or delete one of the two."
    )


def _check_sent(remote: Remote, session_id: str, wanted: Mapping[str, Fingerprint]) -> None:
    stored = remote.files(session_id).get(session_id, {})
    for name, content in wanted.items():
        if not remote.holds(f"{session_id}/{name}", stored.get(name), content):
            raise RemoteError(
                f"{name} of session {session_id} arrived at {remote.url} with another digest than it has here; "
                "delete that file there and push again."
            )


def _seal(remote: Remote, folder: Path, index: Index) -> None:
    """Write the index there: from now on the session is whole."""
    with tempfile.TemporaryDirectory() as made:
        sealed = Path(made) / INDEX
        sealed.write_bytes(index.to_json())
        remote.put(sealed, f"{index.session}/{INDEX}", lambda _: None)
        _check_sent(remote, index.session, {INDEX: fingerprint(sealed)})
    note_base_edits(folder, remote.url, index.edits)


def _renew(
    remote: Remote, folder: Path, index: Index, ours: Fingerprint | None, *, replace_edits: bool, progress: Progress
) -> Moved:
    newer = newer_edits(ours.sha256 if ours else None, index.edits, base_edits(folder, remote.url))
    if newer == "both" and not replace_edits:
        raise _both(remote, folder, "push", "puts yours in place of theirs")
    progress(index.size)
    if ours is None or newer == "same" or (newer == "theirs" and not replace_edits):
        return Moved(0, newer)
    remote.put(folder / EDITS, f"{folder.name}/{EDITS}", lambda _: None)
    _check_sent(remote, folder.name, {EDITS: ours})
    _seal(remote, folder, Index(index.session, {**index.files, EDITS: Entry(ours.size, ours.sha256)}))
    return Moved(ours.size, "ours")


def _take_edits(remote: Remote, folder: Path, index: Index, *, replace_edits: bool, progress: Progress) -> Moved:
    ours = fingerprint(folder / EDITS).sha256 if (folder / EDITS).exists() else None
    newer = newer_edits(ours, index.edits, base_edits(folder, remote.url))
    if newer == "both" and not replace_edits:
        raise _both(remote, folder, "pull", "puts theirs in place of yours")
    progress(index.size)
    if index.edits is None or newer == "same" or (newer == "ours" and not replace_edits):
        return Moved(0, newer)
    incoming = folder.parent / INCOMING / folder.name
    incoming.mkdir(parents=True, exist_ok=True)
    size = _fetch(remote, index, EDITS, incoming, lambda _: None)
    put_edits(folder, (incoming / EDITS).read_bytes(), in_place_of=ours)
    shutil.rmtree(incoming)
    note_base_edits(folder, remote.url, index.edits)
    return Moved(size, "theirs")


def _both(remote: Remote, folder: Path, command: str, what: str) -> KartError:
    return KartError(
        f"What is left out of session {folder.name} was changed here and at {remote.url}; "
        f"`python -m recorder {command} {folder.name} --replace-edits` {what}, or leave both as they are."
    )


def _fetch(remote: Remote, index: Index, name: str, incoming: Path, progress: Progress) -> int:
    """Fetch a file unless it is here; how many bytes that took."""
    wanted, target = index.files[name], incoming / name
    if target.exists() and fingerprint(target).sha256 == wanted.sha256:
        progress(wanted.size)
        return 0
    with replace_file(target) as temporary:
        remote.fetch(f"{index.session}/{name}", temporary, progress)
        if fingerprint(temporary).sha256 != wanted.sha256:
            raise KartError(
                f"{name} of session {index.session} at {remote.url} is not what was pushed: its digest differs, and it "
                "was not taken. Delete the session there, and push it again from where it was recorded."
            )
    return wanted.size
