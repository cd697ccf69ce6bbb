"""What a session of the player came to, for people and for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from kart_pipeline.core.manifest import Manifest
from kart_pipeline.driving.scorecard import Scorecard, compare
from kart_pipeline.driving.tables import by_drive, by_track, table
from kart_pipeline.driving.tally import Drive
from player.stages import SECTIONS, Stages
from recorder.display import cadence_line


@dataclass(slots=True)
class Result:
    """All that is told at the end; filled while driving, so that an interruption loses nothing.

    Attributes:
        model: uri, name, id and contract hash.
        seeds: that were asked for.
        cards: one a driver, the policy first; a driver without a finished drive has none.
        paced: the game runs in real time, so how the loop kept time is told.
        stages: of the policy's ticks; empty where other processes drove.
        sessions: recorded ones, in `store`.
        video: the film, where there is one, with so many `frames`, and `dropped` ones.
    """

    model: Mapping[str, Any] = field(default_factory=dict)
    seeds: Sequence[int] = ()
    cards: list[Scorecard] = field(default_factory=list)
    paced: bool = False
    stages: Stages = field(default_factory=Stages)
    sessions: list[Manifest] = field(default_factory=list)
    store: str = ""
    video: Path | None = None
    frames: int = 0
    dropped: int = 0

    def add(self, game: str, driver: str, drives: Sequence[Drive]) -> None:
        """The scorecard of these drives, in the order of the seeds; none where there is no drive."""
        if drives:
            order = {seed: number for number, seed in enumerate(self.seeds)}
            ordered = sorted(drives, key=lambda drive: -1 if drive.seed is None else order[drive.seed])
            self.cards.append(Scorecard(game, driver, tuple(ordered)))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        video = None
        if self.video is not None:
            video = {"path": str(self.video), "frames": self.frames, "dropped": self.dropped}
        return {
            "model": dict(self.model),
            "seeds": list(self.seeds),
            "scorecards": [card.to_dict() for card in self.cards],
            "comparisons": [
                {
                    "with": other.driver,
                    "seeds": lead.seeds,
                    "difference": lead.difference,
                    "low": lead.low,
                    "high": lead.high,
                }
                for other, lead in _leads(self.cards)
            ],
            "stages": self.stages.summary(),
            "sessions": [manifest.id for manifest in self.sessions],
            "video": video,
        }


def show(result: Result, out: Console) -> None:
    """Print the result as tables and sentences."""
    if result.cards:
        out.print(table(result.cards))
        out.print(_drives(result.cards[0], result.paced))
        heading, rows = by_track(result.cards)
        if rows:
            out.print(_tracks(heading, rows))
    for other, lead in _leads(result.cards):
        out.print(
            f"{result.cards[0].driver} against {other.driver} on {lead.seeds} seeds: {lead.difference:+.0f} points "
            f"(95 % interval {lead.low:+.0f} to {lead.high:+.0f})"
        )
    if result.stages.summary():
        out.print(stage_table(result.stages))
    elif result.cards:
        out.print(_sections(result.cards[0]))
    if result.sessions:
        out.print(
            f"Recorded in {result.store}: {', '.join(manifest.id for manifest in result.sessions)}", soft_wrap=True
        )
    if result.video is not None:
        dropped = f", {result.dropped} dropped because encoding was too slow" if result.dropped else ""
        out.print(f"Video: {result.video} ({result.frames} frames{dropped})", soft_wrap=True)


def _leads(cards: Sequence[Scorecard]) -> list[tuple[Scorecard, Any]]:
    """The policy's lead over each other driver, where two seeds or more were driven by both."""
    found = []
    for other in cards[1:]:
        common = {drive.seed for drive in cards[0].drives} & {drive.seed for drive in other.drives}
        if len(common) > 1:
            found.append((other, compare(cards[0], other)))
    return found


def _drives(card: Scorecard, paced: bool) -> Table:
    made = Table(title=f"{card.driver}, drive by drive")
    heading, rows = by_drive(card)
    for name in heading:
        made.add_column(name, justify="left" if name == "ended" else "right")
    if paced:
        made.add_column("cadence")
    for row, drive in zip(rows, card.drives, strict=True):
        made.add_row(*row, *([cadence_line(drive.cadence.to_dict())] if paced else []))
    return made


def _tracks(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    made = Table(title="track by track")
    for name in heading:
        made.add_column(name, justify="left" if name in ("track", "driver") else "right")
    for row in rows:
        made.add_row(*row)
    return made


def stage_table(stages: Stages) -> Table:
    """What each stage of a tick took."""
    made = Table(title="milliseconds a tick, by stage")
    made.add_column("")
    names = ("p50", "p95", "p99", "worst")
    for name in names:
        made.add_column(name, justify="right")
    for stage, figures in stages.summary().items():
        made.add_row(stage, *(f"{figures[f'{name}_ms']:.2f}" for name in names))
    return made


def _sections(card: Scorecard) -> Table:
    """Without single measurements, because other processes drove: what each drive's clock tells."""
    made = Table(title="milliseconds a tick, by stage")
    for name in ("", "mean", "worst"):
        made.add_column(name, justify="right" if name else "left")
    cadences = [drive.cadence for drive in card.drives]
    for section in cadences[0].mean_ms:
        mean = np.mean([cadence.mean_ms[section] for cadence in cadences if section in cadence.mean_ms])
        worst = max(cadence.worst_ms.get(section, 0.0) for cadence in cadences)
        made.add_row(SECTIONS.get(section, "prepare and infer"), f"{mean:.2f}", f"{worst:.2f}")
    return made
