"""Files at the other end of an fsspec URL: put there, checked there, fetched from there; what goes wrong, in words."""

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.fingerprint import PART, Fingerprint, read_fingerprint

Progress = Callable[[int], None]  # bytes that have passed since the last call

# There folders are only in names, a file appears whole or not at all, and making a folder could make a bucket.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}
_S3 = {"s3", "s3a"}


class RemoteError(KartError):
    """The other end cannot be reached, or does not do what it is asked for."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as a listing shows it: its size in bytes, and the ETag where the store is S3."""

    size: int
    etag: str


def open_url(url: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL or folder, and the path in it, without a slash at its end.

    Raises:
        KartError: there is none for such a URL, or the package for it is not installed.
    """
    import fsspec  # brings asyncio: a third of core's import time, not needed to write a session

    try:
        filesystem, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        hint = "pip install 'kart-pipeline[cloud]'" if url.partition(":")[0] in _S3 else str(error)
        raise KartError(f"{url} cannot be opened, for a package is missing: {hint}.") from error
    except ValueError as error:
        raise KartError(f"{url} cannot be opened: {error}.") from error
    root = str(root).rstrip("/")
    if not root and _protocols(filesystem) & _OBJECT_STORES:
        raise KartError(f"{url} names no bucket; write it as s3://bucket/folder.")
    return filesystem, root


class Remote:
    """Folders of files below a URL.

    Args:
        url: any that fsspec knows; credentials and AWS_ENDPOINT_URL are taken from the environment as s3fs does.

    Raises:
        KartError: as `open_url`. All methods raise RemoteError where the other end fails.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs, self._root = open_url(url)
        self.read_back = False  # whether a file had to be read back so far, for the store's own digest did not do
        self._object_store = bool(_protocols(self._fs) & _OBJECT_STORES)

    @property
    def path(self) -> Path | None:
        """The folder where it is one of this machine, else None."""
        return Path(self._root).resolve() if "file" in _protocols(self._fs) else None

    def files(self, folder: str = "") -> dict[str, dict[str, Stored]]:
        """What is in the folders below, or in one of them: by folder, its files by name. One listing."""
        with reached(self.url):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(f"{self._root}/{folder}".rstrip("/"), detail=True)
            except FileNotFoundError:
                if self._object_store:
                    raise  # the bucket is missing: an empty one has an empty listing
                found = {}
        listed: dict[str, dict[str, Stored]] = {}
        for path, info in found.items():
            inside, _, name = str(path)[len(self._root) :].strip("/").rpartition("/")
            listed.setdefault(inside, {})[name] = Stored(int(info["size"]), str(info.get("ETag", "")).strip('"'))
        return listed

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The content of small files, many at once where the store can; those that are not there are left out."""
        with reached(self.url):
            full = {f"{self._root}/{path}": path for path in paths}
            found = self._fs.cat([*full], on_error="return") if full else {}
            contents = {}
            for path, content in found.items():
                if isinstance(content, FileNotFoundError):
                    continue
                if isinstance(content, BaseException):
                    raise content
                contents[full[path]] = content
            return contents

    def put(self, source: Path, path: str, progress: Progress) -> None:
        """Bring a local file there; it has its name when it is whole."""
        target = f"{self._root}/{path}"
        with reached(self.url, local=source):
            if self._object_store:
                parts = {"chunksize": PART} if _protocols(self._fs) & _S3 else {}
                self._fs.put_file(str(source), target, callback=_callback(progress), **parts)
                return
            self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            half = f"{target}.{os.getpid()}.part"
            self._fs.put_file(str(source), half, callback=_callback(progress))
            self._fs.mv(half, target)

    def holds(self, path: str, stored: Stored | None, wanted: Fingerprint) -> bool:
        """Whether a file there is `wanted`: by the ETag that S3 made of what arrived, else by reading it back.

        Args:
            path: of the file.
            stored: as it was listed; None where it was not.
            wanted: what it should be.
        """
        if stored is None or stored.size != wanted.size:
            return False
        if stored.etag and stored.etag == wanted.etag:
            return True
        self.read_back = True
        with reached(self.url):  # no S3, or one that encrypts: then an ETag is no MD5
            try:
                with self._fs.open(f"{self._root}/{path}", "rb") as file:
                    return read_fingerprint(file).sha256 == wanted.sha256
            except FileNotFoundError:
                return False

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files there; those that are gone already are passed over."""
        with reached(self.url):
            for path in paths:
                with suppress(FileNotFoundError):
                    self._fs.rm_file(f"{self._root}/{path}")

    def fetch(self, path: str, target: Path, progress: Progress) -> None:
        """Bring a file from there."""
        with reached(self.url, local=target):
            self._fs.get_file(f"{self._root}/{path}", str(target), callback=_callback(progress))


def _callback(progress: Progress) -> Any:
    """What fsspec tells of a transfer, as it tells it."""
    import fsspec

    class Passed(fsspec.callbacks.Callback):  # type: ignore[misc]
        def relative_update(self, inc: int = 1) -> None:
            self.value += inc
            progress(inc)

        def absolute_update(self, value: int) -> None:
            self.relative_update(value - self.value)

    return Passed()


def _protocols(filesystem: Any) -> set[str]:
    names = filesystem.protocol
    return {names} if isinstance(names, str) else {*names}


@contextmanager
def reached(url: str, local: Path | None = None) -> Iterator[None]:
    """What goes wrong at the other end while this block runs becomes one sentence, a RemoteError."""
    try:
        yield
    except KartError:
        raise
    except _failures() as error:
        raise RemoteError(_sentence(url, error, local)) from error


def _failures() -> tuple[type[Exception], ...]:
    """What fsspec raises, and what the libraries under s3fs raise beside that, where they have been loaded at all."""
    found: list[type[Exception]] = [OSError, ValueError]
    for module, name in (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError")):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


_UNREACHABLE = (
    "EndpointConnection",
    "ConnectTimeout",
    "ReadTimeout",
    "ConnectionClosed",
    "ConnectionError",
    "HTTPClient",
)


def _sentence(url: str, error: BaseException, local: Path | None, environ: Mapping[str, str] = os.environ) -> str:
    kind, why = type(error).__name__, str(error).rstrip(".") or repr(error)
    server = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk of {local or url} is full; make room and run the same command again, it goes on from there."
    if local is not None and isinstance(error, OSError) and str(error.filename or "").startswith(str(local.parent)):
        return f"{error.filename} cannot be used: {error.strerror or error}."
    if "CredentialsError" in kind:
        return f"There are no credentials for {url} ({why}); set AWS_ACCESS_KEY_ID and its secret, or AWS_PROFILE."
    if isinstance(error, PermissionError):
        return (
            f"{url} denies access ({why}); look at the credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE) and their rights."
        )
    if isinstance(error, FileNotFoundError):
        if "bucket" in why:
            return f"The bucket of {url} does not exist; make it there, or correct the address."
        return f"{url} lacks a file that should be there: {why}."
    if isinstance(error, (ConnectionError, TimeoutError)) or any(name in kind for name in _UNREACHABLE):
        where = f" at {server} (AWS_ENDPOINT_URL)" if server else ""
        return f"{url} cannot be reached{where}: {why}; run the same command again when it can, it goes on from there."
    if isinstance(error, ValueError) and "endpoint" in why:
        return f"AWS_ENDPOINT_URL is {server}, which is no address ({why}); write it as https://host:port."
    return f"{url} failed: {why}."
