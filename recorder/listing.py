"""The store on the terminal: what is there, and what waits to be repaired."""

from collections.abc import Mapping

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.settings import Settings
from recorder.display import console, print_json
from recorder.glance import Glance, glances, sparkline
from recorder.stores import Stores
from recorder.usage import SET, used_by

_MOST_MODELS = 3


def list_sessions(stores: Stores, settings: Settings, *, as_json: bool) -> None:
    """Print the finished sessions, and those that are not.

    Raises:
        KartError: a manifest cannot be read; the others have been printed then.
    """
    manifests, unreadable = _manifests(stores)
    unfinished = {session_id: stores.is_live(session_id) for session_id in stores.local.unfinished()}
    undelivered = stores.undelivered()
    seen, used = _glances(stores, settings, manifests), used_by(settings)
    if as_json:
        print_json(
            {
                "store": stores.target.url,
                "sessions": [
                    manifest.to_dict()
                    | {"health": seen[manifest.id].health if manifest.id in seen else None}
                    | {"used_by": used.get(manifest.id, [])}
                    for manifest in manifests
                ],
                "recording": [session_id for session_id, live in unfinished.items() if live],
                "unfinished": [session_id for session_id, live in unfinished.items() if not live],
                "undelivered": undelivered,
                "unreadable": unreadable,
            }
        )
    else:
        if manifests:
            console().print(_session_table(stores, manifests, seen, used))
        _print(stores, manifests, unfinished, undelivered)
    if unreadable:
        raise KartError("\n".join(unreadable.values()))


def _manifests(stores: Stores) -> tuple[list[Manifest], dict[str, str]]:
    """Those that can be read, and of the others why not."""
    manifests, unreadable = [], {}
    for session_id in stores.target.ids():
        try:
            manifests.append(stores.target.manifest(session_id))
        except KartError as error:
            unreadable[session_id] = str(error)
    return manifests, unreadable


def _print(stores: Stores, manifests: list[Manifest], unfinished: dict[str, bool], undelivered: list[str]) -> None:
    out = console()
    seconds = sum(manifest.duration_s for manifest in manifests)
    steps = sum(manifest.steps for manifest in manifests)
    out.print(
        f"{len(manifests)} sessions, {steps} steps, {seconds / 60:.1f} min in {stores.target.url}", soft_wrap=True
    )
    for session_id, live in unfinished.items():
        out.print(
            f"{session_id} is " + ("being recorded." if live else "unfinished: `python -m recorder repair --all`.")
        )
    for session_id in undelivered:
        out.print(
            f"{session_id} is only in {stores.local.url} so far: `python -m recorder repair --all`.", soft_wrap=True
        )


def _glances(stores: Stores, settings: Settings, manifests: list[Manifest]) -> dict[str, Glance]:
    """Those of a local store: from a remote one all rows would have to be fetched."""
    if stores.target.local_path is None:
        return {}
    errors = console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        task = bars.add_task("looking at new sessions", total=len(manifests))
        opened = [stores.target.open(manifest.id) for manifest in manifests]
        return glances(opened, settings.home, lambda done: bars.update(task, completed=done))


def _session_table(
    stores: Stores, manifests: list[Manifest], seen: Mapping[str, Glance], used: Mapping[str, list[str]]
) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("session", "game", "track", "driver"):
        table.add_column(name, no_wrap=True, overflow="ellipsis" if name != "session" else "fold")
    for name in ("steps", "seconds", "Hz", "score", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("ended", no_wrap=True)
    if seen:
        table.add_column("left to right", no_wrap=True)
        table.add_column("health", no_wrap=True)
    if used:
        table.add_column("used by")
    for manifest in manifests:
        megabytes = stores.megabytes(manifest.id)
        table.add_row(
            manifest.id,
            manifest.game,
            manifest.track,
            _driver(manifest),
            str(manifest.steps),
            f"{manifest.duration_s:.1f}",
            f"{manifest.rate_hz:g}",
            "" if manifest.score is None else f"{manifest.score:.1f}",
            "" if megabytes is None else f"{megabytes:.1f}",
            manifest.ended,
            *(_seen(seen.get(manifest.id)) if seen else ()),
            *([_used(used.get(manifest.id, []))] if used else ()),
        )
    return table


def _seen(glance: Glance | None) -> tuple[str, str]:
    if glance is None:
        return "", "broken"
    return sparkline(glance.histogram, console().encoding), glance.health


def _used(names: list[str]) -> str:
    """The training set and the newest models: of many versions the last three."""
    models = [name for name in names if name != SET]
    shown = [name for name in names if name == SET] + (["…"] if len(models) > _MOST_MODELS else [])
    return ", ".join([*shown, *models[-_MOST_MODELS:]])


def _driver(manifest: Manifest) -> str:
    kind = str(manifest.driver.get("device") or manifest.driver.get("kind") or "")
    return f"{kind}, noise" if manifest.driver.get("noise") else kind
