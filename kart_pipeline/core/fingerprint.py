"""What tells a file from every other one: its size and digests, of one reading."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PART = 16 << 20  # bytes of a part of a large upload to S3; ten are in memory at once


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's content.

    Attributes:
        size: in bytes.
        sha256: hex.
        etag: what S3 gives as ETag to such a file where it does not encrypt it: the MD5, hex, or of a file of two
            `PART`s and more the MD5 of those of its parts, and their number behind a dash.
    """

    size: int
    sha256: str
    etag: str


def fingerprint(path: Path) -> Fingerprint:
    """Of a local file; memory stays flat in its length."""
    with path.open("rb") as file:
        return read_fingerprint(file)


def read_fingerprint(file: IO[bytes]) -> Fingerprint:
    """Of what is left to read in a file."""
    size, sha256 = 0, hashlib.sha256()
    whole, parts = hashlib.md5(usedforsecurity=False), []
    while data := _read(file, PART):
        size += len(data)
        sha256.update(data)
        whole.update(data)
        parts.append(hashlib.md5(data, usedforsecurity=False).digest())
    if size < 2 * PART:
        return Fingerprint(size, sha256.hexdigest(), whole.hexdigest())
    of_parts = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return Fingerprint(size, sha256.hexdigest(), f"{of_parts}-{len(parts)}")


def _read(file: IO[bytes], wanted: int) -> bytes:
    """As many bytes as there are up to `wanted`: a remote file may give fewer at a time."""
    data = file.read(wanted)
    while 0 < len(data) < wanted and (more := file.read(wanted - len(data))):
        data += more
    return data
