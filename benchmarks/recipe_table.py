"""The tables of `benchmarks.recipes`: every training, and the recipes beside their base on the same tracks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from kart_pipeline.driving.scorecard import bootstrap

BASE = "base"
EACH = ("recipe", "mean", "95 % interval", "worst", "worst decile", "finished", "held-out error")
EACH += ("parameters", "MFLOP", "ms", "minutes")
TOGETHER = ("recipe", "steps", "tracks", "trainings", "mean score", "95 % interval", "worst decile", "finished")
TOGETHER += ("against base", "MFLOP", "ms")


@dataclass(frozen=True, slots=True)
class Group:
    """All trainings of one recipe with as many steps and tracks.

    Attributes:
        name: of the recipe.
        steps: gradient steps of each training.
        tracks: how many each was scored on.
        runs: what `benchmarks.recipes` kept of each.
    """

    name: str
    steps: int
    tracks: int
    runs: tuple[Mapping[str, Any], ...]

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """Float64 `(trainings, tracks)`."""
        return np.array([run["scores"] for run in self.runs], np.float64)

    def median(self, figure: str) -> float:
        """Of a figure, over the trainings."""
        return float(np.median([run[figure] for run in self.runs]))


def groups(known: Mapping[str, Any], game: str) -> Iterator[Group]:
    """The recipes of a game that were run, in the order in which each was first."""
    found: dict[tuple[str, int, int], list[Mapping[str, Any]]] = {}
    for key, run in known.items():
        of, name, *settings = key.split(" ")
        if of == game:
            values = dict(setting.split("=") for setting in settings)
            found.setdefault((name, int(values["steps"]), int(values["seeds"])), []).append(run)
    for (name, steps, tracks), runs in found.items():
        yield Group(name, steps, tracks, tuple(runs))


def interval(scores: npt.NDArray[np.float64]) -> tuple[float, float]:
    """95 % bootstrap interval, over tracks, of the mean of `(trainings, tracks)`.

    A training is a draw too, and one or two of them show little of how far trainings differ: their means are given
    beside it.
    """
    by_track = scores.mean(axis=0)
    return bootstrap(by_track) if len(by_track) > 1 else (float(by_track[0]), float(by_track[0]))


def show(known: Mapping[str, Any], game: str, console: Console) -> None:
    """Print both tables as Markdown, and the machines that trained and drove."""
    for machine in sorted({run["machine"] for key, run in known.items() if key.startswith(f"{game} ")}):
        console.print(f"{machine}\n", highlight=False, soft_wrap=True, markup=False)
    for table in (each(known, game), together(list(groups(known, game)))):
        for line in table:
            console.print(f"| {' | '.join(line)} |", highlight=False, soft_wrap=True, markup=False)
        console.print()


def each(known: Mapping[str, Any], game: str) -> list[Sequence[str]]:
    """One line a training."""
    lines: list[Sequence[str]] = [EACH, ("---", *("---:",) * (len(EACH) - 1))]
    for key, found in known.items():
        if key.startswith(f"{game} "):
            lines.append(
                (
                    key.removeprefix(f"{game} "),
                    f"{found['mean']:.1f}",
                    f"{found['low']:.0f} to {found['high']:.0f}",
                    f"{found['worst']:.0f}",
                    f"{found['decile']:.0f}",
                    f"{found['finished']:.0%}",
                    f"{found['val']:.3f}",
                    f"{found['parameters']:,}",
                    f"{found['megaflops']:.0f}",
                    f"{found['latency_p50_ms']:.1f}",
                    f"{found['training_minutes']:.1f}",
                )
            )
    return lines


def together(found: Sequence[Group]) -> list[Sequence[str]]:
    """One line a recipe; its lead over the base is taken track by track, where both drove the same ones."""
    lines: list[Sequence[str]] = [TOGETHER, ("---", *("---:",) * (len(TOGETHER) - 1))]
    bases = {group.steps: group for group in sorted(found, key=lambda group: group.tracks) if group.name == BASE}
    for group in found:
        low, high = interval(group.scores)
        means = ", ".join(f"{mean:.0f}" for mean in group.scores.mean(axis=1))
        base = bases.get(group.steps)
        lines.append(
            (
                group.name,
                str(group.steps),
                str(group.tracks),
                means,
                f"{group.scores.mean():.1f}",
                f"{low:.0f} to {high:.0f}",
                f"{np.percentile(group.scores, 10):.0f}",
                f"{np.mean([run['finished'] for run in group.runs]):.0%}",
                _lead(group, base) if base is not None and base is not group else "",
                f"{group.median('megaflops'):.0f}",
                f"{group.median('latency_p50_ms'):.1f}",
            )
        )
    return lines


def _lead(group: Group, base: Group) -> str:
    common = min(group.tracks, base.tracks)  # whoever drives more drives these first
    lead = group.scores[:, :common].mean(axis=0) - base.scores[:, :common].mean(axis=0)
    low, high = interval(lead[None])
    return f"{lead.mean():+.0f} ({low:+.0f} to {high:+.0f})"
