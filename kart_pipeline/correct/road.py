"""The stages that every unattended run has: recording an expert, preparing what is new, each timed and announced."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.correct.commands import run
from kart_pipeline.games.registry import default_contract, find_game
from kart_pipeline.learning.hyper import HyperParameters

NOISE = "0.8"  # of the expert's hands, see `driving.drivers.knocks`
RECOVERY_S = 3.0  # an expert is back on its line by then

T = TypeVar("T")


class Road:
    """One game's way from drives to a model, in one home.

    Attributes:
        seconds: by stage, how long it took in this process.
    """

    def __init__(self, console: Console, settings: Settings, game: str, max_steps: int | None = None) -> None:
        self.console = console
        self.settings = settings
        self.game = game
        self.max_steps = max_steps
        self.seconds: dict[str, float] = {}

    def stage(self, name: str, work: Callable[[], T]) -> T:
        """Announce a stage, do its work, and add up its time."""
        self.console.rule(f"[bold]{name}", align="left")
        started = time.perf_counter()
        result = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        return result

    def recorded(self, *, beside: bool = False) -> int:
        """How many finished sessions of the game the store holds: from the start on, or of drives begun `beside` it."""
        manifests = Store(self.settings.store_url).manifests()
        return sum(item.game == self.game and bool(item.source.get("displaced")) == beside for item in manifests)

    def record(self, wanted: int, workers: int = 2) -> None:
        """Let the game's expert drive, its hands knocked now and then, until the store holds `wanted` sessions."""
        self._record(wanted, workers, self.step_limit(), beside=False)

    def record_recoveries(self, wanted: int, workers: int = 2) -> None:
        """The same with drives of `RECOVERY_S` that begin beside the line, where nobody who drives well ever comes."""
        steps = round(RECOVERY_S * default_contract(self.game).rate_hz)
        limit = ["--recovery", "--max-steps", str(min(steps, self.max_steps or steps))]
        self._record(wanted, workers, limit, beside=True)

    def _record(self, wanted: int, workers: int, options: list[str], *, beside: bool) -> None:
        if Store(self.settings.recordings).unfinished():
            self.command("recorder", "repair", "--all")
        missing = wanted - self.recorded(beside=beside)
        if missing <= 0:
            self.console.print("All sessions of this round are there.")
            return
        arguments = ["--game", self.game, "--driver", "expert", "--noise", NOISE, "--episodes", str(missing)]
        info = find_game(self.game)
        workers = info.workers(workers) if info is not None else 1
        self.command("recorder", "capture", *arguments, "--workers", str(workers), *options)

    def prepare(self) -> None:
        """Build the frames of every session that lacks them; a bad session is named and left out."""
        from kart_pipeline.orchestration.materialise import materialise_sessions

        prepared = materialise_sessions(self.settings, console=self.console)
        for session_id, reason in prepared.failed.items():
            self.console.print(f"[yellow]Left out {session_id}:[/yellow] {reason}", highlight=False)
        show = f"{len(prepared.done)} sessions prepared, {len(prepared.unchanged)} were already."
        self.console.print(show, highlight=False)

    def step_limit(self) -> list[str]:
        """The option of recorder and player that ends drives early; none where the game ends them."""
        return [] if self.max_steps is None else ["--max-steps", str(self.max_steps)]

    def command(self, module: str, *arguments: str) -> None:
        """Run one of the project's own commands in this home, in this terminal."""
        run(self.console, module, arguments, {"KART_HOME": str(self.settings.home)})

    def times(self) -> str:
        """The stages' times in a sentence."""
        each = ", ".join(f"{name.lower()} {seconds:.0f} s" for name, seconds in self.seconds.items())
        return f"{sum(self.seconds.values()) / 60:.1f} minutes: {each}."


def recipe(minutes: float, epochs: int = 20) -> HyperParameters:
    """What a game is learned by that is simulated and driven by its expert.

    Its light never changes and what tells the action is masked: there is nothing to harden the network against.
    Batches are small so that the minutes hold more gradient steps: with too few it misjudges its speed. The residual
    network needs half as many as PilotNet, and learned to drive with four keys where PilotNet did not.
    """
    return HyperParameters(
        network="residual",
        epochs=epochs,
        max_minutes=minutes,
        batch_size=32,
        brightness=0.0,
        patches=0,
        shift=0.0,
    )


def shown(path: Path) -> str:
    """`path` as short as it can be said from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
