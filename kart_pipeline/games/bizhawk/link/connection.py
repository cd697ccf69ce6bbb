"""A socket to BizHawk that is always read, and closed so that BizHawk does not hang."""

import contextlib
import queue
import socket
import struct
import threading

from kart_pipeline.games.bizhawk.link.wire import MessageReader, WireError, framed
from kart_pipeline.games.bizhawk.remote import LostError

_CHUNK = 2**16
_MOST_WAITING = 16  # turns are strict, so more than one message that waits is nonsense already


class SilentError(LostError):
    """BizHawk is there, and says nothing."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"BizHawk has not answered for {seconds:g} s; is it paused, or does a window of its own hold it up?"
        )


class Connection:
    """One socket, read by a thread of its own: BizHawk sends without a limit of time, and would stand still.

    Args:
        accepted: the socket.
    """

    def __init__(self, accepted: socket.socket) -> None:
        # Without the first BizHawk waits for ever after we have gone, however we went: an orderly end puts its reader
        # into a loop, a reset wakes it. Without the second a turn takes 40 ms.
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _linger())
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted.settimeout(None)
        self._socket = accepted
        self._messages: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._why = "BizHawk has closed the connection"
        self._closed = False
        self._thread = threading.Thread(target=self._read, name="listening to BizHawk", daemon=True)
        self._thread.start()

    def send(self, payload: bytes) -> None:
        """Send one message, in one piece.

        Raises:
            LostError: BizHawk is gone.
        """
        if self._closed:
            raise LostError(f"{self._why}.")
        try:
            self._socket.sendall(framed(payload))
        except OSError as error:
            raise LostError(f"BizHawk is gone ({error.strerror or error}).") from error

    def receive(self, seconds: float) -> bytes:
        """The next message.

        Raises:
            LostError: BizHawk is gone, or says nothing for so many seconds.
        """
        try:
            payload = self._messages.get(timeout=seconds)
        except queue.Empty:
            raise SilentError(seconds) from None
        if payload is None:
            self._messages.put(None)  # for whoever asks again
            raise LostError(f"{self._why}.")
        return payload

    @property
    def alive(self) -> bool:
        """Whether anything can still come."""
        return self._thread.is_alive() and not self._closed

    def close(self, why: str = "") -> None:
        """Reset the connection; may be called more than once.

        Args:
            why: what whoever waits for a message is told.
        """
        self._why = why or self._why
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)  # wakes the thread that reads
        self._socket.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(1.0)

    def _read(self) -> None:
        reader = MessageReader()
        try:
            while data := self._socket.recv(_CHUNK):
                for payload in reader.feed(data):
                    self._messages.put_nowait(payload)
        except WireError as error:
            self._why = f"What came from BizHawk is no message of kart.lua's ({error})"
        except queue.Full:
            self._why = "BizHawk talks without being asked; is another script running in it?"
        except OSError:
            pass  # closed by us, or reset: it is gone either way
        finally:
            with contextlib.suppress(queue.Empty):
                while self._messages.full():
                    self._messages.get_nowait()
            self._messages.put(None)


def _linger() -> bytes:
    """On, for 0 s: closing resets the connection. Two shorts on Windows, two ints elsewhere."""
    import sys

    return struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
