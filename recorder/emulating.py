"""Recording what a person does in BizHawk, where they play with whatever pad they have set up there."""

import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import Codec
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.loop import STOPPED
from kart_pipeline.driving.recording import session_header
from kart_pipeline.games.bizhawk.game import BizHawk
from kart_pipeline.games.registry import make_game
from recorder.devices.emulator import EmulatorPad
from recorder.devices.settings import PadSettings
from recorder.display import console
from recorder.episode import INTERRUPTED, Dropped, Taken
from recorder.live.cockpit import Cockpit, Wishes
from recorder.live.offer import offer_repair
from recorder.screen.recording import ScreenRecording, record_screen
from recorder.screen.report import lost, summary
from recorder.stopping import StopRequest
from recorder.stores import Stores

_BEARABLE = 0.95  # of the game's own speed
STATE = "start.State"  # beside the session: where it began, as BizHawk saves it


@dataclass(frozen=True, slots=True)
class EmulatorPlan:
    """What is recorded of BizHawk, and how.

    Attributes:
        game: name in the registry.
        options: of the game.
        seeds: one drive each; they choose where it begins.
        track: where the game does not tell it.
        codec: of the frames.
        max_steps: end a drive after so many; None goes on until its race or the person ends it.
        wishes: of the person, about what they meet meanwhile.
    """

    game: str
    options: Mapping[str, Any]
    seeds: range
    track: str = ""
    codec: Codec = "jpeg"
    max_steps: int | None = None
    wishes: Wishes = field(default_factory=Wishes)


def capture_emulator(plan: EmulatorPlan, stores: Stores) -> int:
    """Record a session a race, until the person ends it, and say how each went.

    Returns:
        The exit status: 0, also after Ctrl-C, which is how to end it; 128 + the signal after another one.

    Raises:
        KartError: BizHawk does not come, or the recording broke off; what was recorded is kept and has been told then.
    """
    err = console(stderr=True)

    def say(text: str) -> None:
        err.print(text, soft_wrap=True, markup=False, highlight=False)

    offer_repair(stores, say)
    with ExitStack() as stack:
        game = stack.enter_context(make_game(plan.game, **plan.options, by_hand=True))
        if not isinstance(game, BizHawk):
            raise KartError(f"{plan.game} is played here, not in an emulator; record it with --driver gamepad.")
        stop = stack.enter_context(StopRequest())
        game.ready(say, stop)
        for seed in plan.seeds:
            outcome = _record(plan, seed, game, stores, stop, say)
            if isinstance(outcome, Dropped):
                say(f"The recording ended after {outcome.seconds:.1f} s and was not kept.")
            else:
                _deliver(outcome, stores)
                if outcome.manifest.ended == STOPPED:
                    break
            if stop():
                break
    return 0 if stop.signal == signal.SIGINT else stop.exit_code


def _record(
    plan: EmulatorPlan, seed: int, game: BizHawk, stores: Stores, stop: StopRequest, say: Callable[[str], None]
) -> Taken | Dropped:
    err = console(stderr=True)
    pad = EmulatorPad(game)
    settings = PadSettings.load(Settings.from_env().home)
    if not _at_a_race(game, seed, say, stop):
        return Dropped(seed, 0.0)
    with Cockpit(plan.wishes, settings.commands, pad, err, game, None) as cockpit:
        header = session_header(game, seed, {"kind": "human", **pad.about}, plan.codec)
        header = replace(header, track=header.track or plan.track)
        cockpit.say(
            f"Recording {header.game} {header.track}".rstrip() + f" in {header.codec} at {header.rate_hz:g} Hz; you "
            "drive in BizHawk. Ctrl-C ends."
        )

        def should_stop() -> bool | str:
            if not stop() and not cockpit.ending:
                return False
            cockpit.saving = True
            return STOPPED if stop.signal in (None, signal.SIGINT) else INTERRUPTED

        return record_screen(
            stores.local,
            header,
            game,
            pad,
            seed=seed,
            parts=lambda recording: [*cockpit.parts(recording), _StartState(game, recording, cockpit.say)],
            gate=cockpit.gate,
            clock=cockpit.clock,
            max_steps=plan.max_steps,
            should_stop=should_stop,
            say=cockpit.say,
            give=cockpit.give,
        )


def _at_a_race(game: BizHawk, seed: int, say: Callable[[str], None], stop: StopRequest) -> bool:
    """Go to where the drive begins, and wait while the last race is still on the screen; False where it is to end."""
    game.reset(seed)
    if game.ended:
        say("Waiting for you to begin the next race.")
    while game.ended:
        if stop():
            return False
        game.reset(seed)
    return True


class _StartState:
    """The observer that has BizHawk save where the recording begins, to drive or to watch the same again.

    Args:
        game: in BizHawk.
        recording: whose folder the state belongs into.
        say: tells the person where that fails, which is no reason not to record.
    """

    def __init__(self, game: BizHawk, recording: ScreenRecording, say: Callable[[str], None]) -> None:
        self._game = game
        self._recording = recording
        self._say = say
        self._done = False

    def on_step(self, step: Step) -> None:  # noqa: ARG002 - the moment counts
        """With the first step that is kept."""
        if self._done or self._recording.holds:
            return
        self._done = True
        try:
            self._game.keep(self._recording.folder / STATE)
        except KartError as error:
            self._say(f"The recording has no {STATE} beside it: {error}")


def _deliver(taken: Taken, stores: Stores) -> None:
    stores.deliver(taken.manifest.id)
    out = console()
    out.print(summary(taken), soft_wrap=True)
    if taken.trouble:
        raise KartError(taken.trouble)
    dropped, *_ = lost(taken.manifest)
    out.print(dropped, soft_wrap=True)
    speed = taken.manifest.notes["cadence"]["hz"] / taken.manifest.rate_hz
    if speed < _BEARABLE:
        out.print(
            f"The game ran at {speed:.0%} of its speed, for BizHawk or the recorder is too slow here: close what else "
            "runs, or take more frames a step, as --option frames=3.",
            soft_wrap=True,
        )
