"""A session of the player from the model's URI to the last drive."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.scoring import score
from kart_pipeline.driving.tally import Drive
from kart_pipeline.driving.unstick import Unstick
from kart_pipeline.games.base import Game
from kart_pipeline.games.registry import find_game, make_game, openable
from kart_pipeline.learning.package import DriverPackage
from player.courses import Model, find_model, open_driver
from player.drive import Extras, drive_seeds
from player.handover import under_hands
from player.opponents import make_opponent
from player.options import Options
from player.picture.video import Film
from player.policy import network_kind
from player.progress import Bars
from player.report import Result
from player.stages import StageClock
from recorder.stopping import StopRequest
from recorder.stores import Stores


def play(options: Options, settings: Settings, result: Result) -> int:
    """Load the model, drive, and fill `result` on the way.

    Returns:
        The exit status: 0, or 128 + the signal that asked to stop.

    Raises:
        KartError: the model is refused, or does not suit the game, or something broke while driving.
    """
    result.seeds = options.seeds
    # First what fails fast: a name that cannot be written must not cost the time of loading a model.
    film = Film(options.video, speed=options.speed) if options.video else None
    with Bars() as bars:
        bars.begin("finding the model", 1)
        model = find_model(options.model_uri, settings, runtime=options.runtime, trust_remote=options.trust_remote)
        bars.done()
        result.model = model.described()
        contract = model.package.contract
        options = replace(options, game=meant_game(options.game, model.package))
        with make_game(options.game, **options.game_options) as game:
            for each in model.each():
                check_fit(each.name, each.package, game)
            result.paced = not game.simulated
            if contract.rate_hz != game.rate_hz:
                bars.say(f"{model.name} learned at {contract.rate_hz:g} Hz and drives at {game.rate_hz:g} Hz.")
            bars.say(model.chosen.why)
            info = find_game(options.game)
            if options.workers > 1 and info is not None and info.emulated:
                raise KartError("BizHawk is driven by one process; leave out --workers.")
            if options.workers == 1:
                return _play_here(options, settings, result, game, model, film, bars)
        return _play_in_processes(options, result, model, bars)


def meant_game(wished: str, package: DriverPackage) -> str:
    """The game that a person wishes for, else the one that the model learned.

    Raises:
        KartError: no game of that name opens here.
    """
    game = wished or package.game
    if find_game(game) is None:
        raise KartError(
            f"The model's game is {game or 'not known'}; name one that drives by itself with --game: "
            f"{', '.join(openable())}. What is on the screen is driven by `python -m player` with --window TITLE, "
            "--region or --monitor N."
        )
    return game


def check_fit(name: str, package: DriverPackage, game: Game) -> None:
    """Refuse a model of another game, or one that gives other actions than the game takes.

    Models from before they named their game are judged by their actions alone.

    Raises:
        KartError: so it is.
    """
    contract = package.contract
    if package.game and package.game != game.name:
        raise KartError(
            f"{name} was trained to drive {package.game}, and this is {game.name}. Choose a model of this game, or "
            f"drive {package.game}."
        )
    if contract.spec != game.spec:
        raise KartError(
            f"{name} was trained for the actions {', '.join(contract.spec.names)}; {game.name} takes "
            f"{', '.join(game.spec.names)}. Choose a model of this game."
        )


def _play_here(
    options: Options,
    settings: Settings,
    result: Result,
    game: Game,
    model: Model,
    film: Film | None,
    bars: Bars,
) -> int:
    bars.begin("loading the model", 1)
    policy = open_driver(model, game, result.stages)
    if not model.courses:
        golden = len(model.package.golden.raw)
        bars.say(f"{policy.name} is loaded; its {golden} golden frames reproduce on this machine.")
    network = network_kind(model.package)
    opponents = [make_opponent(name, model.package.contract, network, game) for name in options.compare]
    bars.done()
    extras = Extras(
        about_driver={"kind": "policy", **result.model},
        filmed=options.video_drives,
        clock=StageClock(game.rate_hz, result.stages, paced=not game.simulated),
    )
    game.ready(bars.say)  # nobody waits for us while the model is loaded
    if options.record:
        extras.stores = Stores.open(settings=settings)
        result.store = extras.stores.target.url
    with StopRequest() as stop:
        game.ready(bars.say, stop)  # as soon as Ctrl-C is a question, also where it has to be waited for again
        drives = partial(_drives, options, result, game, bars, stop)
        try:
            with ExitStack() as stack:
                if film is not None:
                    extras.film = stack.enter_context(film)
                driver = persistent(under_hands(policy, game, bars.say, stack), game, options.unstick)
                drives(driver, extras)
        finally:
            if film is not None and film.written:
                result.video, result.frames, result.dropped = film.path, film.frames, film.dropped
        for opponent in opponents:
            if not stop():
                drives(opponent, Extras())
    return stop.exit_code


def _drives(
    options: Options,
    result: Result,
    game: Game,
    bars: Bars,
    stop: StopRequest,
    driver: Driver,
    extras: Extras,
) -> None:
    """All seeds with one driver; its scorecard holds the drives that were finished, however this ends."""
    bars.begin(driver.name, len(options.seeds))
    drives: list[Drive] = []
    try:
        drive_seeds(
            game,
            driver,
            options.seeds,
            extras=extras,
            max_steps=options.max_steps,
            running=bars.running,
            done=_both(drives.append, bars.done),
            recorded=result.sessions.append,
            should_stop=stop,
        )
    finally:
        result.add(game.name, driver.name, drives)


def _play_in_processes(options: Options, result: Result, model: Model, bars: Bars) -> int:
    open_model = partial(_open_persistent, model, options.unstick)
    crews: list[tuple[str, Callable[[Game], Driver]]] = [(model.name, open_model)]
    network = network_kind(model.package)
    crews += [(name, partial(make_opponent, name, model.package.contract, network)) for name in options.compare]
    for name, make_driver in crews:
        bars.begin(name, len(options.seeds))
        drives: list[Drive] = []
        try:
            score(
                partial(make_game, options.game, **options.game_options),
                make_driver,
                options.seeds,
                workers=options.workers,
                max_steps=options.max_steps,
                progress=_both(drives.append, bars.done),
            )
        finally:
            result.add(options.game, name, drives)
    return 0


def persistent(driver: Driver, game: Game, unstick: float | None) -> Driver:
    """`driver`, who backs out or is rescued after `unstick` seconds of being stuck; the same where that is None.

    Raises:
        KartError: nothing in the game goes backwards.
    """
    if unstick is None:
        return driver
    return Unstick(driver, game.spec, stuck_s=unstick, rescue=game.rescue if game.rescues else None)


def _open_persistent(model: Model, unstick: float | None, game: Game) -> Driver:
    return persistent(open_driver(model, game), game, unstick)


def _both(one: Callable[[Drive], None], other: Callable[[Drive], None]) -> Callable[[Drive], None]:
    def tell(drive: Drive) -> None:
        one(drive)
        other(drive)

    return tell
