"""Pictures of other recorders: which file a path means that was right on somebody else's machine, and what is in it."""

from pathlib import Path, PureWindowsPath

from kart_pipeline.core.columns import decode_frame
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.manifest import Codec

_MAGIC: dict[Codec, bytes] = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}


def find_picture(written: str, folder: Path) -> Path | None:
    """The picture that a line of a file in `folder` means, None where there is none.

    The path was right on the recording machine, seen from the folder that its recorder ran in. So the longest end of
    it that leads somewhere from the file's own folder is taken; only then the path as it stands. Windows' separators
    count.
    """
    path = PureWindowsPath(written.strip())
    parts = [part for part in path.parts[1 if path.anchor else 0 :] if part != ".."]
    for start in range(len(parts)):
        found = folder.joinpath(*parts[start:])
        if _is_file(found):
            return found
    as_given = Path(path.as_posix())
    return as_given if _is_file(as_given) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name longer than the system allows, or with a character that no name has
        return False


def load_picture(written: str, path: Path | None) -> tuple[bytes, RGB]:
    """The file at `path` and its pixels.

    Raises:
        KartError: there is none, by the name `written`, or it cannot be read or decoded.
    """
    if path is None:
        raise KartError(f"there is no picture {written}")
    data = read_bytes(path)
    if data is None:
        raise KartError(f"the picture {path} cannot be read")
    return data, decode_frame(data)


def read_bytes(path: Path | None) -> bytes | None:
    """What is in the file; None where it is not there or cannot be read, which `load_picture` says."""
    try:
        return path.read_bytes() if path else None
    except OSError:
        return None


def kind(data: bytes) -> Codec | None:
    """Which of the session's codecs the file is of."""
    return next((codec for codec, magic in _MAGIC.items() if data.startswith(magic)), None)


def size(shape: tuple[int, ...]) -> str:
    """Of a picture `(H, W, 3)`, in words."""
    return f"{shape[1]}x{shape[0]}"
