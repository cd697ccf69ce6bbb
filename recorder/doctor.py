"""`python -m recorder doctor`: what the pipeline's checks say of sessions, at once and in words."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB
from kart_pipeline.core.mapped import MappedFrames, MappedVideo
from kart_pipeline.core.prepare import prepare
from kart_pipeline.core.session import Session
from kart_pipeline.datasets.health import check_session
from kart_pipeline.datasets.health_frames import blank, frozen
from kart_pipeline.datasets.health_pictures import check_pictures
from kart_pipeline.datasets.verdict import Verdict, broken
from kart_pipeline.games.contracts import Contracts
from recorder.display import console, print_json
from recorder.stores import Stores

_SIGNS = {"error": "BROKEN", "warn": "look at"}


def doctor(stores: Stores, home: Path, ids: Sequence[str], *, as_json: bool) -> int:
    """Look sessions through and say what is found.

    Args:
        stores: where they are.
        home: KART_HOME, for `contracts.toml`.
        ids: of sessions; none means all that the store has.
        as_json: for machines.

    Returns:
        The exit status: 0 where all are fit to learn from, if with warnings; 1 where one is broken.

    Raises:
        KartError: the store is empty.
    """
    names = list(ids) or [*stores.target.ids(), *stores.local.unfinished()]
    if not names:
        raise KartError(f"There are no sessions in {stores.target.url}; `python -m recorder capture` records some.")
    contracts = Contracts.load(home)
    errors = console(stderr=True)
    found: dict[str, list[Verdict]] = {}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        for name in bars.track(names, description="looking at sessions"):
            found[name] = list(_diagnosed(stores, contracts, name))
            if not as_json:
                _tell(name, found[name])
    if as_json:
        print_json({name: [_plain(verdict) for verdict in verdicts] for name, verdicts in found.items()})
    return int(any(not _fit(verdicts) for verdicts in found.values()))


def _diagnosed(stores: Stores, contracts: Contracts, name: str) -> Iterator[Verdict]:
    """All verdicts on one session; where something keeps it from being read, that is the only one."""
    try:
        if name in stores.local.unfinished():
            live = stores.is_live(name)
            what = "it is being recorded" if live else "its recording broke off; `python -m recorder repair --all`"
            yield broken("contents", f"There is nothing to look at yet: {what}.", {})
            return
        session = stores.target.open(name)
        verdicts = check_session(session)
        yield from verdicts
        if any(verdict.name == "contents" and not verdict.passed for verdict in verdicts):
            return
        contract = contracts.contract(session.manifest)
        yield from check_pictures(session, contract)
        if session.local_path is not None:
            yield from _inputs(session, contract)
    except KartError as error:
        yield broken("contents", str(error), {})


def _inputs(session: Session, contract: Contract) -> Iterator[Verdict]:
    """What is said of frames as the network sees them, on a sample that is prepared here."""
    frames = session.map()
    try:
        seen = Seen(frames, contract)
        yield frozen(seen, simulated=session.manifest.source.get("kind") == "simulated")
        yield blank(seen, contract)
    finally:
        frames.close()


class Seen(Sequence[RGB]):
    """A session's frames as the network sees them, each prepared when it is asked for."""

    def __init__(self, frames: MappedFrames | MappedVideo, contract: Contract) -> None:
        self._frames = frames
        self._contract = contract

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, row: int) -> RGB:  # type: ignore[override]  # slices are not offered
        return prepare(self._contract, self._frames[int(row)])


def _tell(name: str, verdicts: Sequence[Verdict]) -> None:
    out = console()
    bad = [verdict for verdict in verdicts if not verdict.passed]
    state = "is fit to learn from" if _fit(verdicts) else "cannot be learned from"
    out.print(f"{name} {state}" + (", but:" if bad and _fit(verdicts) else ":" if bad else "."), soft_wrap=True)
    for verdict in sorted(bad, key=lambda item: item.severity):
        out.print(f"  {_SIGNS[verdict.severity]:8} {verdict.name}: {verdict.cause}", soft_wrap=True)


def _fit(verdicts: Sequence[Verdict]) -> bool:
    return not any(verdict.severity == "error" and not verdict.passed for verdict in verdicts)


def _plain(verdict: Verdict) -> dict[str, object]:
    names = ("name", "passed", "severity", "cause")
    return {name: getattr(verdict, name) for name in names} | {"figures": dict(verdict.figures)}
