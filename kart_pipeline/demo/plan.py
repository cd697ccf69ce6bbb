"""How far the demo has come, kept on disk, so that Ctrl-C costs only the stage that it hit."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kart_pipeline.core.durable import write_json
from kart_pipeline.correct import kept


@dataclass(frozen=True, slots=True)
class Plan:
    """One round of the demo.

    Attributes:
        round: 1 for the first.
        sessions: how many sessions of the game the store shall hold when recording ends.
        trained: a model of this round is registered and scored.
        done: the round ended; the next run begins another one.
    """

    round: int = 0
    sessions: int = 0
    trained: bool = False
    done: bool = True


def begin(path: Path, recorded: int, episodes: int) -> Plan:
    """The round to work on: the one that broke off, or a new one with `episodes` more sessions than `recorded`.

    Raises:
        KartError: the file at `path` is not the demo's.
    """
    plan = load(path)
    if plan.done:
        plan = Plan(plan.round + 1, recorded + episodes, trained=False, done=False)
    return save(path, plan)


def load(path: Path) -> Plan:
    """The plan at `path`; a plan of no round where the demo never ran there."""
    return kept.load(path, lambda data: Plan(**data), Plan())


def save(path: Path, plan: Plan, **changes: bool) -> Plan:
    """Write `plan` with `changes` and return it."""
    plan = replace(plan, **changes)
    write_json(path, asdict(plan))
    return plan
