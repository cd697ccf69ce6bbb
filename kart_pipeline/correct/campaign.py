"""Round after round, unattended: drive and be corrected, prepare, train, score; whatever is there is not done again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.settings import Settings
from kart_pipeline.correct import rounds as journals
from kart_pipeline.correct.figure import rounds_figure
from kart_pipeline.correct.models import Models, next_correction
from kart_pipeline.correct.road import Road, shown
from kart_pipeline.correct.rounds import Begun, Round
from kart_pipeline.learning.hyper import HyperParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the rounds shall do.

    Attributes:
        game: name in the registry; it must have an expert.
        rounds: how many correction rounds; see `Journal.asked`.
        episodes: of the expert, recorded where there is no session of the game.
        recovery: short drives of the expert that begin beside the line, recorded where there are fewer.
        drives: corrected in each round.
        seeds: tracks of the scorecard.
        workers: processes for recording and scoring.
        hyper: of each training.
        training_set: configuration of the asset of that name.
        warm_start: trainings of correction rounds begin with the champion's weights.
        newest: the newest model is corrected, whether it became champion or not.
        noise: on the hands of the model that is corrected.
        off_track_s, stuck_s: when a corrected drive is given up.
        max_steps: of each drive; None lets the game end it.
    """

    game: str
    rounds: int
    episodes: int
    drives: int
    seeds: int
    workers: int
    hyper: HyperParameters
    training_set: Mapping[str, Any] = field(default_factory=dict)
    recovery: int = 0
    warm_start: bool = False
    newest: bool = False
    noise: float = 0.0
    off_track_s: float | None = 2.0
    stuck_s: float | None = 5.0
    max_steps: int | None = None


class Campaign:
    """The rounds of one game in one home."""

    def __init__(self, console: Console, settings: Settings, wishes: Wishes) -> None:
        self._console = console
        self._settings = settings
        self._wishes = wishes
        self._road = Road(console, settings, wishes.game, wishes.max_steps)
        self._models = Models(settings, wishes.game)
        self._journal = journals.load(settings.home, wishes.game)

    def run(self) -> None:
        """All rounds that are wanted and not finished.

        Raises:
            KartError: a stage failed and says why; the next run goes on with it.
        """
        self._ask()
        while not self._journal.complete:
            begun = self._journal.begun or self._begin(len(self._journal.rounds))
            self._keep(begun=begun)
            self._round(begun)
            self._console.print(rounds_table(self._wishes.game, self._journal.rounds))
        home = self._settings.home
        self._console.print(
            f"{shown(home / journals.FILE)} and {shown(home / journals.PICTURE)} keep the rounds; the same "
            "command adds more.",
            highlight=False,
        )

    def _ask(self) -> None:
        """Write down what is wanted, and say so where a run that broke off wanted something else."""
        before = self._journal
        after = before.asked(self._wishes.rounds)
        if not before.complete and after.last != before.last:
            begun = before.begun
            late = f", and number {begun.number}, under way, is finished" if begun and begun.number > after.last else ""
            self._console.print(
                f"The run that broke off wanted rounds up to number {before.last}; now the last is number "
                f"{after.last}{late}.",
                highlight=False,
                soft_wrap=True,
            )
        self._keep(last=after.last, before=after.before)
        begun, episodes = self._journal.begun, self._wishes.episodes
        if begun and begun.number == 0 and self._road.recorded() < begun.sessions != episodes:
            self._console.print(
                f"The run that broke off wanted {begun.sessions} drives of the expert; now {episodes} are wanted.",
                highlight=False,
                soft_wrap=True,
            )
            self._keep(begun=replace(begun, sessions=episodes))

    def _keep(self, **changes: Any) -> None:
        """Write the journal down with `changes`."""
        self._journal = replace(self._journal, **changes)
        journals.save(self._settings.home, self._wishes.game, self._journal)

    def _begin(self, number: int) -> Begun:
        """What a round goes by."""
        newest, champion = self._models.newest(), self._models.champion()
        if number == 0:
            return Begun(number=0, sessions=self._road.recorded() or self._wishes.episodes, before=newest)
        driver = newest if self._wishes.newest or not champion else champion
        first = next_correction(self._settings, self._wishes.game, driver)
        return Begun(number=number, before=newest, driver=driver, first=first)

    def _round(self, begun: Begun) -> None:
        wishes, champion = self._wishes, self._models.champion()
        title = (
            "the first model"
            if begun.number == 0
            else f"correction round {begun.number} of {max(begun.number, self._journal.last)}"
        )
        self._console.rule(f"[bold]{wishes.game}: {title}", characters="═")
        if begun.number == 0 and champion:
            self._console.print(f"Version {champion} is champion already: the rounds begin with it.", highlight=False)
        else:
            if begun.number == 0:
                self._stage("Record", lambda: self._road.record(begun.sessions, wishes.workers))
            else:
                self._stage("Correct", lambda: self._correct(begun))
            if self._road.recorded(beside=True) < wishes.recovery:
                self._stage("Recover", lambda: self._road.record_recoveries(wishes.recovery, wishes.workers))
            self._stage("Prepare", self._road.prepare)
            if self._models.newest() <= begun.before:
                self._stage("Train", lambda: self._train(warm_start=wishes.warm_start and champion > 0))
            self._stage("Score", self._score)
        begun = self._journal.begun or begun  # with the times of its stages
        version = self._models.champion() if begun.number == 0 else self._models.newest()
        minutes = self._journal.minutes + sum(begun.seconds.values()) / 60
        finished = replace(
            self._models.worth(version or self._models.newest()),
            number=begun.number,
            driver=begun.driver,
            drives=wishes.drives if begun.driver else 0,
            drift=begun.drift,
            noise=begun.noise,
            seconds=begun.seconds,
            minutes=minutes,
        )
        self._keep(rounds=(*self._journal.rounds, finished), begun=None)
        self._show(finished)

    def _stage(self, name: str, work: Callable[[], None]) -> None:
        """One stage, whose time is written down at its end."""
        before = self._road.seconds.get(name, 0.0)
        self._road.stage(name, work)
        begun = self._journal.begun
        if begun is not None:
            took = begun.seconds.get(name, 0.0) + self._road.seconds[name] - before
            self._keep(begun=replace(begun, seconds={**begun.seconds, name: round(took, 1)}))

    def _correct(self, begun: Begun) -> None:
        from kart_pipeline.orchestration.correcting import Terms
        from kart_pipeline.orchestration.materialise import correct

        wishes = self._wishes
        terms = Terms(
            drives=wishes.drives,
            first=begun.first,
            max_steps=wishes.max_steps,
            off_track_s=wishes.off_track_s,
            stuck_s=wishes.stuck_s,
            noise=wishes.noise,
        )
        made = correct(self._settings, wishes.game, terms, version=begun.driver, console=self._console)
        drift = made["mean difference to the expert"]
        self._keep(begun=replace(begun, drift=drift, noise=wishes.noise))
        knocks = ", knocks included" if wishes.noise else ""
        self._console.print(
            f"Version {begun.driver} scores {made['mean score']:.0f} on {wishes.drives} tracks of its own, "
            f"{made['given up']} of them given up; on average it is {drift:.3f} from what the expert would have done"
            f"{knocks}.",
            highlight=False,
        )

    def _train(self, *, warm_start: bool) -> None:
        from kart_pipeline.orchestration.materialise import make_model

        made = make_model(
            self._settings,
            self._wishes.game,
            self._wishes.hyper,
            training_set=self._wishes.training_set,
            warm_start=warm_start,
            console=self._console,
        )["driver_model"]
        self._console.print(
            f"{made['registered']}: best epoch {made['best epoch']} of {made['epochs']}, held-out error "
            f"{made['held-out error']}.",
            highlight=False,
        )

    def _score(self) -> None:
        from kart_pipeline.orchestration.materialise import judge_model

        judged = judge_model(
            self._settings,
            self._wishes.game,
            seeds=self._wishes.seeds,
            max_steps=self._wishes.max_steps,
            workers=self._wishes.workers,
            console=self._console,
        )
        self._console.print(judged["champion"]["decision"], highlight=False)

    def _show(self, finished: Round) -> None:
        """The picture of the rounds: in the home, at the newest model in MLflow, and at the corrections in Dagster."""
        from kart_pipeline.orchestration.materialise import tell_of_corrections
        from kart_pipeline.orchestration.pictures import MOST_BYTES, figure

        game, home = self._wishes.game, self._settings.home
        with replace_file(home / journals.PICTURE) as temporary:
            temporary.write_bytes(rounds_figure(game, self._journal.rounds))
        self._models.attach(finished.version, home / journals.PICTURE, home / journals.FILE)
        small = rounds_figure(game, self._journal.rounds, MOST_BYTES)
        tell_of_corrections(self._settings, game, {"rounds": figure(small)})


def rounds_table(game: str, rounds: Sequence[Round]) -> Table:
    """The rounds for the terminal; a star marks whoever took the champion's place."""
    table = Table(title=f"{game}: rounds", box=None, pad_edge=False, title_justify="left")
    headings = ("round", "model", "score", "95 % interval", "decile", "frames", "corrected", "drift", "minutes")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for item in rounds:
        interval = "-" if item.low is None or item.high is None else f"{item.low:.0f} to {item.high:.0f}"
        table.add_row(
            str(item.number),
            f"v{item.version}{'*' if item.champion == item.version else ''}",
            "-" if item.mean is None else f"{item.mean:.1f}",
            interval,
            "-" if item.decile is None else f"{item.decile:.1f}",
            f"{item.frames:,}",
            f"{item.corrected:,}",
            "-" if item.drift is None else f"{item.drift:.3f}",
            f"{item.minutes:.1f}",
        )
    return table
