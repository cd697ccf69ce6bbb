"""`make demo`, or `python -m kart_pipeline.demo [--quick]`: a model learns to drive CarRacing-v3 from nothing.

    record ──▶ materialise ──▶ train, register, score ──▶ drive unseen tracks ──▶ what to type next
    recorder   Dagster         Dagster + MLflow          player

Each stage is what a person would do by hand, with the same commands and the same store. A second run records more and
trains again; a run that was interrupted goes on where it stopped.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.correct.road import Road, recipe, shown
from kart_pipeline.demo import plan as plans

GAME = "car_racing"
MODEL = f"models:/kart-{GAME}@champion"


@dataclass(frozen=True, slots=True)
class Size:
    """How much the demo does: `episodes` recorded, `minutes` of training, `seeds` driven, `max_steps` a drive."""

    episodes: int
    minutes: float
    promotion_seeds: int
    seeds: int
    max_steps: int | None


FULL = Size(episodes=12, minutes=3.5, promotion_seeds=6, seeds=5, max_steps=None)
# Enough to go through every part, not to learn anything: the test of a submission.
QUICK = Size(episodes=3, minutes=0.2, promotion_seeds=1, seeds=1, max_steps=150)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Returns:
        The exit status: 0; 2 after a mistake that a person can mend; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m kart_pipeline.demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="go through every part in small; learns next to nothing")
    size = QUICK if parser.parse_args(arguments).quick else FULL
    console = Console()
    try:
        settings = Settings.from_env()
        Demo(console, settings, size).run()
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        console.print("\nInterrupted. Nothing is half-written; the same command goes on from here.")
        return 130
    return 0


class Demo:
    """The stages of one round, with the time that each took."""

    def __init__(self, console: Console, settings: Settings, size: Size) -> None:
        self._console = console
        self._settings = settings
        self._size = size
        self._road = Road(console, settings, GAME, size.max_steps)
        self._video = settings.home / "demo.mp4"

    def run(self) -> None:
        """All that this round still lacks."""
        home = self._settings.home
        road = self._road
        plan = plans.begin(home, road.recorded(), self._size.episodes)
        self._console.print(f"[bold]Round {plan.round}[/bold] of the demo, in {shown(home)}", highlight=False)
        road.stage("Record", lambda: road.record(plan.sessions))
        if not plan.trained:
            road.stage("Build frames", road.prepare)
            road.stage("Train and score", self._train)
            plan = plans.save(home, plan, trained=True)
        road.stage("Drive", self._drive)
        plans.save(home, plan, done=True)
        self._farewell()

    def _train(self) -> None:
        from kart_pipeline.orchestration.materialise import train

        trained = train(
            self._settings,
            GAME,
            recipe(self._size.minutes),
            seeds=self._size.promotion_seeds,
            max_steps=self._size.max_steps,
            console=self._console,
        )
        self._console.print(Markdown(trained.driver_model["errors on held-out rows"]))
        self._console.print(trained.champion["decision"], highlight=False)

    def _drive(self) -> None:
        drive = ["--model-uri", MODEL, "--game", GAME, *self._road.step_limit()]
        compare = ["--compare", "expert,straight,untrained", "--workers", "2"]
        self._road.command("player", *drive, "--seeds", str(self._size.seeds), *compare)
        self._road.command("player", *drive, "--seeds", "1", "--video", shown(self._video))

    def _farewell(self) -> None:
        show = self._console.print
        self._console.rule("[bold]Done", align="left")
        show(self._road.times(), highlight=False)
        show(f"The drive as a video: [bold]{shown(self._video)}[/bold]", highlight=False)
        show("\nWhat to type next:" + _activation())
        for command, what in (
            ("dagster dev", "sessions, frames, models and scores as assets, on http://127.0.0.1:3000"),
            (f"mlflow ui --backend-store-uri {self._settings.tracking_uri}", "runs, figures, models"),
            ("python -m recorder list", "the sessions"),
            (f"python -m player --model-uri {MODEL} --game {GAME} --seeds 3", "drive three more tracks"),
            (
                "make correct",
                "the model drives new tracks, the expert corrects it, and the next model learns from that",
            ),
            ("make demo", "record more, train again"),
        ):
            show(f"  [bold]{command}[/bold]\n      [dim]{what}[/dim]", highlight=False, soft_wrap=True)


def _activation() -> str:
    """How to make `dagster` and `mlflow` found, where the virtual environment is not active."""
    if os.environ.get("VIRTUAL_ENV") or sys.prefix == sys.base_prefix:
        return ""
    folder = Path(sys.prefix)
    script = folder / "Scripts" / "activate" if os.name == "nt" else folder / "bin" / "activate"
    source = str(shown(script)) if os.name == "nt" else f"source {shown(script)}"
    return f"\n  [bold]{source}[/bold]\n      [dim]once per terminal[/dim]"


if __name__ == "__main__":
    sys.exit(main())
