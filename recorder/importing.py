"""From folders of other recorders to sessions of a store."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import Codec, Manifest, SessionHeader
from kart_pipeline.core.marks import Marks
from recorder.display import console
from recorder.importers.autopilot import Autopilot
from recorder.importers.base import Format, LeftOut, Recording
from recorder.importers.clock import Schedule, schedule
from recorder.importers.donkeycar import Donkeycar
from recorder.importers.neuralkart import NeuralKart
from recorder.importers.pictures import kind, load_picture, read_bytes, size
from recorder.importers.tensorkart import TensorKart
from recorder.importers.udacity import Udacity
from recorder.stores import Stores

FORMATS: tuple[type[Format], ...] = (TensorKart, NeuralKart, Udacity, Autopilot, Donkeycar)

_MOST_TOLD = 20  # lines that were left out


@dataclass(frozen=True, slots=True)
class Options:
    """What a person says of the recordings.

    Attributes:
        game: what was played; None for what the format is of.
        track: where; "" for what the format says, which may be nothing.
        rate_hz: rows per second; None for the format's own.
        codec: None keeps each picture's bytes; else those of another kind are encoded anew.
        session_id: None names the session after its folder and content.
    """

    game: str | None = None
    track: str = ""
    rate_hz: float | None = None
    codec: Codec | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A session made from a recording, and the lines that are not in it; `new` is false where it was there already."""

    recording: Recording
    manifest: Manifest
    left_out: tuple[LeftOut, ...]
    new: bool = True


@dataclass(frozen=True, slots=True)
class _Source:
    form: Format
    recording: Recording
    schedule: Schedule
    codec: Codec
    digest: str  # SHA-256 of the file with the labels and of all pictures that it names, hex
    group: str  # the id of the folder's first recording


def import_all(form: Format, paths: Sequence[Path], stores: Stores, options: Options) -> None:
    """Import the recordings at `paths`, and print what became of each.

    Raises:
        KartError: as `import_folder`; the folders before are imported then.
    """
    folders = [folder for path in paths for folder in form.find(path)]
    if options.session_id and len(folders) > 1:
        raise KartError(f"One id cannot name {len(folders)} sessions; leave --id out, or import one folder.")
    out = console()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    errors = console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        for folder in folders:
            for done in import_folder(form, folder, stores, options, _Bars(bars)):
                for line in _told(done):
                    out.print(line, soft_wrap=True)


class _Bars:
    """The progress of a folder's recordings, one bar each."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, recording: Recording, done: int, total: int) -> None:
        """So many of so many rows."""
        name = f"{recording.folder.name} {recording.part}".rstrip()
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done)


def _told(done: Imported) -> Iterator[str]:
    manifest, recording = done.manifest, done.recording
    if not done.new:
        yield f"{recording.folder} is in the store already, as {manifest.id}; nothing was done."
        return
    yield (
        f"{manifest.id}: {manifest.steps} rows of {recording.folder}, "
        f"{manifest.width}x{manifest.height} {manifest.codec}; times {manifest.source['time'].partition(':')[0]}"
    )
    yield from recording.notices
    if done.left_out:
        yield f"{len(done.left_out)} rows of {recording.labels} were left out:"
        yield from (f"  {recording.unit} {item.line}: {item.reason}" for item in done.left_out[:_MOST_TOLD])
        if len(done.left_out) > _MOST_TOLD:
            yield f"  … and {len(done.left_out) - _MOST_TOLD} more; `python -m recorder info {manifest.id}` names all"


ToldProgress = Callable[[Recording, int, int], None]


def import_folder(
    form: Format, folder: Path, stores: Stores, options: Options, progress: ToldProgress | None = None
) -> Iterator[Imported]:
    """Make a session of each recording in a folder.

    Args:
        form: of the folder.
        folder: holds the format's marker.
        stores: where to.
        options: what the format does not say.
        progress: is told of which recording how many of how many rows are done.

    Raises:
        KartError: the folder is not of this format, no row is usable, or the id is taken.
    """
    group = ""
    for recording in form.read(folder):
        source = _survey(form, recording, options, group)
        group = source.group
        before = _present(stores, source)
        if before is not None:
            group = before.group  # what comes of this folder later is held out with it
            left_out = tuple(LeftOut(**item) for item in before.notes.get("left_out", []))
            yield Imported(recording, before, left_out, new=False)
        else:
            yield _import(source, stores, options, progress)


def _import(source: _Source, stores: Stores, options: Options, progress: ToldProgress | None) -> Imported:
    header, recording = _header(source, options), source.recording
    _clear_broken_import(stores, header)
    left_out = list(recording.left_out)
    writer = stores.local.create(header)
    writer.marks = Marks(pauses=source.schedule.pauses)
    try:
        with writer:
            for step, encoded in _steps(source, left_out):
                writer.append(step, encoded)
                if progress:
                    done = writer.steps + len(left_out)
                    progress(recording, done, len(recording.rows) + len(recording.left_out))
            if not writer.steps:
                raise _unusable(recording, left_out)
            left_out.sort(key=lambda item: item.line)
            notes = {"left_out": [{"line": item.line, "reason": item.reason} for item in left_out]}
            writer.finish("imported", notes=notes | ({"notices": [*recording.notices]} if recording.notices else {}))
    except BaseException:
        shutil.rmtree(writer.folder, ignore_errors=True)  # the source is still there: half of it is worth nothing
        raise
    stores.deliver(header.id)
    return Imported(recording, writer.close(), tuple(left_out))


def _unusable(recording: Recording, left_out: Sequence[LeftOut]) -> KartError:
    first = min(left_out, key=lambda item: item.line)
    return KartError(f"No row of {recording.labels} is usable; {recording.unit} {first.line}: {first.reason}.")


def _survey(form: Format, recording: Recording, options: Options, group: str) -> _Source:
    if not recording.rows:
        raise _unusable(recording, recording.left_out)
    digest = hashlib.sha256(recording.labels.read_bytes() + recording.part.encode())
    kinds = set()
    for path in recording.pictures:
        data = read_bytes(path) or b""
        digest.update(hashlib.sha256(data).digest())
        kinds.add(kind(data))
    # PNG holds whatever a JPEG shows, not the other way round
    codec: Codec = options.codec or ("png" if "png" in kinds or "jpeg" not in kinds else "jpeg")
    if not group:
        name = re.sub(r"[^0-9A-Za-z_-]+", "-", recording.folder.absolute().name).strip("-_")[:40]
        group = options.session_id or f"{form.name}-{name or 'lap'}-{digest.hexdigest()[:6]}"
    return _Source(form, recording, schedule(recording, options.rate_hz), codec, digest.hexdigest(), group)


def _present(stores: Stores, source: _Source) -> Manifest | None:
    """The session that was made of the same content before."""
    for session_id in stores.target.ids():
        manifest = stores.target.manifest(session_id)
        if manifest.source.get("digest") == source.digest:
            if manifest.ended == "repaired":
                raise KartError(
                    f"Session {session_id} is an import of {source.recording.folder} that broke off and was repaired; "
                    f"run `python -m recorder delete {session_id}` and import again."
                )
            return manifest
    return None


def _header(source: _Source, options: Options) -> SessionHeader:
    recording = source.recording
    return SessionHeader(
        id=f"{source.group}-{recording.part}" if recording.part else source.group,
        game=options.game or source.form.game,
        track=options.track or recording.track,
        group=source.group,
        rate_hz=source.schedule.rate_hz,
        spec=recording.spec,
        source={
            "kind": source.form.name,
            "folder": recording.folder.absolute().name,
            "digest": source.digest,
            "time": source.schedule.told,
            **recording.source,
        },
        driver=recording.driver,
        codec=source.codec,
        host={},  # of the recording machine nothing is known
    )


def _clear_broken_import(stores: Stores, header: SessionHeader) -> None:
    """Remove what an import that was killed left under this id."""
    if header.id in stores.local.unfinished() and not stores.is_live(header.id):
        before = stores.unfinished_header(header.id)
        if before is not None and before.source.get("kind") in {form.name for form in FORMATS}:
            stores.local.remove(header.id)


def _steps(source: _Source, left_out: list[LeftOut]) -> Iterator[tuple[Step, bytes | None]]:
    """The rows with a usable picture as steps, with its file where it is kept; `left_out` gets the others.

    All frames have the size of the first: of another one would be another recording.
    """
    recording, times = source.recording, source.schedule
    shape: tuple[int, ...] | None = None
    for row, path, index, t_ns in zip(recording.rows, recording.pictures, times.steps, times.t_ns, strict=True):
        try:
            data, rgb = load_picture(row.picture, path)
            shape = shape or rgb.shape
            if rgb.shape != shape:
                raise KartError(f"its picture is {size(rgb.shape)}, the first one is {size(shape)}")
        except KartError as error:
            left_out.append(LeftOut(row.line, str(error).rstrip(".")))
            continue
        encoded = data if kind(data) == source.codec else None
        yield Step(index, Frame(rgb, t_ns, row.state), Choice(row.action, row.actor, label=row.taught)), encoded
