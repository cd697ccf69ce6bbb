"""What `push` and `pull` do: which sessions go to the other end or come from there, and what a person is told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from kart_pipeline.core.edits import FILE as EDITS
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.pushed import INDEX, RECORDED, Index, parse_index
from kart_pipeline.core.remote import Remote, RemoteError, Stored
from kart_pipeline.core.transfer import INCOMING, Moved, There, pull, push
from kart_pipeline.core.trash import FOLDER as TRASH
from recorder.display import console
from recorder.stores import Stores

Deed = Callable[[str, Callable[[int], None]], Moved]
Sizes = Mapping[str, int]  # of sessions, bytes


def push_sessions(stores: Stores, remote: Remote, ids: Sequence[str], *, replace_edits: bool = False) -> int:
    """Push some sessions, by default all that are finished and were not deleted at the other end.

    Returns:
        The exit status: 2 where one could not be pushed.

    Raises:
        RemoteError: the other end fails; what is there stays, and the next push goes on from it.
    """
    out, listing = console(), remote.files()
    finished, unfinished = {*stores.local.ids()}, {*stores.local.unfinished()}
    deleted_there = _deleted(listing)
    wanted, refused = [], []
    for session_id in dict.fromkeys(ids or sorted(finished | unfinished)):
        if checked_id(session_id) in finished:
            if ids or session_id not in deleted_there:
                wanted.append(session_id)
            else:
                out.print(f"{session_id} was deleted at {remote.url}; name it to push it all the same.", soft_wrap=True)
        elif ids:
            refused.append(_why_not(stores, session_id))
        else:
            out.print(_why_not(stores, session_id), soft_wrap=True)
    indexes = remote.read_all(f"{name}/{INDEX}" for name in wanted if INDEX in listing.get(name, {}))

    def deed(session_id: str, progress: Callable[[int], None]) -> Moved:
        text = indexes.get(f"{session_id}/{INDEX}")
        index = None if text is None else parse_index(text, session_id)
        there = There(listing.get(session_id, {}), index)
        return push(remote, stores.folder(session_id), there, replace_edits=replace_edits, progress=progress)

    sizes = {session_id: _size(stores.folder(session_id)) for session_id in wanted}
    moved = _each(out, sizes, deed, refused, "pushing", "pushed", "theirs, newer, stay: `python -m recorder pull`")
    _sum_up(out, moved, f"pushed to {remote.url}", "were there already", remote)
    return 2 if refused else 0


def pull_sessions(stores: Stores, remote: Remote, ids: Sequence[str], *, replace_edits: bool = False) -> int:
    """Pull some sessions, by default all that are whole there and were not deleted here.

    Returns:
        The exit status: 2 where one could not be pulled.

    Raises:
        RemoteError: the other end fails; what was fetched stays, and the next pull goes on from it.
    """
    out, listing = console(), remote.files()
    whole = {name for name in listing if _is_id(name) and INDEX in listing[name]}
    half = {name for name in listing if _is_id(name) and {*RECORDED} & {*listing[name]}} - whole
    deleted_here = {name.partition(".")[0] for name in stores.local.trash.names()} - {*stores.local.ids()}
    wanted, refused = [], []
    for session_id in dict.fromkeys(ids or sorted(whole | half)):
        if checked_id(session_id) in deleted_here:
            line = f"{session_id} was deleted here; `python -m recorder restore {session_id}` brings it back."
        elif session_id in whole:
            wanted.append(session_id)
            continue
        elif session_id in half:
            line = f"{session_id} is not whole at {remote.url}: it is being pushed, or that broke off; push it again."
        else:
            line = f"There is no session {session_id} at {remote.url}."
        if ids:
            refused.append(line)
        else:
            out.print(line, soft_wrap=True)
    texts = remote.read_all(f"{name}/{INDEX}" for name in wanted)

    def deed(session_id: str, progress: Callable[[int], None]) -> Moved:
        text = texts.get(f"{session_id}/{INDEX}")
        if text is None:
            raise KartError(f"Session {session_id} was deleted at {remote.url} just now.")
        index: Index = parse_index(text, session_id)
        return pull(remote, index, stores.recordings, replace_edits=replace_edits, progress=progress)

    sizes = {name: sum(stored.size for file, stored in listing[name].items() if file != INDEX) for name in wanted}
    with _alone(stores.recordings, out):
        moved = _each(out, sizes, deed, refused, "pulling", "pulled", "yours, newer, stay: `python -m recorder push`")
    _sum_up(out, moved, f"pulled to {stores.recordings}", "were here already", None)
    return 2 if refused else 0


def _each(
    out: Console, sizes: Sizes, deed: Deed, refused: list[str], doing: str, done: str, kept: str
) -> dict[str, Moved]:
    """Do it for each session, with a bar, and say at the end which could not be moved and why."""
    errors, moved = console(stderr=True), {}
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=errors, transient=True, disable=not errors.is_terminal
    ) as bars:
        bar = bars.add_task(doing, total=sum(sizes.values()))
        for session_id in sizes:
            bars.update(bar, description=f"{doing} {session_id}")
            try:
                found = moved[session_id] = deed(session_id, lambda count: bars.advance(bar, count))
            except RemoteError:
                raise
            except KartError as error:
                refused.append(str(error))
                continue
            if found.size:
                out.print(f"{session_id} {done}, {found.size / 1e6:.1f} MB.", soft_wrap=True)
            elif found.edits in ("ours", "theirs"):
                out.print(f"{session_id}: what is left out differs; {kept}.", soft_wrap=True)
    for line in refused:
        errors.print(line, soft_wrap=True)
    return moved


def _sum_up(out: Console, moved: Mapping[str, Moved], where: str, were: str, remote: Remote | None) -> None:
    sent = [found.size for found in moved.values() if found.size]
    how = ""
    if sent and remote is not None:
        how = ", checked by reading them back" if remote.read_back else ", checked by the store's own digest (ETag)"
    sessions = "1 session" if len(sent) == 1 else f"{len(sent)} sessions"
    out.print(f"{sessions} {where} ({sum(sent) / 1e6:.1f} MB{how}); {len(moved) - len(sent)} {were}.", soft_wrap=True)


def _why_not(stores: Stores, session_id: str) -> str:
    if session_id in stores.local.unfinished():
        if stores.is_live(session_id):
            return f"{session_id} is being recorded; it can be pushed when that is over."
        return f"{session_id} broke off while it was recorded; `python -m recorder repair {session_id}` first."
    if any(name.partition(".")[0] == session_id for name in stores.local.trash.names()):
        return f"{session_id} is in the trash; `python -m recorder restore {session_id}` first."
    return f"There is no session {session_id} in {stores.local.url}."


def _deleted(listing: Mapping[str, Mapping[str, Stored]]) -> set[str]:
    """Ids in the other end's trash."""
    return {name.split("/")[1].partition(".")[0] for name in listing if name.startswith(f"{TRASH}/")}


def _is_id(name: str) -> bool:
    try:
        return bool(checked_id(name))
    except KartError:
        return False


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / name for name in (*RECORDED, EDITS)) if path.exists())


@contextmanager
def _alone(recordings: Path, out: Console) -> Iterator[None]:
    """One pull at a time into a folder; the lock of one that was killed is free."""
    (recordings / INCOMING).mkdir(parents=True, exist_ok=True)
    lock = FileLock(recordings / INCOMING / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        out.print(f"Another pull into {recordings} is running; this one waits for it.", soft_wrap=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
