"""Finishing what a recorder left unfinished, and delivering what did not reach its store."""

from collections.abc import Callable

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.session_writer import repair
from recorder.display import console
from recorder.stores import Stores


def broken_off(stores: Stores) -> list[str]:
    """Recordings whose recorder died, sorted: unfinished, and no process holds them."""
    dead = [session_id for session_id in stores.local.unfinished() if not stores.is_live(session_id)]
    finished = {*stores.local.ids()} if dead else set()
    return [session_id for session_id in dead if session_id not in finished]  # else it was finished just now


def repair_all(stores: Stores) -> int:
    """Repair and deliver whatever needs it, and say what was saved; live recordings are left alone.

    Returns:
        The exit status: 2 where a recording could not be saved.
    """
    out = console()
    status = 0
    dead = broken_off(stores)
    live = [session_id for session_id in stores.local.unfinished() if session_id not in dead]
    for session_id in live:
        out.print(f"{session_id} is being recorded; left alone.")
    for session_id in dead:
        try:
            repair_one(stores, session_id)
        except KartError as error:
            status = 2
            out.print(
                f"{session_id} cannot be saved: {error} To be rid of it: `python -m recorder delete {session_id}`."
            )
    undelivered = stores.undelivered()
    for session_id in undelivered:
        stores.deliver(session_id)
        out.print(f"{session_id} brought to {stores.target.url}.", soft_wrap=True)
    if not (live or dead or undelivered):
        out.print("There is nothing to repair.")
    return status


def repair_one(stores: Stores, session_id: str) -> None:
    """Finish one session, with a bar where that takes long, and say what was saved.

    Raises:
        KartError: no such session, it is finished or being recorded, or it holds no frame.
    """
    header = stores.unfinished_header(checked_id(session_id))
    if header is None or not header.is_video:
        manifest = mend(stores, session_id)
    else:
        out = console(stderr=True)
        if not out.is_terminal:
            out.print(f"{session_id} is a video; its frames are checked one by one, which takes a while.")
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bars:
            bar = bars.add_task(f"checking the frames of {session_id}", total=1.0)
            manifest = mend(stores, session_id, lambda share: bars.update(bar, completed=share))
    console().print(saved(manifest))


def mend(stores: Stores, session_id: str, progress: Callable[[float], None] = lambda _: None) -> Manifest:
    """Finish one session and bring it where it belongs.

    Args:
        stores: where it is and belongs.
        session_id: of the session.
        progress: as for `core.session_writer.repair`.

    Raises:
        KartError: as for `repair_one`; or its store cannot be reached.
    """
    folder = stores.folder(checked_id(session_id))
    if not folder.exists():
        raise KartError(f"There is no session {session_id} in {stores.local.url}.")
    manifest = repair(folder, progress)
    stores.deliver(session_id)
    return manifest


def saved(manifest: Manifest) -> str:
    """What came of a repair, in a sentence."""
    return f"{manifest.id} repaired: {manifest.steps} steps, {manifest.duration_s:.1f} s saved."
