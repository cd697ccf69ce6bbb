"""Before a recording: what an earlier one left is saved, if the person wants it."""

from collections.abc import Callable

from kart_pipeline.core.errors import KartError
from recorder.live.terminal import typing_possible
from recorder.mending import broken_off, repair_one
from recorder.stores import Stores


def offer_repair(stores: Stores, say: Callable[[str], None]) -> None:
    """Ask whether recordings that broke off are to be saved, and do it; where nobody can answer, say how to do it.

    One that cannot be saved is said and left where it is: it must not keep a person from recording.
    """
    dead = broken_off(stores)
    if not dead:
        return
    if not typing_possible():
        say(f"{', '.join(dead)} broke off; `python -m recorder repair --all` saves what was recorded.")
        return
    say(f"{', '.join(dead)} broke off. Save what was recorded now? [Y/n]")
    if not _agreed():
        say("Left as it is; `python -m recorder repair --all` saves it later.")
        return
    for session_id in dead:
        try:
            repair_one(stores, session_id)
        except KartError as error:
            say(f"{session_id} cannot be saved: {error} To be rid of it: `python -m recorder delete {session_id}`.")


def _agreed() -> bool:
    try:
        return input().strip().lower() in ("", "y", "yes")
    except EOFError:  # Ctrl-D
        return False
