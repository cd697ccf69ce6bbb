"""`make demo`, or `python -m kart_pipeline.demo [--quick]`: a model learns to drive CarRacing-v3 from nothing.

    record ──▶ materialise ──▶ train, register, score ──▶ drive unseen tracks ──▶ what to type next
    recorder   Dagster         Dagster + MLflow          player

Each stage is what a person would do by hand, with the same commands and the same store. A second run records more and
trains again; a run that was interrupted goes on where it stopped.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markdown import Markdown

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.demo import plan as plans
from kart_pipeline.demo.commands import run

GAME = "car_racing"
MODEL = f"models:/kart-{GAME}@champion"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """How much the demo does: `episodes` recorded, `minutes` of training, `seeds` driven, `max_steps` a drive."""

    episodes: int
    minutes: float
    promotion_seeds: int
    seeds: int
    max_steps: int | None


FULL = Size(episodes=12, minutes=3.5, promotion_seeds=4, seeds=5, max_steps=None)
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
        self._seconds: dict[str, float] = {}
        self._video = settings.home / "demo.mp4"

    def run(self) -> None:
        """All that this round still lacks."""
        home = self._settings.home
        plan = plans.begin(home, self._recorded(), self._size.episodes)
        self._console.print(f"[bold]Round {plan.round}[/bold] of the demo, in {_shown(home)}", highlight=False)
        self._stage("Record", lambda: self._record(plan.sessions))
        if not plan.trained:
            self._stage("Build frames", self._materialise)
            self._stage("Train and score", self._train)
            plan = plans.save(home, plan, trained=True)
        self._stage("Drive", self._drive)
        plans.save(home, plan, done=True)
        self._farewell()

    def _stage(self, name: str, work: Callable[[], T]) -> T:
        self._console.rule(f"[bold]{name}", align="left")
        started = time.perf_counter()
        result = work()
        self._seconds[name] = time.perf_counter() - started
        return result

    def _recorded(self) -> int:
        store = Store(self._settings.store_url)
        return sum(store.manifest(session_id).game == GAME for session_id in store.ids())

    def _record(self, wanted: int) -> None:
        """Let the game's expert drive, its hands knocked now and then, until the store holds `wanted` sessions."""
        if Store(self._settings.recordings).unfinished():
            self._command("recorder", "repair", "--all")
        missing = wanted - self._recorded()
        if missing <= 0:
            self._console.print("All sessions of this round are there.")
            return
        arguments = ["--game", GAME, "--driver", "expert", "--noise", "0.8", "--episodes", str(missing)]
        self._command("recorder", "capture", *arguments, "--workers", "2", *self._step_limit())

    def _materialise(self) -> None:
        from kart_pipeline.orchestration.materialise import materialise_sessions

        prepared = materialise_sessions(self._settings, console=self._console)
        for session_id, reason in prepared.failed.items():
            self._console.print(f"[yellow]Left out {session_id}:[/yellow] {reason}", highlight=False)
        show = f"{len(prepared.done)} sessions prepared, {len(prepared.unchanged)} were already."
        self._console.print(show, highlight=False)

    def _train(self) -> None:
        from kart_pipeline.learning.hyper import HyperParameters
        from kart_pipeline.orchestration.materialise import train

        trained = train(
            self._settings,
            GAME,
            # CarRacing's light never changes and its instruments are masked: nothing to harden the network against.
            # Batches are small so that the minutes hold more gradient steps: with too few it misjudges its speed.
            HyperParameters(
                epochs=20, max_minutes=self._size.minutes, batch_size=32, brightness=0.0, patches=0, shift=0.0
            ),
            seeds=self._size.promotion_seeds,
            max_steps=self._size.max_steps,
            console=self._console,
        )
        self._console.print(Markdown(trained.driver_model["errors on held-out rows"]))
        self._console.print(trained.champion["decision"], highlight=False)

    def _drive(self) -> None:
        drive = ["--model-uri", MODEL, "--game", GAME, *self._step_limit()]
        compare = ["--compare", "expert,straight,untrained", "--workers", "2"]
        self._command("player", *drive, "--seeds", str(self._size.seeds), *compare)
        self._command("player", *drive, "--seeds", "1", "--video", _shown(self._video))

    def _step_limit(self) -> list[str]:
        return [] if self._size.max_steps is None else ["--max-steps", str(self._size.max_steps)]

    def _command(self, module: str, *arguments: str) -> None:
        run(self._console, module, arguments, {"KART_HOME": str(self._settings.home)})

    def _farewell(self) -> None:
        show = self._console.print
        self._console.rule("[bold]Done", align="left")
        times = ", ".join(f"{name.lower()} {seconds:.0f} s" for name, seconds in self._seconds.items())
        show(f"{sum(self._seconds.values()) / 60:.1f} minutes: {times}.", highlight=False)
        show(f"The drive as a video: [bold]{_shown(self._video)}[/bold]", highlight=False)
        show("\nWhat to type next:" + _activation())
        for command, what in (
            ("dagster dev", "sessions, frames, models and scores as assets, on http://127.0.0.1:3000"),
            (f"mlflow ui --backend-store-uri {self._settings.tracking_uri}", "runs, figures, models"),
            ("python -m recorder list", "the sessions"),
            (f"python -m player --model-uri {MODEL} --game {GAME} --seeds 3", "drive three more tracks"),
            ("make demo", "record more, train again"),
        ):
            show(f"  [bold]{command}[/bold]\n      [dim]{what}[/dim]", highlight=False, soft_wrap=True)


def _shown(path: Path) -> str:
    """`path` as short as it can be said from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _activation() -> str:
    """How to make `dagster` and `mlflow` found, where the virtual environment is not active."""
    if os.environ.get("VIRTUAL_ENV") or sys.prefix == sys.base_prefix:
        return ""
    folder = Path(sys.prefix)
    script = folder / "Scripts" / "activate" if os.name == "nt" else folder / "bin" / "activate"
    source = str(_shown(script)) if os.name == "nt" else f"source {_shown(script)}"
    return f"\n  [bold]{source}[/bold]\n      [dim]once per terminal[/dim]"


if __name__ == "__main__":
    sys.exit(main())
