"""A drive on the screen, from the model's URI to the last step."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.desktop.source import ScreenSource
from kart_pipeline.driving.loop import STOPPED, Observer, drive
from kart_pipeline.games.controls import known_controls
from kart_pipeline.games.desktop import DesktopGame
from kart_pipeline.learning.package import DriverPackage, read_package
from player.courses import of_course
from player.live.cockpit import Cockpit
from player.live.filming import dress
from player.live.outcome import Outcome
from player.live.parts import assemble
from player.live.preview import Cover, DrivePreview
from player.live.recording import DriveRecording
from player.live.saliency import Saliency
from player.live.seat import Seat, take_seat
from player.live.status import LiveView, say
from player.live.wishes import Wishes
from player.locate import locate
from player.picture.video import Film
from player.policy import Policy, open_policy
from player.runtimes import AUTO, choose
from player.stages import StageClock, Stages
from recorder.delay.kept import with_delay
from recorder.devices.settings import PadSettings
from recorder.display import console
from recorder.episode import INTERRUPTED
from recorder.screen.capture import BLACK, screen_header
from recorder.stopping import StopRequest
from recorder.stores import Stores

_LOOKS = 15  # before the drive, to see how long a step takes
_SPARE = 0.8  # of a period; the rest is for the moments in which the machine is slower
_OPENS_S = 30.0  # a preview, on a machine that is very busy
_SHAPE = 0.02  # by which the proportions of pictures may differ: an odd row or column


def drive_screen(
    uri: str,
    game: str,
    wishes: Wishes,
    settings: Settings,
    outcome: Outcome,
    *,
    max_steps: int | None = None,
    trust_remote: bool = False,
    runtime: str = AUTO,
) -> int:
    """Load a model, let it drive what is on the screen until somebody ends it, and fill `outcome` on the way.

    Args:
        uri: of the model, as for `locate`.
        game: the name of what is played there; "" is the game that the model learned.
        wishes: how.
        settings: name the tracking store and the store of sessions.
        outcome: is filled.
        max_steps: ends the drive; None leaves it to the person.
        trust_remote: as for `locate`.
        runtime: of `runtimes.CHOICES`: what runs the network.

    Returns:
        The exit status: 0, also after Ctrl-C, which is how to end it; 128 + the signal after another one.

    Raises:
        KartError: the model is refused or does not suit the game; there is nothing to see, to play on or to take over
            with; or something broke while driving. The controls have been let go of then.
    """
    err = console(stderr=True)
    tell = partial(say, err)
    film = (
        Film(wishes.video, speed=wishes.speed, chart=True) if wishes.video else None
    )  # a name that cannot be written fails first
    located = locate(of_course(uri, wishes.track), settings, trust_remote=trust_remote)
    package = read_package(located.folder)
    game = game or package.game
    if not game:
        raise KartError(f"{located.name} does not say which game it learned; name the one on the screen with --game.")
    check_model(located.name, package.game, package.contract, game, any_game=wishes.any_game)
    chosen = choose(runtime, package, settings)
    outcome.model = {"uri": uri, "name": located.name, "id": located.model_id, "contract": package.contract.hash}
    outcome.model |= {"runtime": chosen.runtime.name}
    stores = Stores.open(settings=settings)
    outcome.store = stores.target.url
    with StopRequest() as stop, ExitStack() as stack:
        seat = _seat(package, game, wishes, settings, tell, stack)
        tell(chosen.why)
        policy = open_policy(located.name, package, stages=outcome.stages, chosen=chosen)
        _check_pace(seat.game, policy, outcome.stages, tell)
        cover = Cover()
        parts = assemble(seat, policy, wishes, outcome.stages, tell, lambda: cover.reason)
        about = {"kind": "shadow" if wishes.shadow else "policy", **outcome.model, **seat.about}
        recording = DriveRecording(
            stores.local,
            partial(_header, seat.game, about, settings),
            seat.game.rate_hz,
            wishes.record,
            lambda: seat.game.hidden or cover.reason,
        )
        parts.cockpit.recording = None if wishes.record == "none" else recording
        parts.cockpit.film = film
        observers: list[Observer] = [parts.cockpit, recording]
        tell(_opening(located.name, seat, wishes))
        try:
            with ExitStack() as running:
                if film is not None:
                    scene = running.enter_context(film).scene(seat.game, policy, dress(parts.cockpit))
                    observers.append(scene)
                if wishes.preview:
                    observers += _preview(package, parts.cockpit, cover, wishes, tell, running)
                running.enter_context(LiveView(err, parts.cockpit.snapshot))
                running.enter_context(recording)
                outcome.drive = drive(
                    seat.game,
                    parts.driver,
                    observers=observers,
                    max_steps=max_steps,
                    clock=StageClock(seat.game.rate_hz, outcome.stages, paced=True),
                    should_stop=lambda: _ending(stop),
                )
                recording.finish(outcome.drive, _notes(seat.game, outcome.stages, parts.watchdog.times))
        finally:
            outcome.let_go, outcome.late = dict(parts.watchdog.times), parts.cockpit.late
            outcome.agreement = parts.shadow.agreement.summary() if parts.shadow else {}
            outcome.session = recording.manifest
            if film is not None and film.written:
                outcome.video, outcome.frames, outcome.dropped = film.path, film.frames, film.dropped
    if outcome.session is not None:
        stores.deliver(outcome.session.id)
    return 0 if stop.signal == signal.SIGINT else stop.exit_code


def check_model(name: str, of: str, contract: Contract, game: str, *, any_game: bool) -> None:
    """Refuse a model of another game, or one whose controls are not those that the game is known to have.

    Args:
        name: of the model.
        of: the game that it was trained for; "" where it does not say.
        contract: of it.
        game: that is to be driven.
        any_game: that it is another is no reason.

    Raises:
        KartError: so it is.
    """
    if of and of != game and not any_game:
        raise KartError(
            f"{name} was trained to drive {of}, not {game}: choose another, or see what it does with --any-game."
        )
    known = known_controls(game)
    if of != game and known is not None and known != contract.spec:
        raise KartError(
            f"{name} was trained for the actions {', '.join(contract.spec.names)}; {game} takes "
            f"{', '.join(known.names)}. Choose a model of this game."
        )


def _seat(
    package: DriverPackage, game: str, wishes: Wishes, settings: Settings, tell: Callable[[str], None], stack: ExitStack
) -> Seat:
    """All but the model; with a word where the picture is not what the model learned from."""
    contract, learned = package.contract, package.golden.raw.shape[1:3]
    seat = take_seat(game, contract, int(learned[0]), wishes, PadSettings.load(settings.home), tell, stack)
    rgb = seat.game.reset().rgb
    if not rgb.any():
        tell(BLACK)
    (height, width), (learned_height, learned_width) = rgb.shape[:2], learned
    if abs(width / height / (learned_width / learned_height) - 1) > _SHAPE:
        tell(
            f"The model learned from pictures of {learned_width}x{learned_height}; here they are {width}x{height}, of "
            "another shape. It drives better where the window has the shape of the recorded one."
        )
    return seat


def _check_pace(game: DesktopGame, policy: Policy, stages: Stages, tell: Callable[[str], None]) -> None:
    """Say so where this machine cannot keep the model's rate."""
    policy.reset()
    times = []
    for _ in range(_LOOKS):
        began = time.perf_counter()
        policy.act(game.next_frame())
        times.append(time.perf_counter() - began)
    stages.clear()
    held = _SPARE / median(times)
    if held < game.rate_hz:
        tell(
            f"A step takes {1e3 * median(times):.0f} ms on this machine: it can hold {held:.0f} Hz, and the model "
            f"learned at {game.rate_hz:g}. Expect it to drive worse than it can."
        )


def _preview(
    package: DriverPackage,
    cockpit: Cockpit,
    cover: Cover,
    wishes: Wishes,
    tell: Callable[[str], None],
    running: ExitStack,
) -> Sequence[Observer]:
    """The preview, where there is room for one; that there is none is no reason not to drive."""
    saliency = Saliency(package.folder, package.contract.spec, tell, wished=wishes.saliency)
    source = cockpit.game.source
    if not isinstance(source, ScreenSource):
        return []
    try:
        preview = DrivePreview(cockpit, cover, saliency, lambda: source.place, source.monitors, tell)
    except KartError as error:
        tell(str(error))
        return []
    running.callback(saliency.close)
    running.enter_context(preview)
    # Where no window manager is, a window that opens has the focus for a moment: the game would let go of what is held.
    preview.wait(_OPENS_S)
    return [preview]


def _opening(name: str, seat: Seat, wishes: Wishes) -> str:
    about = seat.game.source.about
    where = about.get("window") or about["region"]
    seen = f"{where} ({about['seen']['width']}x{about['seen']['height']}) at {seat.game.rate_hz:g} Hz"
    if wishes.shadow:
        return f"You drive {seen}; {name} says what it would do. Ctrl-C ends."
    back = f"; let go for {wishes.calm_s:g} s, or press {wishes.back}, and it drives again" if wishes.back else ""
    if seat.person is None:
        return f"{name} drives {seen}. Ctrl-C ends."
    take = "Steer and you have the wheel" if wishes.assist else "Move any control and you drive"
    return f"{name} {'steers' if wishes.assist else 'drives'} {seen}. {take}{back}. Ctrl-C ends."


def _header(game: DesktopGame, about: dict[str, Any], settings: Settings) -> SessionHeader:
    return with_delay(screen_header(game, about, "jpeg"), settings.home)


def _notes(game: DesktopGame, stages: Stages, let_go: dict[str, int]) -> dict[str, Any]:
    return {"stages": stages.summary(), "let_go": dict(let_go), **game.source.notes()}


def _ending(stop: StopRequest) -> bool | str:
    if not stop():
        return False
    return STOPPED if stop.signal == signal.SIGINT else INTERRUPTED
