"""`python -m kart_pipeline.gc`: shows the frames of dead contracts, `--remove` removes them; never a session."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rich.console import Console
from rich.table import Table

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.retention import dead_frames, remove
from kart_pipeline.datasets.shared import open_training_set, shared_datasets
from kart_pipeline.datasets.training_set import INDEX, load_training_set
from kart_pipeline.games.contracts import Contracts


@dataclass(frozen=True, slots=True)
class Unneeded:
    """The frames of a session under a contract that can go, why, where they are, and what removes them."""

    contract: str
    session: str
    reason: str
    where: str
    bytes: int
    remove: Callable[[], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Show what can go, and remove it where that is asked for.

    Returns:
        The exit status: 0; 1 where something could not be removed; 2 after a mistake that a person can mend.
    """
    parser = argparse.ArgumentParser(
        prog="python -m kart_pipeline.gc",
        description="Frames are what sessions look like to a network, under one contract. Those of contracts that are "
        "in force nowhere, and of sessions that are gone, only fill the disk; all of them can be built again. What "
        "machines share in KART_DATASETS is looked through too.",
    )
    parser.add_argument("--remove", action="store_true", help="remove what is shown; without it nothing is changed")
    given = parser.parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        settings = Settings.from_env()
        found = _found(settings)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not found:
        where = " and ".join(filter(None, (str(settings.datasets), settings.datasets_url)))
        console.print(f"There are no frames in {where} that nobody needs.")
        return 0
    console.print(_table(found))
    total = f"{sum(each.bytes for each in found) / 1e6:.1f} MB"
    if not given.remove:
        console.print(f"{total} in {len(found)} folders can go; `python -m kart_pipeline.gc --remove` removes them.")
        return 0
    return _removed(console, found)


def _found(settings: Settings) -> list[Unneeded]:
    store, shared = Store(settings.store_url), shared_datasets(settings)
    if shared is not None:
        for game in shared.games():  # what another machine learns from is needed
            open_training_set(settings, game, frames=False)
    live, sessions = live_contracts(settings, store), set(store.ids())
    found = [
        Unneeded(dead.folder.parent.name, dead.folder.name, dead.reason, "here", dead.bytes, partial(remove, dead))
        for dead in dead_frames(settings.datasets, live, sessions)
    ]
    if shared is not None:
        for gone in shared.dead_frames(live, sessions):
            _, contract, session = gone.folder.split("/")
            removal = partial(shared.remote.remove, gone.paths)
            found.append(Unneeded(contract, session, gone.reason, "KART_DATASETS", gone.bytes, removal))
    return found


def live_contracts(settings: Settings, store: Store) -> dict[str, str]:
    """Hashes of the contracts in force, and what they are for: each session's, and each training set's.

    Raises:
        KartError: `contracts.toml`, a manifest or a training set cannot be read: what is needed is not known then, and
            nothing may be removed.
    """
    contracts = Contracts.load(settings.home)
    live: dict[str, str] = {}
    for session_id in store.ids():
        manifest = store.manifest(session_id)
        live.setdefault(contracts.contract(manifest).hash, manifest.game)
    for path in sorted(settings.datasets.glob(f"training_sets/*/{INDEX}")):
        made = load_training_set(path)
        live.setdefault(made.contract.hash, f"training set of {made.game}")
    return live


def _table(found: Sequence[Unneeded]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("contract", "session", "why", "where"):
        table.add_column(name, no_wrap=True)
    table.add_column("MB", justify="right")
    for each in found:
        table.add_row(each.contract, each.session, each.reason, each.where, f"{each.bytes / 1e6:.1f}")
    return table


def _removed(console: Console, found: Sequence[Unneeded]) -> int:
    gone = 0
    for each in found:
        try:
            each.remove()
        except (KartError, OSError) as error:
            sys.stderr.write(f"{error}\n")
        else:
            gone += each.bytes
    console.print(f"{gone / 1e6:.1f} MB removed. Dagster builds frames again where a contract comes back into force.")
    return int(gone < sum(each.bytes for each in found))


if __name__ == "__main__":
    sys.exit(main())
