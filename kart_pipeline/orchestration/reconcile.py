"""What is on the disk against what is known of it: which sessions are new, changed or gone, with no Dagster in it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.store import Store
from kart_pipeline.games.contracts import Contracts

VERSION = 1  # of the files of `Memory`; those of another release are forgotten

MOST_READ = 200  # manifests a tick: some 0.1 s from a disk, some 20 s from a slow remote store
MOST_REQUESTS = 25  # runs a tick; the rest of a large import follows in the next ones

_KEPT = 20  # files of earlier ticks: more than can fail one after the other before somebody looks


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about a session.

    Attributes:
        stamp: `Store.stamp` then.
        game: from its manifest; empty where that cannot be read.
        rule: `Contracts.rule` of the game then.
        contract: hash of its contract; empty where there is none.
        asked: how often a run was requested for it.
    """

    stamp: str
    game: str
    rule: str
    contract: str
    asked: int


_FIELDS = tuple(item.name for item in fields(Known))


@dataclass(frozen=True, slots=True)
class Request:
    """A session that must be prepared; `key` is different for every state of session and contract."""

    session: str
    game: str
    contract: str
    key: str


@dataclass(slots=True)
class Changes:
    """What a tick has to do.

    Attributes:
        known: the sessions as they are now.
        requests: sessions to prepare.
        waiting: how many more have not been looked at yet.
        gone: sessions that have disappeared since they became known.
    """

    known: dict[str, Known] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    waiting: int = 0
    gone: list[str] = field(default_factory=list)

    @property
    def games(self) -> set[str]:
        """The games of the sessions that could be read."""
        return {item.game for item in self.known.values() if item.game}


def reconcile(
    store: Store,
    contracts: Contracts,
    known: Mapping[str, Known],
    *,
    most_read: int = MOST_READ,
    most_requests: int = MOST_REQUESTS,
) -> Changes:
    """Compare the store with what is known of it.

    Sessions that are still being recorded are not seen. A known session costs one look at its file's date; only new
    and changed ones are opened, and those of a game whose contract was changed.
    """
    rules: dict[str, str] = {}
    found = Changes()
    read = 0
    for session in store.ids():
        before = known.get(session)
        try:
            stamp = hashlib.sha256(store.stamp(session).encode()).hexdigest()[:16]
        except FileNotFoundError:
            continue  # deleted since it was listed
        if before is not None and before.stamp == stamp and before.rule == _rule(contracts, before.game, rules):
            found.known[session] = before
        elif read < most_read and len(found.requests) < most_requests:
            read += 1
            now = _look(store, contracts, session, stamp, rules)
            asked = before.asked if before else 0
            if before is None or (before.stamp, before.contract) != (now.stamp, now.contract):
                key = ":".join([session, stamp, now.contract or "none", *([str(asked)] if asked else [])])
                found.requests.append(Request(session, now.game, now.contract, key))
                asked += 1
            found.known[session] = replace(now, asked=asked)
        else:
            found.waiting += 1
            if before is not None:
                found.known[session] = before
    found.gone = sorted(known.keys() - found.known.keys())
    return found


def _rule(contracts: Contracts, game: str, rules: dict[str, str]) -> str:
    if game not in rules:
        rules[game] = contracts.rule(game)
    return rules[game]


def _look(store: Store, contracts: Contracts, session: str, stamp: str, rules: dict[str, str]) -> Known:
    """Read a manifest. A session whose manifest is damaged is prepared all the same: its run says what is wrong."""
    game = contract = ""
    try:
        manifest = store.manifest(session)
        game = manifest.game
        contract = contracts.contract(manifest).hash
    except KartError:
        pass
    return Known(stamp, game, _rule(contracts, game, rules), contract, 0)


class Memory:
    """Keeps what is known between ticks in files named by their content.

    Dagster keeps a sensor's cursor once for every tick, so a cursor that names all sessions would fill the disk; it
    holds the name of a file instead. A tick that fails leaves the cursor and with it the earlier file in force.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, cursor: str | None) -> dict[str, Known]:
        """What was known when `save` gave this cursor; nothing, where the file is gone or of another release."""
        if not cursor or not cursor.isalnum():
            return {}
        try:
            data: dict[str, Any] = json.loads(self._path(cursor).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # everything is looked at again, and runs that were requested before are not made twice
        if data.get("version") != VERSION:
            return {}
        return {session: Known(**item) for session, item in data["sessions"].items()}

    def save(self, known: Mapping[str, Known]) -> str:
        """Write what is known; the cursor is its name."""
        # for 10,000 sessions `asdict` and an indented text would take longer than all else that a tick does
        sessions = {name: {key: getattr(known[name], key) for key in _FIELDS} for name in sorted(known)}
        text = json.dumps({"version": VERSION, "sessions": sessions}).encode()
        cursor = hashlib.sha256(text).hexdigest()[:32]
        path = self._path(cursor)
        if path.exists():
            path.touch()  # it is in force again
        else:
            with replace_file(path) as temporary:
                temporary.write_bytes(text)
            self._forget()
        return cursor

    def _path(self, cursor: str) -> Path:
        return self._folder / f"{cursor}.json"

    def _forget(self) -> None:
        """All but the latest: after an import of 10,000 sessions there would be hundreds of megabytes."""
        for path in sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)[:-_KEPT]:
            path.unlink(missing_ok=True)
