"""Which file a path means that was right on somebody else's machine."""

from pathlib import Path, PureWindowsPath


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
