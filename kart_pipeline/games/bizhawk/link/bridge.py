"""One BizHawk that has connected: `remote.Remote` as turns of the protocol."""

import contextlib
import io
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.games.bizhawk.consoles import Pad
from kart_pipeline.games.bizhawk.link import messages
from kart_pipeline.games.bizhawk.link.connection import Connection, SilentError
from kart_pipeline.games.bizhawk.link.messages import PNG, BadMessageError, Hello, Info
from kart_pipeline.games.bizhawk.link.pulse import Pulse
from kart_pipeline.games.bizhawk.memory import Read
from kart_pipeline.games.bizhawk.remote import LostError, Seen

ANSWER_S = 10.0  # as long as BizHawk waits for us
_GOODBYE_S = 1.0
_LOOK_S = 0.25


class Bridge:
    """See `remote.Remote`.

    Args:
        connection: on which BizHawk has said hello, and nothing since.
        hello: what it said.
    """

    def __init__(self, connection: Connection, hello: Hello) -> None:
        self.system = hello.system
        self.rom = hello.rom
        self.rom_hash = hello.rom_hash
        self.about: Mapping[str, Any] = hello.about
        self.run = hello.run
        self._connection = connection
        self._lock = threading.Lock()
        self.gives_up: Callable[[float], bool] = lambda seconds: seconds >= ANSWER_S
        connection.send(b"OK")
        self._pulse = Pulse(lambda: self._said(b"INFO"))

    @property
    def alive(self) -> bool:
        """Whether BizHawk is still there, as far as is known."""
        return self._connection.alive

    def read(self, reads: Sequence[Read]) -> None:
        """See `Remote.read`."""
        self._info(messages.read(reads))

    def hold(self, pad: Pad | None, frames: int, *, picture: bool = True, first: bool = False) -> Seen:
        """See `Remote.hold`."""
        command = messages.step(pad, frames, picture=picture, first=first)
        if not picture:
            return _seen(self._info(command), None)
        if first:  # nothing moves between these two
            info = self._info(b"INFO")
            return _seen(info, self._picture(command))
        rgb = self._picture(command)
        return _seen(self._info(b"INFO"), rgb)

    def save(self, path: Path | None = None) -> str:
        """See `Remote.save`."""
        return str(self._json(b"SAVE " + (_path(path) if path else b""))["state"])

    def load(self, name: str) -> None:
        """See `Remote.load`."""
        self._info(b"LOAD " + _path(name))

    def forget(self, name: str) -> None:
        """See `Remote.forget`."""
        self._json(b"FORGET " + _path(name))

    def hurry(self, on: bool, *, unseen: bool = False) -> None:
        """See `Remote.hurry`."""
        self._json(b"HURRY %d" % (2 if on and unseen else on))

    def neutral(self) -> None:
        """See `Remote.neutral`."""
        self._json(b"RELEASE")

    def say(self, text: str) -> None:
        """See `Remote.say`."""
        self._json(f"TEXT {messages.words(text)}".encode())

    def leave(self, why: str) -> None:
        """BizHawk itself has left this connection: end it, and tell that to whoever waits on it."""
        self._connection.close(why)

    def close(self, reason: str = "") -> None:
        """See `Remote.close`."""
        self._pulse.stop()
        with contextlib.suppress(LostError), self._lock:
            if self._connection.alive:
                self._connection.send(f"BYE {messages.words(reason)}".strip().encode())
                # It has let go of the pad when it answers. A reset may take away what has not been read yet.
                while self._connection.receive(_GOODBYE_S) != b"BYE":
                    pass  # an answer that nobody waited for, as after Ctrl-C
        self._connection.close()

    def _turn(self, command: bytes) -> bytes:
        self._pulse.turn()
        answer = self._said(command)
        self._pulse.turn()
        return answer

    def _said(self, command: bytes) -> bytes:
        with self._lock:
            try:
                self._connection.send(command)
                return self._answer()
            except BaseException:
                # A turn that was broken off (Ctrl-C) leaves an answer behind that would be taken for the next one's.
                self._connection.close()
                raise

    def _answer(self) -> bytes:
        """What comes next: a person may have paused BizHawk."""
        waited = 0.0
        while True:
            try:
                return self._connection.receive(_LOOK_S)
            except SilentError:
                waited += _LOOK_S
                if self.gives_up(waited):
                    raise SilentError(waited) from None

    def _json(self, command: bytes) -> dict[str, Any]:
        try:
            return messages.parse_json(self._turn(command))
        except BadMessageError as error:
            raise self._nonsense(error) from error

    def _info(self, command: bytes) -> Info:
        try:
            return messages.parse_info(self._turn(command))
        except BadMessageError as error:
            raise self._nonsense(error) from error

    def _picture(self, command: bytes) -> RGB:
        payload = self._turn(command)
        try:
            if not payload.startswith(PNG):
                messages.parse_json(payload)
                raise BadMessageError(f"{payload[:20]!r} is no picture")
            with Image.open(io.BytesIO(payload), formats=("PNG",)) as image:
                return np.asarray(image.convert("RGB"))
        except (BadMessageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise self._nonsense(error) from error

    def _nonsense(self, error: Exception) -> KartError:
        self._connection.close()
        return LostError(f"What came from BizHawk cannot be understood: {error}.")


def _seen(info: Info, rgb: RGB | None) -> Seen:
    return Seen(info.count, rgb, info.numbers, info.held)


def _path(path: Path | str) -> bytes:
    """A file's name, or a state's, as BizHawk can be told it.

    Raises:
        KartError: other letters than ASCII's, which do not reach it.
    """
    text = str(path)
    if not text.isascii() or not text.isprintable():
        raise KartError(f"BizHawk cannot be told of {text}: only ASCII letters reach it; use another folder or name.")
    return text.encode()
