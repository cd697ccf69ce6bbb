"""From numbers in a game's memory to what it tells: `Frame.state`, the name of the course, the end of the race."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kart_pipeline.games.base import LAP, PROGRESS
from kart_pipeline.games.bizhawk.tables import GameTable, Value

COURSE = "course"


@dataclass(frozen=True, slots=True)
class Read:
    """One number to read.

    Attributes:
        key: of the answer.
        domain: of BizHawk's memory domains; "" is the main one.
        address: in it.
        type: u8 s8 u16 s16 u32 s32 f32.
        order: big or little.
    """

    key: str
    domain: str
    address: int
    type: str
    order: str


class Memory:
    """What a game tells.

    Args:
        table: of the game.
    """

    def __init__(self, table: GameTable) -> None:
        self.table = table
        self._values = {value.name: value for value in table.values}

    def reads(self) -> list[Read]:
        """All numbers that are needed, in a fixed order."""
        return [
            Read(key, value.domain, address, value.type, self.table.order)
            for value in self.table.values
            for key, address in zip(_keys(value), value.places, strict=True)
        ]

    def doubts(self, numbers: Mapping[str, float]) -> str:
        """Why these numbers are not those of this game, as a sentence; "" where nothing speaks against it.

        Args:
            numbers: by `Read.key`.
        """
        odd = [
            f"{key} is {numbers[key]:g}"
            for value in self.table.values
            for key in _keys(value)
            if not _plausible(value, numbers[key])
        ]
        if not odd:
            return ""
        return (
            f"The memory does not look like {self.table.title}: {', '.join(odd)}. Laps and times are not told; is it "
            "another core, or has the game only just been switched on?"
        )

    def state(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """What the game tells, by name.

        Args:
            numbers: by `Read.key`; one that is not finite leaves its value out.
        """
        told = {}
        for value in self.table.values:
            several = [numbers[key] for key in _keys(value)]
            if all(map(math.isfinite, several)):
                told[value.name] = _made(value, several)
        share = self._progress(told)
        return told if share is None else {**told, PROGRESS: share}

    def course(self, state: Mapping[str, float]) -> str:
        """The course, as a valid id such as `luigi-raceway`; "" where the game does not tell."""
        if COURSE not in state:
            return ""
        number, names = int(state[COURSE]), self._values[COURSE].names
        return names[number] if 0 <= number < len(names) else f"{COURSE}-{number}"

    def finished(self, state: Mapping[str, float]) -> bool:
        """Whether the last lap is completed."""
        return state.get(PROGRESS, 0.0) >= 1.0 or (
            self.table.progress is not None and state.get(LAP, 0.0) >= self.table.progress.laps
        )

    def _progress(self, told: Mapping[str, float]) -> float | None:
        """Share of the race, 0 to 1; what lies before the line at the start counts as 0."""
        rule = self.table.progress
        if rule is None or rule.lap not in told:
            return None
        laps = told[rule.lap]
        if rule.part:
            if not told.get(rule.parts):
                return None
            laps += told.get(rule.part, 0.0) / told[rule.parts]
        return min(1.0, max(0.0, laps / rule.laps))


def _keys(value: Value) -> Sequence[str]:
    places = len(value.places)
    return [value.name] if places == 1 else [f"{value.name}.{place}" for place in range(places)]


def _plausible(value: Value, number: float) -> bool:
    low, high = (-math.inf if value.low is None else value.low), (math.inf if value.high is None else value.high)
    return math.isfinite(number) and low <= number <= high


def _made(value: Value, numbers: Sequence[float]) -> float:
    if value.all_in:
        return float(all(number in value.all_in for number in numbers))
    if value.any_bits:
        return float(any(int(number) & value.any_bits for number in numbers))
    made = value.scale * (numbers[0] + value.offset)
    return made if value.least is None else max(value.least, made)
