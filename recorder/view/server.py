"""The page's server: on this machine only, for whoever has its address, and for nothing but the sessions of the store.

A page of another site cannot read what is here (it does not know the token, and another host's name is refused), nor
change it (its Origin is refused).
"""

import contextlib
import hmac
import json
import os
import secrets
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kart_pipeline.core.edits import EditsConflictError
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.store import Store
from recorder.view.shown import Shown

HOST = "127.0.0.1"
MOST_OPEN = 4  # sessions whose rows are in memory
MOST_BODY = 2**20
_STATIC = ("view.css", "shared.js", "chart.js", "marks.js", "pane.js", "view.js")
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Reply = tuple[HTTPStatus, str, bytes]


class ViewServer(ThreadingHTTPServer):
    """Serves sessions of one store.

    Args:
        store: a local one.
        ids: the sessions that the page offers.
        port: 0 takes a free one.

    Attributes:
        address: of the page, with the token without which nothing is served.

    Raises:
        KartError: the port is taken, or none.
    """

    daemon_threads = True
    allow_reuse_address = (
        os.name == "posix"
    )  # there a port rests a minute after its last page; on Windows it would be shared

    def __init__(self, store: Store, ids: list[str], port: int = 0) -> None:
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:  # the latter: it is above 65535
            why = getattr(error, "strerror", None) or error
            raise KartError(
                f"Port {port} of this machine cannot be served on ({why}); name another with "
                "--port, or none for a free one."
            ) from error
        self._store = store
        self.ids = ids
        self.token = secrets.token_urlsafe(16)
        self._open: OrderedDict[str, Shown] = OrderedDict()
        self._lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nobody minds a page that was closed while it was being answered; anything else is a mistake of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def shown(self, session_id: str) -> Shown:
        """An open session; the one that was not asked for longest gives way.

        Raises:
            KartError: the page does not offer it, or it cannot be read.
        """
        if session_id not in self.ids:
            raise KartError(f"The page was not opened for session {session_id[:80]!r}.")
        with self._lock:
            if session_id not in self._open:
                self._open[session_id] = Shown(self._store.open(checked_id(session_id)))
                while len(self._open) > MOST_OPEN:
                    self._open.popitem(last=False)[1].close()
            self._open.move_to_end(session_id)
            return self._open[session_id]

    def sessions(self) -> list[dict[str, Any]]:
        """What the page offers."""
        found = []
        for name in self.ids:
            try:
                manifest = self._store.manifest(name)
            except KartError:  # deleted since; whoever has it open is told there
                continue
            about = {"id": name, "game": manifest.game, "track": manifest.track, "seconds": manifest.duration_s}
            found.append(about | {"score": manifest.score})
        return found


class _Handler(BaseHTTPRequestHandler):
    server: ViewServer
    protocol_version = "HTTP/1.1"
    # Headers and body are written one after the other; the second would wait 40 ms for the first to be acknowledged.
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        """Pages, pictures and values."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Edits."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing: what goes wrong is said on the page."""

    def _answer(self, make: Callable[[list[str], dict[str, list[str]]], Reply]) -> None:
        try:
            status, kind, body = self._refused() or make(*self._asked())
        except EditsConflictError as error:
            status, kind, body = _json({"error": str(error), "theirs": error.theirs.to_dict()}, HTTPStatus.CONFLICT)
        except KartError as error:
            status, kind, body = _json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        except (LookupError, ValueError, TypeError):
            status, kind, body = _json({"error": "That cannot be asked."}, HTTPStatus.BAD_REQUEST)
        if status != HTTPStatus.OK and self.command == "POST":
            self.close_connection = True  # what is unread of the body must not pass for the next question
        with contextlib.suppress(ConnectionError):  # the page was closed, or wants another picture by now
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            still = status == HTTPStatus.OK and kind.startswith("image/")
            if self.close_connection:
                self.send_header("Connection", "close")
            self.send_header("Cache-Control", "private, max-age=3600" if still else "no-store")
            self.end_headers()
            self.wfile.write(body)

    def _refused(self) -> Reply | None:
        """Why this visitor gets nothing, if it does not."""
        here = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        if self.headers.get("Host", "").casefold() not in here:
            return _text("This is not the host that you asked for.", HTTPStatus.FORBIDDEN)
        origin = self.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://").casefold() not in here:
            return _text("Pages of other sites get nothing here.", HTTPStatus.FORBIDDEN)
        token = urlsplit(self.path).path.removeprefix("/").partition("/")[0]
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            return _text("The address of the page is in the terminal where it was started.", HTTPStatus.NOT_FOUND)
        return None

    def _asked(self) -> tuple[list[str], dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return parts.path.split("/")[2:], parse_qs(parts.query)

    def _get(self, path: list[str], query: dict[str, list[str]]) -> Reply:
        match path:
            case [""]:
                return _static("index.html")
            case [name] if name in _STATIC:
                return _static(name)
            case ["api", "sessions"]:
                return _json(self.server.sessions())
            case ["api", "about", name]:
                return _json(self.server.shown(name).about())
            case ["api", "edits", name]:
                return _json(self.server.shown(name).edits())
            case ["api", "chart", name]:
                return _json(self.server.shown(name).chart(int(query["columns"][0])))
            case ["api", "values", name]:
                return _json(self.server.shown(name).values(int(query["first"][0]), int(query["count"][0])))
            case ["picture", name, row]:
                data, kind = self.server.shown(name).picture(int(row))
                return HTTPStatus.OK, kind, data
        return _text("There is nothing of that name.", HTTPStatus.NOT_FOUND)

    def _post(self, path: list[str], _: dict[str, list[str]]) -> Reply:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 <= length <= MOST_BODY or self.headers.get("Content-Type") != "application/json":
            return _text("Edits are a little JSON.", HTTPStatus.BAD_REQUEST)
        body = self.rfile.read(length)
        if self.headers.get("Origin") is None:
            return _text("Only the page itself may save.", HTTPStatus.FORBIDDEN)
        match path:
            case ["api", "edits", name]:
                data = json.loads(body)
                ranges = [(int(first), int(last)) for first, last in data["left_out"]]
                return _json(self.server.shown(name).save(ranges, int(data["based_on"])))
        return _text("There is nothing of that name.", HTTPStatus.NOT_FOUND)


def _static(name: str) -> Reply:
    kind = f"{_TYPES[name.rpartition('.')[2]]}; charset=utf-8"
    return HTTPStatus.OK, kind, (files("recorder.view") / "static" / name).read_bytes()


def _json(data: Any, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return status, "application/json", json.dumps(data, allow_nan=False).encode()


def _text(text: str, status: HTTPStatus) -> Reply:
    return status, "text/plain; charset=utf-8", text.encode()
