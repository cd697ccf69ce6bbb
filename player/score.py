"""What a model is worth on many seeds, beside another one on the same, kept at its MLflow run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.scoring import score
from kart_pipeline.driving.tally import Drive
from kart_pipeline.games.registry import make_game
from player.courses import Model, find_model, open_driver
from player.play import check_fit, meant_game
from player.progress import Bars
from player.report import Result
from player.runtimes import AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """What to score; the names are those of the command line.

    Attributes:
        game: None is the one that the model learned.
        against: another model, driven on the same seeds.
    """

    model_uri: str
    seeds: tuple[int, ...]
    game: str = ""
    game_options: Mapping[str, Any] = field(default_factory=dict)
    against: str | None = None
    workers: int = 1
    max_steps: int | None = None
    trust_remote: bool = False
    runtime: str = AUTO

    def __post_init__(self) -> None:
        for name in ("workers", "max_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise KartError(f"--{name.replace('_', '-')} must be at least 1, not {value}.")
        if self.against == self.model_uri:
            raise KartError("--against names the same model; name another one.")


def candidates(options: ScoreOptions, settings: Settings) -> tuple[str, list[Model]]:
    """The game's name and the models, looked through and known to fit it; nothing of them is loaded.

    Raises:
        KartError: there is no such model or game, or they do not go together.
    """
    found = [
        find_model(uri, settings, runtime=options.runtime, trust_remote=options.trust_remote)
        for uri in filter(None, (options.model_uri, options.against))
    ]
    game = meant_game(options.game, found[0].package)
    with make_game(game, **options.game_options) as opened:
        for model in (each for several in found for each in several.each()):
            check_fit(model.name, model.package, opened)
    return game, found


def score_models(options: ScoreOptions, game: str, models: Sequence[Model], result: Result, bars: Bars) -> None:
    """Drive every seed with every model, and fill `result` on the way, so that an interruption loses nothing.

    Raises:
        KartError: a model is refused by its runtime, a game fails, or a real-time game is to be driven by several.
    """
    result.seeds = options.seeds
    for model in models:
        name = model.name
        bars.say(f"{name}: {model.chosen.why}")
        bars.begin(name, len(options.seeds))
        drives: list[Drive] = []

        def done(drive: Drive, kept: list[Drive] = drives) -> None:
            kept.append(drive)
            bars.done(drive)

        try:
            score(
                partial(make_game, game, **options.game_options),
                partial(open_driver, model),
                options.seeds,
                workers=options.workers,
                max_steps=options.max_steps,
                progress=done,
            )
        finally:
            result.add(game, name, drives)
