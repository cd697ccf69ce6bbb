"""Finishing what a recorder left unfinished, and delivering what did not reach its store."""

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.session_writer import repair
from recorder.display import console
from recorder.stores import Stores


def repair_all(stores: Stores) -> int:
    """Repair and deliver whatever needs it, and say what was saved; live recordings are left alone.

    Returns:
        The exit status: 2 where a recording could not be saved.
    """
    out = console()
    status, found = 0, False
    for session_id in stores.local.unfinished():
        found = True
        if stores.is_live(session_id):
            out.print(f"{session_id} is being recorded; left alone.")
            continue
        if session_id in stores.local.ids():
            continue  # its recorder finished it just now
        try:
            repair_one(stores, session_id)
        except KartError as error:
            status = 2
            out.print(
                f"{session_id} cannot be saved: {error} To be rid of it: `python -m recorder remove {session_id}`."
            )
    for session_id in stores.undelivered():
        found = True
        stores.deliver(session_id)
        out.print(f"{session_id} brought to {stores.target.url}.", soft_wrap=True)
    if not found:
        out.print("There is nothing to repair.")
    return status


def repair_one(stores: Stores, session_id: str) -> None:
    """Finish one session and say what was saved.

    Raises:
        KartError: no such session, it is finished or being recorded, or it holds no frame.
    """
    folder = stores.folder(checked_id(session_id))
    if not folder.exists():
        raise KartError(f"There is no session {session_id} in {stores.local.url}.")
    header = stores.unfinished_header(session_id)
    if header is not None and header.is_video:
        console().print(f"{session_id} is a video; its frames are checked one by one, which takes a while.")
    manifest = repair(folder)
    stores.deliver(session_id)
    console().print(f"{session_id} repaired: {manifest.steps} steps, {manifest.duration_s:.1f} s saved.")
