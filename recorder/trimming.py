"""`python -m recorder trim`: parts of a finished session are left out, or brought back; it stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.edits import Edits, check_range, save_edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.marks import Range
from recorder.display import console
from recorder.stores import Stores


@dataclass(frozen=True, slots=True)
class Trim:
    """What a person wants of a session.

    Attributes:
        leave_out, bring_back: ranges, as typed: FROM-TO, or FROM- up to the end, or -TO from the beginning on.
        in_steps: they are steps, not seconds.
        undo: take the last change back.
        clear: take all of them back.
    """

    leave_out: Sequence[str] = ()
    bring_back: Sequence[str] = ()
    in_steps: bool = False
    undo: bool = False
    clear: bool = False


def trim(stores: Stores, session_id: str, wish: Trim) -> None:
    """Change what is left out of a session, and say what is left out then.

    Raises:
        KartError: there is no such finished session, a range is none of it, or somebody else edits it too.
    """
    session = stores.target.open(session_id)
    table = session.table(["step", "t_ns"])
    steps, t_ns = (table.column(name).to_numpy() for name in ("step", "t_ns"))
    seconds = (t_ns - t_ns[0]) / 1e9
    edits = session.edits
    changed = _undone(edits, wish)
    for text in wish.leave_out:
        changed = changed.with_range(*_range(text, steps, seconds, in_steps=wish.in_steps))
    for text in wish.bring_back:
        changed = changed.without_range(*_range(text, steps, seconds, in_steps=wish.in_steps))
    if changed != edits:
        if session.local_path is None:
            raise KartError(f"{stores.target.url} is a remote store; only sessions in a local folder can be trimmed.")
        edits = save_edits(session.local_path, changed, based_on=edits.revision)
    _tell(session_id, edits, steps, seconds)


def _undone(edits: Edits, wish: Trim) -> Edits:
    if wish.undo:
        return edits.undone()
    return edits.changed([]) if wish.clear else edits


def _range(text: str, steps: npt.NDArray[np.int64], seconds: npt.NDArray[np.float64], *, in_steps: bool) -> Range:
    """The steps that a person means.

    Raises:
        KartError: it cannot be read, or lies outside of the session.
    """
    first, dash, last = text.partition("-")
    try:
        if not dash or not (first or last):
            raise ValueError
        if in_steps:
            return check_range(int(first or steps[0]), int(last or steps[-1]), steps)
        begin, end = float(first or 0.0), float(last or seconds[-1])
    except ValueError:
        what = "120-210 in steps" if in_steps else "12.5-15 in seconds"
        raise KartError(f"{text!r} is no range; write it as {what}, or leave an end away for the session's.") from None
    inside = np.flatnonzero((seconds >= begin) & (seconds <= end))
    if not len(inside):
        raise KartError(f"The session has no step from {begin:g} to {end:g} s; it lasts {seconds[-1]:.1f} s.")
    return int(steps[inside[0]]), int(steps[inside[-1]])


def _tell(session_id: str, edits: Edits, steps: npt.NDArray[np.int64], seconds: npt.NDArray[np.float64]) -> None:
    out = console()
    for first, last in edits.left_out:
        begin, end = (seconds[np.searchsorted(steps, step)] for step in (first, min(last, int(steps[-1]))))
        out.print(f"left out: {begin:.2f} to {end:.2f} s (steps {first} to {last})", highlight=False)
    gone = int((~edits.kept(steps)).sum())
    if not gone:
        out.print(f"Nothing is left out of {session_id}.", highlight=False)
    else:
        out.print(f"{gone} of {len(steps)} steps of {session_id} are left out; --undo takes it back.", highlight=False)
