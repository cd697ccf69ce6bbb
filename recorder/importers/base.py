"""What every format of another recorder comes down to: rows of a picture and what the driver did."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its number, the path of its picture as written there, and what the driver did.

    Attributes:
        line: its number from 1, or the number of its record.
        picture: as the file names it.
        action: what was executed.
        label: what is right here, where that is not what a person or expert did.
        actor: who chose the action: "human", "expert" or "policy"; a policy's action is no label.
        state: what the game itself told.
    """

    line: int
    picture: str
    action: Action
    label: Action | None = None
    actor: str = "human"
    state: Mapping[str, float] = field(default_factory=dict)

    @property
    def taught(self) -> Action | None:
        """What is to be learned from this row; None where nobody taught."""
        return self.label or (None if self.actor == "policy" else self.action)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that cannot be imported, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one folder of another recorder holds; becomes one session.

    Attributes:
        folder: where it is.
        labels: the file with what the driver did.
        spec: channels of the rows' actions.
        rows, left_out: its lines, usable and not.
        pictures: of the rows; None where there is no such file.
        ticks: which tick of its recorder's timer each row was; they grow.
        rate_hz: ticks per second, where the format has no clock.
        times_ns: when each row was recorded, where the format says so; from any beginning.
        deleted: numbers of records that a person had deleted there.
        part: which of several recordings in one folder ("left", of a left camera); they are held out together.
        track: where the folder says it.
        driver, source: for the manifest: who drove, and what is worth keeping of how it was read.
        notices: sentences for the person who imports it.
        unit: what a line is called.
    """

    folder: Path
    labels: Path
    spec: ActionSpec
    rows: list[Row]
    left_out: list[LeftOut]
    pictures: list[Path | None]
    ticks: list[int]
    rate_hz: float
    times_ns: Sequence[int] | None = None
    deleted: frozenset[int] = frozenset()
    part: str = ""
    track: str = ""
    driver: Mapping[str, Any] = field(default_factory=lambda: {"kind": "human", "device": "gamepad"})
    source: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    unit: str = "line"


class Format(ABC):
    """A format, with what a person must say of it because its files do not.

    Attributes:
        name: on the command line, and in the ids of its sessions.
        game: what was played, unless a person says otherwise.
        marker: the file by which its folders are known.
        depth: how many levels of folders such a folder may lie below the one that is named.
    """

    name: ClassVar[str]
    game: ClassVar[str]
    marker: ClassVar[str]
    depth: ClassVar[int] = 2

    def find(self, given: Path) -> list[Path]:
        """The recordings at `given`: a folder with the marker, the marker itself, or a folder with such folders in it.

        Raises:
            KartError: there is none.
        """
        if given.is_file() and given.name == self.marker:
            return [given.parent]
        if (given / self.marker).is_file():
            return [given]
        depths = ("*/" * level + self.marker for level in range(1, self.depth + 1))
        inside = sorted(path.parent for depth in depths for path in given.glob(depth))
        if not inside:
            raise KartError(
                f"{given} holds no {self.marker}, nor do the folders in it; name a folder of {self.name}'s recordings."
            )
        return inside

    @abstractmethod
    def read(self, folder: Path) -> list[Recording]:
        """What is recorded in `folder`, which holds the marker.

        Raises:
            KartError: its files are not of this format.
        """
