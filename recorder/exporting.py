"""From sessions to a folder in another program's format: written beside its place, and renamed when it is whole."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.session import Session
from recorder.display import console
from recorder.exporters.base import Exporter
from recorder.exporters.lerobot import LeRobot
from recorder.exporters.tensorkart import TensorKart
from recorder.stores import Stores

EXPORTERS: tuple[type[Exporter], ...] = (TensorKart, LeRobot)


def export(form: Exporter, ids: Sequence[str], stores: Stores) -> None:
    """Write sessions to a new folder, the target of `form`, and print what became of them.

    Args:
        form: the format; its target must not exist.
        ids: of finished sessions.
        stores: where they are.

    Raises:
        KartError: the target exists or cannot be written, there is no such session, one is named twice or damaged, or
            the format cannot hold it.
    """
    if len(set(ids)) < len(ids):
        raise KartError("A session is named twice; each is exported once.")
    target = form.target
    _refuse_taken(target)
    sessions = [stores.target.open(session_id) for session_id in ids]
    form.check(sessions)
    errors = console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        task = bars.add_task(f"to {form.name}", total=sum(session.manifest.steps for session in sessions))
        with _new_folder(target) as folder:
            lines = form.write(sessions, folder, lambda: bars.advance(task))
    out = console()
    for line in [*_left_out(sessions), *lines, f"Written to {target}."]:
        out.print(line, soft_wrap=True)


def _left_out(sessions: Sequence[Session]) -> Iterator[str]:
    for session in sessions:
        if session.edits.left_out:
            gone = int((~session.edits.kept(session.table(["step"]).column("step").to_numpy())).sum())
            yield f"{gone} steps of {session.id} are left out, as they are by its edits."


def _refuse_taken(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise KartError(f"{target} exists already; an export makes a new folder, so name one that is not there.")


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target`; renamed when the block succeeds, removed when it raises."""
    temporary = target.absolute().with_name(f".{target.absolute().name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _refuse_taken(target)  # somebody may have been there meanwhile
        temporary.rename(target)
    except OSError as error:
        raise KartError(f"The export to {target} cannot be written ({error}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
