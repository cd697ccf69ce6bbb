"""Where BizHawk connects: a port of this machine alone, one BizHawk at a time."""

import contextlib
import socket
import threading
import time

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.link import messages
from kart_pipeline.games.bizhawk.link.bridge import Bridge
from kart_pipeline.games.bizhawk.link.connection import Connection
from kart_pipeline.games.bizhawk.link.messages import BadMessageError, Hello
from kart_pipeline.games.bizhawk.remote import LostError

HOST = "127.0.0.1"  # BizHawk takes no names, and nobody else is to come
_HELLO_S = 5.0
_LOOK_S = 0.2
_FRESH_S = 2.5  # after which a HELLO is not answered any more: kart.lua gives up after 3
_ANEW = "BizHawk has connected anew, since it waited too long for an answer"


class Listener:
    """A `remote.Door`.

    Args:
        port: to listen on; 0 takes a free one.

    Attributes:
        port: its number.

    Raises:
        KartError: the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)  # on Windows the other option would share the port
        self._socket.setsockopt(socket.SOL_SOCKET, exclusive or socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
            self._socket.listen(2)
        except OSError as error:
            self._socket.close()
            raise KartError(
                f"Port {port} of this machine cannot be listened on ({error.strerror or error}); does another player "
                "or recorder wait for BizHawk there? `--option port=N` takes another; tell BizHawk the same."
            ) from error
        self._socket.settimeout(_LOOK_S)
        self.port: int = self._socket.getsockname()[1]
        self._waiting: tuple[Connection, Hello, float] | None = None  # and since when
        self._came = threading.Condition()
        self._bridge: Bridge | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="waiting for BizHawk", daemon=True)
        self._thread.start()

    def accept(self, seconds: float) -> Bridge | None:
        """The next BizHawk that comes within so many seconds.

        Raises:
            KartError: it cannot be worked with: its script or version is another, or no ROM is open.
        """
        with self._came:
            self._came.wait_for(self._somebody, seconds)
            if self._waiting is None or not self._somebody():
                return None
            (connection, hello, _), self._waiting = self._waiting, None
        if why := messages.refusal(hello):
            _refuse(connection, why)
            raise KartError(why)
        try:
            self._bridge = Bridge(connection, hello)
        except LostError:  # it went while it waited
            connection.close()
            return None
        return self._bridge

    def close(self) -> None:
        """See `remote.Door`. Whoever waits is sent away; a bridge that was accepted stays."""
        self._closing.set()
        self._thread.join()
        self._socket.close()
        if self._waiting is not None:
            _refuse(self._waiting[0], "The player has ended.")

    def _somebody(self) -> bool:
        """Whether one waits that has not given up meanwhile: it does so without hanging up, and comes again."""
        return self._waiting is not None and self._waiting[0].alive and time.monotonic() - self._waiting[2] < _FRESH_S

    def _drop_old(self, hello: Hello) -> None:
        """End what is left of the same BizHawk: it has given that up, and would never answer on it."""
        if not hello.run:
            return
        if self._bridge is not None and self._bridge.run == hello.run:
            self._bridge.leave(_ANEW)
        if self._waiting is not None and self._waiting[1].run == hello.run:
            self._waiting[0].close(_ANEW)

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                accepted, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:  # as of a visitor that has gone already
                if self._closing.wait(_LOOK_S):
                    return
                continue
            connection = Connection(accepted)
            try:
                hello = messages.parse_hello(connection.receive(_HELLO_S))
            except (LostError, BadMessageError):
                connection.close()  # BizHawk tries again when it is told nothing; others have no business here
                continue
            with self._came:
                self._drop_old(hello)
                taken = (self._bridge is not None and self._bridge.alive) or self._somebody()
                if not taken:
                    if self._waiting is not None:
                        self._waiting[0].close()
                    self._waiting = connection, hello, time.monotonic()
                    self._came.notify_all()
            if taken:
                _refuse(connection, "Another BizHawk is connected to this player already.")


def _refuse(connection: Connection, why: str) -> None:
    with contextlib.suppress(LostError):
        connection.send(f"BYE {messages.words(why)}".encode())
        connection.receive(0.5)  # until BizHawk answers that it has read it; a reset might overtake the words
    connection.close()


def listen(port: int = 0) -> Listener:
    """Open the door.

    Raises:
        KartError: the port is taken.
    """
    return Listener(port)


__all__ = ["HOST", "Listener", "listen"]
