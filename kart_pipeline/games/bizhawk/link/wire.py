"""How messages lie on BizHawk's socket: `<decimal byte count><space><payload>`, both ways, since BizHawk 2.9."""

MOST_DIGITS = 9
MOST_BYTES = 32 * 2**20  # a picture of 320x240 has some 100 kB


class WireError(Exception):
    """What came is no message; the rest of the stream cannot be understood either."""


def framed(payload: bytes) -> bytes:
    """A message as it goes out.

    Raises:
        ValueError: it is empty, which BizHawk takes for an error.
    """
    if not payload:
        raise ValueError("BizHawk takes an empty message for an error.")
    return b"%d %s" % (len(payload), payload)


class MessageReader:
    """Puts messages together from bytes as they come, split anywhere."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted: int | None = None  # length of the message whose prefix has been read

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now.

        Raises:
            WireError: a prefix is no number, or one of a message that is too large.
        """
        self._buffer += data
        found: list[bytes] = []
        while True:
            if self._wanted is None:
                end = self._buffer.find(b" ", 0, MOST_DIGITS + 1)
                if end < 0:
                    if len(self._buffer) > MOST_DIGITS or not (self._buffer or b"0").isdigit():
                        raise WireError(f"{bytes(self._buffer[: MOST_DIGITS + 1])!r} begins no message")
                    return found
                self._wanted = self._length(bytes(self._buffer[:end]))
                del self._buffer[: end + 1]
            if len(self._buffer) < self._wanted:
                return found
            found.append(bytes(self._buffer[: self._wanted]))
            del self._buffer[: self._wanted]
            self._wanted = None

    @staticmethod
    def _length(prefix: bytes) -> int:
        if not prefix.isdigit() or int(prefix) > MOST_BYTES:
            raise WireError(f"{prefix!r} is no length of a message")
        return int(prefix)
