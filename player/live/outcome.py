"""What a drive on the screen came to, for people and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kart_pipeline.core.manifest import Manifest
from kart_pipeline.driving.tally import Drive
from player.report import stage_table
from player.stages import LATENCY, Stages
from recorder.display import cadence_line


@dataclass(slots=True)
class Outcome:
    """All that is told at the end; filled while driving, so that an interruption loses nothing.

    Attributes:
        model: uri, name, id, contract hash and runtime.
        drive: None where it broke off.
        let_go: how often the controls were let go of, by reason.
        late: how often because the next action was late.
        agreement: of a shadow, how far the model was from the person, by channel; empty otherwise.
        stages: of the steps.
        session: that was recorded, in `store`; None where nothing was kept.
        video: the film, where there is one, with so many `frames`, and `dropped` ones.
    """

    model: dict[str, Any] = field(default_factory=dict)
    drive: Drive | None = None
    let_go: Mapping[str, int] = field(default_factory=dict)
    late: int = 0
    agreement: Mapping[str, float] = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)
    session: Manifest | None = None
    store: str = ""
    video: Path | None = None
    frames: int = 0
    dropped: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        video = None
        if self.video is not None:
            video = {"path": str(self.video), "frames": self.frames, "dropped": self.dropped}
        return {
            "model": dict(self.model),
            "drive": None if self.drive is None else self.drive.to_dict(),
            "let_go": dict(self.let_go),
            "late": self.late,
            "agreement": dict(self.agreement),
            "stages": self.stages.summary(),
            "session": None if self.session is None else self.session.id,
            "video": video,
        }


def show(outcome: Outcome, out: Console) -> None:
    """Print it as tables and sentences."""
    if outcome.drive is not None:
        out.print(_facts(outcome, outcome.drive))
    if outcome.stages.summary():
        out.print(stage_table(outcome.stages))
    if outcome.session is not None:
        session = outcome.session
        out.print(
            f"Recorded in {outcome.store}: {session.id}, {session.steps} steps, {session.interventions} of them yours.",
            soft_wrap=True,
        )
    if outcome.video is not None:
        dropped = f", {outcome.dropped} dropped because encoding was too slow" if outcome.dropped else ""
        out.print(f"Video: {outcome.video} ({outcome.frames} frames{dropped})", soft_wrap=True)


def _facts(outcome: Outcome, drive: Drive) -> Table:
    made = Table(title=f"{outcome.model.get('name', 'the model')}: {drive.ended}", show_header=False)
    made.add_column()
    made.add_column()
    latency = outcome.stages.summary().get(LATENCY)
    lines = {
        "driven": f"{drive.game_seconds:.1f} s, {drive.steps} steps",
        "by the model alone": "" if drive.autonomy is None else f"{drive.autonomy:.1%}",
        "takeovers": str(drive.interventions) if drive.interventions else "",
        "backed out": str(drive.recoveries) if drive.recoveries else "",
        "let go": ", ".join(f"{times} x {reason}" for reason, times in outcome.let_go.items()),
        "too late": f"{outcome.late} times the controls were let go of" if outcome.late else "",
        "model and you differ by": ", ".join(f"{name} {value:.2f}" for name, value in outcome.agreement.items()),
        "cadence": cadence_line(drive.cadence.to_dict()),
        LATENCY: ""
        if latency is None
        else f"p50 {latency['p50_ms']:.1f}, p95 {latency['p95_ms']:.1f}, p99 {latency['p99_ms']:.1f} ms",
    }
    for name, text in lines.items():
        if text:
            made.add_row(name, text)
    return made
