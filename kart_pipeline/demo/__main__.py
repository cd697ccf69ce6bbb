"""`make demo`, or `python -m kart_pipeline.demo [--game NAME] [--quick]`: a model learns to drive a game from nothing.

    record ──▶ materialise ──▶ train, register, score ──▶ drive unseen tracks ──▶ what to type next
    recorder   Dagster         Dagster + MLflow          player

Each stage is what a person would do by hand, with the same commands and the same store. A second run records more and
trains again; a run that was interrupted goes on where it stopped.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.correct.road import Road, recipe, shown
from kart_pipeline.demo import plan as plans
from kart_pipeline.games.registry import GAMES
from kart_pipeline.learning.tracking import registered_name

GAME = "car_racing"


@dataclass(frozen=True, slots=True)
class Size:
    """How much the demo does: `episodes` recorded, `minutes` of training, `seeds` driven, `max_steps` a drive."""

    episodes: int
    minutes: float
    promotion_seeds: int
    seeds: int
    max_steps: int | None


FULL: Mapping[str, Size] = {
    GAME: Size(episodes=12, minutes=3.5, promotion_seeds=6, seeds=5, max_steps=None),
    # In real time a lap takes a minute, and nothing can be done beside it: four laps on each of four tracks.
    "supertuxkart": Size(episodes=16, minutes=8.0, promotion_seeds=4, seeds=4, max_steps=None),
}
# Enough to go through every part, not to learn anything: the test of a submission.
QUICK = Size(episodes=3, minutes=0.2, promotion_seeds=1, seeds=1, max_steps=150)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Returns:
        The exit status: 0; 2 after a mistake that a person can mend; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m kart_pipeline.demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("--game", choices=sorted(FULL), default=GAME, help=f"default {GAME}")
    parser.add_argument("--quick", action="store_true", help="go through every part in small; learns next to nothing")
    told = parser.parse_args(arguments)
    size = QUICK if told.quick else FULL[told.game]
    console = Console()
    try:
        settings = Settings.from_env()
        Demo(console, settings, told.game, size).run()
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        console.print("\nInterrupted. Nothing is half-written; the same command goes on from here.")
        return 130
    return 0


class Demo:
    """The stages of one round, with the time that each took."""

    def __init__(self, console: Console, settings: Settings, game: str, size: Size) -> None:
        self._console = console
        self._settings = settings
        self._game = game
        self._size = size
        self._model = f"models:/{registered_name(game)}@champion"
        self._road = Road(console, settings, game, size.max_steps)
        name = "demo" if game == GAME else f"demo-{game}"
        self._plan = settings.home / f"{name}.json"
        self._video = settings.home / f"{name}.mp4"

    def run(self) -> None:
        """All that this round still lacks."""
        home = self._settings.home
        road = self._road
        plan = plans.begin(self._plan, road.recorded(), self._size.episodes)
        where = f"[bold]Round {plan.round}[/bold] of the demo of {self._game}, in {shown(home)}"
        self._console.print(where, highlight=False)
        road.stage("Record", lambda: road.record(plan.sessions))
        if not plan.trained:
            road.stage("Build frames", road.prepare)
            road.stage("Train and score", self._train)
            plan = plans.save(self._plan, plan, trained=True)
        road.stage("Drive", self._drive)
        plans.save(self._plan, plan, done=True)
        self._farewell()

    def _train(self) -> None:
        from kart_pipeline.orchestration.materialise import train

        trained = train(
            self._settings,
            self._game,
            recipe(self._size.minutes),
            seeds=self._size.promotion_seeds,
            max_steps=self._size.max_steps,
            console=self._console,
        )
        self._console.print(Markdown(trained.driver_model["errors on held-out rows"]))
        self._console.print(trained.champion["decision"], highlight=False)

    def _drive(self) -> None:
        drive = ["--model-uri", self._model, "--game", self._game, *self._road.step_limit()]
        workers = GAMES[self._game].workers(2)
        compare = ["--compare", "expert,straight,untrained", "--workers", str(workers)]
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
            (f"python -m player --model-uri {self._model} --seeds 3", "drive three more tracks"),
            (
                _make("correct", self._game),
                "the model drives new tracks, the expert corrects it, and the next model learns from that",
            ),
            (_make("demo", self._game), "record more, train again"),
        ):
            show(f"  [bold]{command}[/bold]\n      [dim]{what}[/dim]", highlight=False, soft_wrap=True)


def _make(target: str, game: str) -> str:
    """What to type for a target of the Makefile."""
    return f"make {target}" if game == GAME else f"make {target}-{game}"


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
