"""The store on the terminal: what is there, and what waits to be repaired."""

from rich.table import Table

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from recorder.display import console, print_json
from recorder.stores import Stores


def list_sessions(stores: Stores, *, as_json: bool) -> None:
    """Print the finished sessions, and those that are not.

    Raises:
        KartError: a manifest cannot be read; the others have been printed then.
    """
    manifests, unreadable = _manifests(stores)
    unfinished = {session_id: stores.is_live(session_id) for session_id in stores.local.unfinished()}
    undelivered = stores.undelivered()
    if as_json:
        print_json(
            {
                "store": stores.target.url,
                "sessions": [manifest.to_dict() for manifest in manifests],
                "recording": [session_id for session_id, live in unfinished.items() if live],
                "unfinished": [session_id for session_id, live in unfinished.items() if not live],
                "undelivered": undelivered,
                "unreadable": unreadable,
            }
        )
    else:
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
    if manifests:
        out.print(_session_table(stores, manifests))
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


def _session_table(stores: Stores, manifests: list[Manifest]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("session", "game", "track", "driver"):
        table.add_column(name, no_wrap=True, overflow="ellipsis" if name != "session" else "fold")
    for name in ("steps", "seconds", "Hz", "score", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("ended", no_wrap=True)
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
        )
    return table


def _driver(manifest: Manifest) -> str:
    kind = str(manifest.driver.get("device") or manifest.driver.get("kind") or "")
    return f"{kind}, noise" if manifest.driver.get("noise") else kind
