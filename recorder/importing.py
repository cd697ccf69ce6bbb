"""From folders of other recorders to sessions of a store."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kart_pipeline.core.columns import decode_frame
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Choice, Frame, Step
from kart_pipeline.core.manifest import Codec, Manifest, SessionHeader
from kart_pipeline.games.controls import N64_SPEC
from recorder import tensorkart
from recorder.display import console
from recorder.stores import Stores
from recorder.tensorkart import LeftOut, Row

KIND = "tensorkart"  # `source["kind"]` of an imported session
_MAGIC: dict[Codec, bytes] = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the format does not say.

    Attributes:
        game, track: what was played, and where; the track may be empty.
        rate_hz: rows per second.
        codec: None keeps each picture's bytes; else those of another kind are encoded anew.
        session_id: None names the session after its folder and content.
    """

    game: str
    track: str = ""
    rate_hz: float = tensorkart.RATE_HZ
    codec: Codec | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A session made from a folder, and the lines that are not in it; `new` is false where it was there already."""

    manifest: Manifest
    left_out: tuple[LeftOut, ...]
    new: bool = True


@dataclass(frozen=True, slots=True)
class _Source:
    folder: Path
    rows: list[Row]
    left_out: list[LeftOut]
    pictures: list[Path | None]  # of the rows
    codec: Codec
    digest: str  # SHA-256 of the csv and of all pictures that it names, hex


def import_all(paths: Sequence[Path], stores: Stores, options: Options) -> None:
    """Import the recordings at `paths`, and print what became of each.

    Raises:
        KartError: as `import_folder`; the folders before are imported then.
    """
    folders = [folder for path in paths for folder in tensorkart.find_folders(path)]
    if options.session_id and len(folders) > 1:
        raise KartError(f"One id cannot name {len(folders)} sessions; leave --id out, or import one folder.")
    out = console()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    errors = console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        for folder in folders:
            done = import_folder(folder, stores, options, _Bar(bars, folder.name))
            for line in _told(folder, done):
                out.print(line, soft_wrap=True)


class _Bar:
    """One folder's progress."""

    def __init__(self, bars: Progress, name: str) -> None:
        self._bars = bars
        self._task = bars.add_task(name, total=None)

    def __call__(self, done: int, total: int) -> None:
        """So many of so many rows."""
        self._bars.update(self._task, completed=done, total=total)


def _told(folder: Path, done: Imported) -> Iterator[str]:
    manifest = done.manifest
    if not done.new:
        yield f"{folder} is in the store already, as {manifest.id}; nothing was done."
        return
    yield (
        f"{manifest.id}: {manifest.steps} rows of {folder}, {manifest.width}x{manifest.height} {manifest.codec}; "
        f"times synthesised at {manifest.rate_hz:g} Hz"
    )
    if done.left_out:
        yield f"{len(done.left_out)} rows of {folder / tensorkart.CSV} were left out:"
        yield from (f"  line {item.line}: {item.reason}" for item in done.left_out)


def import_folder(
    folder: Path, stores: Stores, options: Options, progress: Callable[[int, int], None] | None = None
) -> Imported:
    """Make a session of one TensorKart recording.

    Args:
        folder: holds data.csv.
        stores: where to.
        options: what the format does not say.
        progress: is told how many of how many rows are done.

    Raises:
        KartError: the csv is none of TensorKart's, no row is usable, or the id is taken.
    """
    source = _survey(folder, options.codec)
    before = _present(stores, source)
    if before is not None:
        return Imported(before, tuple(LeftOut(**item) for item in before.notes.get("left_out", [])), new=False)
    header = _header(source, options)
    _clear_broken_import(stores, header.id)
    left_out = list(source.left_out)
    writer = stores.local.create(header)
    try:
        with writer:
            for step, encoded in _steps(source, options, left_out):
                writer.append(step, encoded)
                if progress:
                    progress(writer.steps + len(left_out), len(source.rows) + len(source.left_out))
            if not writer.steps:
                first = min(left_out, key=lambda item: item.line)
                raise KartError(f"No row of {folder / tensorkart.CSV} is usable; line {first.line}: {first.reason}.")
            left_out.sort(key=lambda item: item.line)
            notes = {"left_out": [{"line": item.line, "reason": item.reason} for item in left_out]}
            writer.finish("imported", notes=notes)
    except BaseException:
        shutil.rmtree(writer.folder, ignore_errors=True)  # the source is still there: half of it is worth nothing
        raise
    stores.deliver(header.id)
    return Imported(writer.close(), tuple(left_out))


def _survey(folder: Path, wanted: Codec | None) -> _Source:
    csv = folder / tensorkart.CSV
    rows, left_out = tensorkart.read_csv(csv)
    pictures = [tensorkart.find_picture(row.picture, folder) for row in rows]
    digest = hashlib.sha256(csv.read_bytes())
    kinds = set()
    for path in pictures:
        data = _bytes(path) or b""
        digest.update(hashlib.sha256(data).digest())
        kinds.add(_kind(data))
    # PNG holds whatever a JPEG shows, not the other way round
    codec: Codec = wanted or ("png" if "png" in kinds or "jpeg" not in kinds else "jpeg")
    return _Source(folder, rows, left_out, pictures, codec, digest.hexdigest())


def _present(stores: Stores, source: _Source) -> Manifest | None:
    """The session that was made of the same content before."""
    for session_id in stores.target.ids():
        manifest = stores.target.manifest(session_id)
        if manifest.source.get("digest") == source.digest:
            if manifest.ended == "repaired":
                raise KartError(
                    f"Session {session_id} is an import of {source.folder} that broke off and was repaired; "
                    f"run `python -m recorder remove {session_id}` and import again."
                )
            return manifest
    return None


def _header(source: _Source, options: Options) -> SessionHeader:
    name = re.sub(r"[^0-9A-Za-z_-]+", "-", source.folder.absolute().name).strip("-_")[:40]
    return SessionHeader(
        id=options.session_id or f"tensorkart-{name or 'lap'}-{source.digest[:6]}",
        game=options.game,
        track=options.track,
        rate_hz=options.rate_hz,
        spec=N64_SPEC,
        source={
            "kind": KIND,
            "folder": source.folder.absolute().name,
            "digest": source.digest,
            "time": f"synthesised from the row numbers at {options.rate_hz:g} Hz: the format has no timestamps",
        },
        driver={"kind": "human", "device": "gamepad"},
        codec=source.codec,
        host={},  # of the recording machine nothing is known
    )


def _clear_broken_import(stores: Stores, session_id: str) -> None:
    """Remove what an import that was killed left under this id."""
    if session_id in stores.local.unfinished() and not stores.is_live(session_id):
        header = stores.unfinished_header(session_id)
        if header is not None and header.source.get("kind") == KIND:
            stores.local.remove(session_id)


def _steps(source: _Source, options: Options, left_out: list[LeftOut]) -> Iterator[tuple[Step, bytes | None]]:
    """The usable rows with their pictures' bytes (None: encode anew); the others are added to `left_out`."""
    shape: tuple[int, ...] | None = None
    for tick, row, path in zip(tensorkart.ticks(source.rows), source.rows, source.pictures, strict=True):
        try:
            data, rgb = _picture(row, path)
            shape = shape or rgb.shape
            if rgb.shape != shape:
                raise KartError(f"its picture is {_size(rgb.shape)}, the first one is {_size(shape)}")
        except KartError as error:
            left_out.append(LeftOut(row.line, str(error).rstrip(".")))
            continue
        frame = Frame(rgb, round(tick * 1e9 / options.rate_hz))
        encoded = data if _kind(data) == source.codec else None
        yield Step(tick, frame, Choice(row.action, "human", label=row.action)), encoded


def _picture(row: Row, path: Path | None) -> tuple[bytes, RGB]:
    if path is None:
        raise KartError(f"there is no picture {row.picture}")
    data = _bytes(path)
    if data is None:
        raise KartError(f"the picture {path} cannot be read")
    return data, decode_frame(data)


def _bytes(path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path else None
    except OSError:
        return None  # `_picture` reports it with its row


def _kind(data: bytes) -> Codec | None:
    return next((codec for codec, magic in _MAGIC.items() if data.startswith(magic)), None)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
