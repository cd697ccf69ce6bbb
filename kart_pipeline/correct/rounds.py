"""What the correction rounds of a game have come to, and what the round under way began with: `rounds.json`."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from kart_pipeline.core.durable import write_json
from kart_pipeline.correct import kept

FILE, PICTURE = "rounds.json", "rounds.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A finished round: the model that came of it and what it took.

    Attributes:
        number: 0 for the first model, which only saw its teacher drive.
        version: of the registered model.
        champion: the version that was champion when the round ended.
        seeds: how many tracks the scores are of; 0 where the model was not driven.
        mean, low, high: score and its 95 % interval; the interval is None for a single track.
        decile: the score that nine of ten tracks reach.
        expert: the expert's mean score on the same tracks.
        sessions, frames: what the model learned from and was chosen by; frames are those with a label.
        corrected: in how many of those frames a model drove and its teacher said what would have been right.
        driver: the version that was corrected in this round; 0 in round 0.
        drives: how many tracks it drove.
        drift: mean absolute difference of what was executed there and what the expert would have done.
        noise: how hard its hands were knocked meanwhile, 0 to 1; what the knocks did is part of `drift`.
        seconds: by stage.
        minutes: of all rounds so far.
    """

    number: int
    version: int
    champion: int
    seeds: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    decile: float | None = None
    expert: float | None = None
    sessions: int = 0
    frames: int = 0
    corrected: int = 0
    driver: int = 0
    drives: int = 0
    drift: float | None = None
    noise: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    minutes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What the round under way goes by; written down when it begins, so that it can go on after an interruption.

    Attributes:
        number: as of `Round`.
        sessions: round 0: how many the store shall hold when recording ends.
        before: the newest version when the round began; a newer one is this round's.
        driver: the version that is corrected; 0 in round 0.
        first: number of its first correction.
        drift, noise: as of `Round`, once it has driven.
        seconds: by stage, of the stages that are over.
    """

    number: int
    sessions: int = 0
    before: int = 0
    driver: int = 0
    first: int = 0
    drift: float | None = None
    noise: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Journal:
    """All rounds of one game.

    Attributes:
        rounds: those that are finished.
        last: number of the last one that is wanted.
        begun: the one under way.
        before: how many rounds were finished when those up to `last` were asked for.
    """

    rounds: tuple[Round, ...] = ()
    last: int = -1
    begun: Begun | None = None
    before: int = 0

    @property
    def minutes(self) -> float:
        """Of all finished rounds."""
        return self.rounds[-1].minutes if self.rounds else 0.0

    @property
    def complete(self) -> bool:
        """No round is under way, and the last one that is wanted is finished."""
        return self.begun is None and len(self.rounds) > self.last

    def asked(self, corrections: int) -> "Journal":
        """The same, with so many correction rounds wanted.

        They count from those that are finished; where wanted ones are not, from those that were finished when they
        were asked for. So the command that broke off goes on with the same number, and another number is heeded.
        """
        before = len(self.rounds) if self.complete else self.before
        return replace(self, last=max(0, before - 1) + corrections, before=before)


def load(home: Path, game: str) -> Journal:
    """A game's journal; an empty one where there is none.

    Raises:
        KartError: the file is damaged.
    """

    def make(data: dict[str, Any]) -> Journal:
        found = data.get(game)
        if found is None:
            return Journal()
        begun = found["begun"]
        return Journal(
            tuple(Round(**entry) for entry in found["rounds"]),
            found["last"],
            Begun(**begun) if begun else None,
            found.get("before", 0),
        )

    return kept.load(home / FILE, make, Journal())


def save(home: Path, game: str, journal: Journal) -> Journal:
    """Write a game's journal beside those of other games, and return it."""
    others: dict[str, Any] = kept.load(home / FILE, dict, {})
    write_json(home / FILE, others | {game: asdict(journal)})
    return journal
