"""BizHawk's `comm` library over a real socket, with the bad habits of its SocketServer.cs."""

import contextlib
import socket
from collections.abc import Callable


class HangError(BaseException):
    """Here BizHawk would hang for ever: its reader does not see that the other side has hung up."""


class Comm:
    """A TCP client, as EmuHawk is; connects at once, and fails at once where nobody listens.

    Args:
        port: on this machine.
        picture: gives the PNG of a screenshot.
        patience: how long a second of a timeout lasts, in seconds.

    Attributes:
        sends: how many pieces were sent since the last response was waited for, at most.
    """

    def __init__(self, port: int, picture: Callable[[], bytes], patience: float = 1.0) -> None:
        self._port = port
        self._picture = picture
        self._patience = patience
        self._left: list[socket.socket] = []
        self._successful = False
        self._since_response = 0
        self.sends = 0
        self.transcript: list[tuple[str, bytes]] = []
        self._connect()

    def _connect(self) -> None:
        if hasattr(self, "_socket"):
            self._left.append(self._socket)  # it is not closed: the other side sees it open until it is collected
        self._socket = socket.socket()  # the timeout that was set is lost
        self._socket.connect(("127.0.0.1", self._port))

    def _send(self, payload: bytes) -> int:
        self._since_response += 1
        self.sends = max(self.sends, self._since_response)
        try:
            self._socket.sendall(b"%d %s" % (len(payload), payload))
        except OSError:
            self._successful = False
            return -1
        self.transcript.append(("out", payload))
        self._successful = True
        return len(payload)

    def send(self, text: str) -> int:
        """`socketServerSend`: what is no UTF-8 does not survive."""
        return self._send(text.encode("latin-1").decode("utf-8", "replace").encode())

    def screenshot(self) -> str:
        """`socketServerScreenShot`: on a failure it connects anew and tries again, up to ten times."""
        for _ in range(10):
            if self._send(self._picture()) >= 0:
                return "Screenshot was sent"
            self._connect()
        return "Screenshot could not be sent"

    def response(self) -> str:
        """`socketServerResponse`: every error is an empty text."""
        self._since_response = 0
        try:
            return self._receive().decode("utf-8", "replace").encode().decode("latin-1")
        except (OSError, ValueError):
            return ""

    def _receive(self) -> bytes:
        prefix = b""
        while not prefix.endswith(b" "):
            byte = self._socket.recv(1)
            if not byte:
                raise HangError
            prefix += byte
        wanted, body = int(prefix), b""
        if not wanted:
            raise ValueError
        while len(body) < wanted:
            part = self._socket.recv(wanted - len(body))
            if not part:
                raise ValueError
            body += part
        self.transcript.append(("in", body))
        return body

    def set_timeout(self, milliseconds: int) -> None:
        """`socketServerSetTimeout`: of the present socket only."""
        self._socket.settimeout(milliseconds / 1000 * self._patience or None)

    def set_port(self, port: int) -> None:
        """`socketServerSetPort`: connects anew, and throws where nobody listens."""
        self._port = port
        self._connect()

    def close(self) -> None:
        """As at the end of the process."""
        for one in (self._socket, *self._left):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits, if one does
            one.close()

    def library(self) -> dict[str, Callable[..., object]]:
        """By its names in Lua."""
        return {
            "socketServerSend": self.send,
            "socketServerScreenShot": self.screenshot,
            "socketServerResponse": self.response,
            "socketServerSetTimeout": self.set_timeout,
            "socketServerSetPort": self.set_port,
            "socketServerGetPort": lambda: self._port,
            "socketServerIsConnected": lambda: True,
            "socketServerSuccessful": lambda: self._successful,
        }
