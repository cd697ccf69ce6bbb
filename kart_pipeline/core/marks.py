"""What a person marks while recording: cuts, laps and pauses. They ride in the stream, where a crash spares them."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Range = tuple[int, int]  # first and last step, both included


@dataclass(frozen=True, slots=True)
class Marks:
    """All marks of a session so far; steps are those of `Step.index`.

    Attributes:
        cuts: steps that are left out of the finished session.
        laps: the steps at which a lap was marked.
        pauses: steps that were not recorded because a person paused.
    """

    cuts: tuple[Range, ...] = ()
    laps: tuple[int, ...] = ()
    pauses: tuple[Range, ...] = ()

    def cut(self, first: int, last: int) -> "Marks":
        """These marks and one more cut, which takes the place of those within it; its laps go with it."""
        kept = tuple(item for item in self.cuts if item[0] < first or item[1] > last)
        laps = tuple(step for step in self.laps if not first <= step <= last)
        return Marks((*kept, (first, last)), laps, self.pauses)

    def lap(self, step: int) -> "Marks":
        """These marks and one more lap."""
        return Marks(self.cuts, (*self.laps, step), self.pauses)

    def pause(self, first: int, last: int) -> "Marks":
        """These marks and one more pause."""
        return Marks(self.cuts, self.laps, (*self.pauses, (first, last)))

    def kept(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of `steps` `(N,)` no cut covers: bool `(N,)`."""
        keep = np.ones(len(steps), bool)
        for first, last in self.cuts:
            keep &= (steps < first) | (steps > last)
        return keep

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without what is empty."""
        return {
            name: [list(item) if isinstance(item, tuple) else item for item in value]
            for name, value in asdict(self).items()
            if value
        }

    def to_json(self) -> bytes:
        """For the stream."""
        return json.dumps(self.to_dict()).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Marks":
        """Inverse of `to_json`; ValueError, KeyError or TypeError where `text` is something else."""
        data = json.loads(text)

        def ranges(name: str) -> tuple[Range, ...]:
            return tuple((int(first), int(last)) for first, last in data.get(name, []))

        return cls(ranges("cuts"), tuple(int(step) for step in data.get("laps", [])), ranges("pauses"))


UNMARKED = Marks()
