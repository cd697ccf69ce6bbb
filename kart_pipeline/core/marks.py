"""What is marked while recording: cuts, laps, pauses, failures. They ride in the stream, where a crash spares them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
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
        pauses: steps that were not recorded, because a person paused or because only corrections are kept.
        failures: the last steps of a policy before a person took the controls from it.
    """

    cuts: tuple[Range, ...] = ()
    laps: tuple[int, ...] = ()
    pauses: tuple[Range, ...] = ()
    failures: tuple[Range, ...] = ()

    def cut(self, first: int, last: int) -> "Marks":
        """These marks and one more cut, which takes the place of those within it; its laps go with it."""
        kept = tuple(item for item in self.cuts if item[0] < first or item[1] > last)
        laps = tuple(step for step in self.laps if not first <= step <= last)
        return replace(self, cuts=(*kept, (first, last)), laps=laps)

    def lap(self, step: int) -> "Marks":
        """These marks and one more lap."""
        return replace(self, laps=(*self.laps, step))

    def pause(self, first: int, last: int) -> "Marks":
        """These marks and one more pause."""
        return replace(self, pauses=(*self.pauses, (first, last)))

    def failure(self, first: int, last: int) -> "Marks":
        """These marks and one more failure."""
        return replace(self, failures=(*self.failures, (first, last)))

    def kept(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of `steps` `(N,)` no cut covers: bool `(N,)`."""
        keep = np.ones(len(steps), bool)
        for first, last in self.cuts:
            keep &= (steps < first) | (steps > last)
        return keep

    def wanted_gaps(self, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How many of the steps between each of `steps` `(N,)` and the next a cut or pause covers: int64 `(N - 1,)`."""
        after, before = steps[:-1] + 1, steps[1:] - 1
        covered = np.zeros(len(after), np.int64)
        for first, last in united([*self.cuts, *self.pauses]):
            covered += np.maximum(0, np.minimum(before, last) - np.maximum(after, first) + 1)
        return covered

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
        """Inverse of `to_json`; AttributeError, TypeError or ValueError where `text` is something else."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Marks":
        """Inverse of `to_dict`; AttributeError, TypeError or ValueError where `data` is something else."""

        def ranges(name: str) -> tuple[Range, ...]:
            return tuple((int(first), int(last)) for first, last in data.get(name, []))

        laps = tuple(int(step) for step in data.get("laps", []))
        return cls(ranges("cuts"), laps, ranges("pauses"), ranges("failures"))


def united(ranges: Iterable[Range]) -> list[Range]:
    """The same steps in ranges that do not overlap."""
    united: list[Range] = []
    for first, last in sorted(ranges):
        if united and first <= united[-1][1] + 1:
            united[-1] = (united[-1][0], max(last, united[-1][1]))
        else:
            united.append((first, last))
    return united


UNMARKED = Marks()
