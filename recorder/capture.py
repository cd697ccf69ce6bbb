"""Recording a series of episodes: which seeds, in which processes, and what is said afterwards."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.driving.seeds import RECORDING
from recorder.display import Display, console, taken_table
from recorder.episode import Dropped, Plan, Taken
from recorder.seat import Seat
from recorder.stopping import StopRequest
from recorder.stores import Stores
from recorder.workers import record_in_processes

Outcome = Taken | Dropped


def choose_seeds(stores: Stores, game: str, count: int, first: int | None = None) -> range:
    """Seeds for `count` episodes: from `first` on, or after all that were recorded in this game before.

    Raises:
        KartError: they would reach those that are reserved for correcting and scoring models.
    """
    if first is None:
        first = max(_used_seeds(stores, game), default=-1) + 1
    seeds = range(first, first + count)
    if seeds.start < 0 or seeds.stop > RECORDING.stop:
        raise KartError(
            f"Seeds {seeds.start} to {seeds.stop - 1} are not all from 0 to {RECORDING.stop - 1}; those above are "
            "for correcting and scoring models only, those below do not exist. Choose others with --seed."
        )
    return seeds


def _used_seeds(stores: Stores, game: str) -> set[int]:
    headers = [_header(stores.target.manifest, session_id) for session_id in stores.target.ids()]
    headers += [_header(stores.local.manifest, session_id) for session_id in stores.undelivered()]
    headers += [_header(stores.unfinished_header, session_id) for session_id in stores.local.unfinished()]
    found = [item.source.get("seed") for item in filter(None, headers) if item.game == game]
    # Corrections and the player's drives are recorded on seeds of their own, no place to go on from.
    return {seed for seed in found if isinstance(seed, int) and seed in RECORDING}


def _header(read: Callable[[str], SessionHeader | None], session_id: str) -> SessionHeader | None:
    """What a session says of itself; one that cannot be read is told of, and keeps nobody from recording another."""
    try:
        return read(session_id)
    except KartError as error:
        console(stderr=True).print(f"{error} Its seed may be driven once more.", style="yellow", highlight=False)
        return None


def capture(plan: Plan, seeds: Sequence[int], stores: Stores, processes: int = 1) -> int:
    """Record one session a seed, with a display, and print what became of each.

    Args:
        plan: how.
        seeds: of the courses.
        stores: where to.
        processes: above 1 the episodes of a simulated game are recorded side by side.

    Returns:
        The exit status: 0, or 130 after Ctrl-C.

    Raises:
        KartError: the plan cannot be carried out, or was broken off; what was recorded is kept and has been listed.
    """
    if plan.driver != "expert" and processes > 1:
        raise KartError(f"A person drives one game at a time: --workers {processes} is for --driver expert.")
    outcomes: list[Outcome] = []

    def take(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if isinstance(outcome, Taken):
            stores.deliver(outcome.manifest.id)

    try:
        with StopRequest() as stop, Display(console(stderr=True), len(seeds)) as display:
            processes = min(processes, len(seeds))
            if processes > 1:
                trouble = record_in_processes(plan, seeds, processes, stop, display, take)
            else:
                trouble = record_here(plan, seeds, stop, display, take)
    finally:
        _tell(outcomes, stores)
    if stop():
        kept = sum(isinstance(outcome, Taken) for outcome in outcomes)
        console(stderr=True).print(f"Stopped on request: {kept} of {len(seeds)} sessions saved.")
    elif trouble:
        raise KartError(trouble)
    return stop.exit_code


def record_here(
    plan: Plan, seeds: Iterable[int], stop: StopRequest, display: Display, take: Callable[[Outcome], None]
) -> str | None:
    """Record in this process, one episode after the other.

    Returns:
        What broke the series off, if anything did.

    Raises:
        KartError: the plan cannot be carried out here.
    """
    from kart_pipeline.games.registry import make_game

    with ExitStack() as stack:
        seat = Seat(plan, stack.enter_context(make_game(plan.game, **plan.options)), stack)
        for seed in seeds:
            outcome = seat.record(seed, display.progress, stop)
            display.ended(seed)
            take(outcome)
            if isinstance(outcome, Taken) and outcome.trouble:
                return outcome.trouble
            if stop() or seat.done:
                break
    return None


def _tell(outcomes: Sequence[Outcome], stores: Stores) -> None:
    out = console()
    taken = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
    if taken:
        out.print(taken_table(taken))
        where = f"{stores.target.url} (copies in {stores.local.url})" if stores.remote else stores.target.url
        out.print(f"{len(taken)} session{'s' * (len(taken) != 1)} in {where}", soft_wrap=True)
    for outcome in outcomes:
        if isinstance(outcome, Dropped):
            out.print(f"The episode on seed {outcome.seed} ended after {outcome.seconds:.1f} s and was not kept.")
