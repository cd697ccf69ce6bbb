"""Rules for names that reach a path, a column or a network head; whatever breaks them is refused here."""

import re
import secrets
from datetime import UTC, datetime

from kart_pipeline.core.errors import KartError

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_CHANNEL = re.compile(r"[A-Za-z][0-9A-Za-z_]{0,31}")

# Windows refuses these as file names, whatever their case or extension.
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}

# An action's channel becomes a column beside these, in sessions, frames and training sets.
_COLUMNS = {"step", "t_ns", "frame", "actor", "intervention", "row", "session", "session_index", "split", "weight"}
_PREFIXES = ("label_", "executed_", "state_")


def checked_id(name: str, what: str = "session id") -> str:
    """Return `name` if it may become a folder on every system, else raise KartError.

    Letters, digits, `_` and `-`, at most 64, the first a letter or digit: no separator, no dot, no colon.
    """
    if not isinstance(name, str) or not _ID.fullmatch(name) or name.lower() in _RESERVED:
        raise KartError(
            f"{name!r} cannot be a {what}: use 1 to 64 letters, digits, '_' or '-', beginning with a letter or digit."
        )
    return name


def checked_channel(name: str) -> str:
    """Return `name` if it may name an axis, a button or a state value (a column and a network head), else raise."""
    if not isinstance(name, str) or not _CHANNEL.fullmatch(name):
        raise KartError(
            f"{name!r} cannot name an axis, button or state value: "
            "use 1 to 32 letters, digits or '_', beginning with a letter."
        )
    return name


def checked_action_channel(name: str) -> str:
    """Return `name` if it may name an axis or button: a channel, and not a column that a table has anyway."""
    if checked_channel(name) in _COLUMNS or name.startswith(_PREFIXES):
        raise KartError(f"{name!r} cannot name an axis or button: tables have such a column; choose another name.")
    return name


def new_session_id(game: str, now: datetime | None = None) -> str:
    """A fresh id that sorts by time of recording (UTC) and does not collide: `20261123-031718-car_racing-9f3a1c`."""
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    return checked_id(f"{stamp}-{checked_id(game, 'game name')[:38]}-{secrets.token_hex(3)}")
