"""Recording from the screen, from the options to the report."""

import signal
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Codec, SessionHeader
from kart_pipeline.core.settings import Settings
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.driving.loop import STOPPED
from kart_pipeline.driving.recording import session_header
from kart_pipeline.games.desktop import DesktopGame
from recorder.delay.kept import with_delay
from recorder.devices.choose import PadChoice, choose
from recorder.devices.settings import PadSettings
from recorder.display import console
from recorder.episode import INTERRUPTED, Dropped
from recorder.live.cockpit import Cockpit, Wishes
from recorder.live.offer import offer_repair
from recorder.pads import DevicePad
from recorder.screen.recording import record_screen
from recorder.screen.report import lost, summary, sustainable_hz, timing_table
from recorder.stopping import StopRequest
from recorder.stores import Stores

BLACK = (
    "All that is seen there is black. If the game is not, then it draws past the desktop: run it in a window, without "
    "exclusive fullscreen; on macOS, permit Screen Recording for the terminal in Privacy & Security."
)
_LOOKS = 15  # before a recording, to see how long one takes


@dataclass(frozen=True, slots=True)
class ScreenPlan:
    """What is recorded from the screen, and how.

    Attributes:
        game, track: what is played, and where; the track may be empty.
        where: on the screen.
        spec: of the game.
        pad: what the person holds.
        rate_hz: frames a second.
        height: of the frames; 0 keeps the screen's.
        codec: of the frames.
        max_steps: end after so many; None goes on until the person ends it.
        wishes: of the person, about what they meet meanwhile.
    """

    game: str
    track: str
    where: Where
    spec: ActionSpec
    pad: PadChoice
    rate_hz: float = 30.0
    height: int = 240
    codec: Codec = "jpeg"
    max_steps: int | None = None
    wishes: Wishes = field(default_factory=Wishes)


def capture_screen(plan: ScreenPlan, stores: Stores) -> int:
    """Record one session from the screen, until the person ends it, and say how it went.

    Returns:
        The exit status: 0, also after Ctrl-C, which is how to end it; 128 + the signal after another one.

    Raises:
        KartError: there is nothing to record or nothing to drive with, the machine is too slow, or the recording broke
            off; what was recorded is kept and has been told then.
    """
    err = console(stderr=True)

    def say(text: str) -> None:
        err.print(text, soft_wrap=True)

    offer_repair(stores, say)
    with ExitStack() as stack:
        settings = PadSettings.load(Settings.from_env().home)
        mapping = settings.mapping(plan.game, plan.spec)
        source = open_source(plan.where, plan.height)
        game = stack.enter_context(DesktopGame(source, plan.game, plan.track, plan.spec, plan.rate_hz))
        chosen = choose(plan.pad, settings)
        pad = DevicePad(chosen.device, mapping, wait=True)
        stack.callback(pad.close)
        cockpit = stack.enter_context(Cockpit(plan.wishes, settings.commands, chosen.device, err, game, source))
        look_ms = _try_out(game)
        header = with_delay(screen_header(game, {"kind": "human", **pad.about}, plan.codec), settings.home)
        say(_opening(header, chosen.device.name, chosen.why, look_ms))
        if not game.reset().rgb.any():
            say(BLACK)
        with StopRequest() as stop:

            def should_stop() -> bool | str:
                if not stop() and not cockpit.ending:
                    return False
                cockpit.saving = True
                return STOPPED if stop.signal in (None, signal.SIGINT) else INTERRUPTED

            outcome = record_screen(
                stores.local,
                header,
                game,
                pad,
                parts=cockpit.parts,
                gate=cockpit.gate,
                clock=cockpit.clock,
                max_steps=plan.max_steps,
                should_stop=should_stop,
                say=say,
                give=cockpit.give,
            )
    if isinstance(outcome, Dropped):
        say(f"The recording ended after {outcome.seconds:.1f} s and was not kept.")
    else:
        stores.deliver(outcome.manifest.id)
        out = console()
        out.print(summary(outcome), soft_wrap=True)
        if not outcome.trouble:  # what broke off could not say how it went
            out.print(timing_table(outcome.manifest))
            for line in lost(outcome.manifest):
                out.print(line, soft_wrap=True)
        if outcome.trouble:
            raise KartError(outcome.trouble)
    return 0 if stop.signal == signal.SIGINT else stop.exit_code


def screen_header(game: DesktopGame, driver: Mapping[str, Any], codec: Codec) -> SessionHeader:
    """The header of a session that begins now; the game has been looked at, so that the size of its frames is known."""
    return replace(session_header(game, None, driver, codec), source=dict(game.source.about))


def _try_out(game: DesktopGame) -> float:
    """How long a look at the screen takes where nothing comes between, ms.

    Raises:
        KartError: longer than the rate leaves for it.
    """
    game.reset()
    times = []
    for _ in range(_LOOKS):
        began = perf_counter()
        game.next_frame()
        times.append(1e3 * (perf_counter() - began))
    look_ms = sorted(times)[_LOOKS // 4]  # a machine that was busy for a moment is not too slow; the report tells later
    held = sustainable_hz(look_ms)
    if held < game.rate_hz:
        size = game.source.about["seen"]
        raise KartError(
            f"One look at {size['width']}x{size['height']} takes {look_ms:.0f} ms on this machine: it can hold "
            f"{held:.0f} Hz, not {game.rate_hz:g}. Record with --rate {held:.0f}, or a smaller part of the screen."
        )
    return look_ms


def _opening(header: SessionHeader, device: str, why: str, look_ms: float) -> str:
    seen, frame = header.source["seen"], header.source["frame"]
    what = header.source.get("window") or header.source["region"]
    return (
        f"Recording {what} ({seen['width']}x{seen['height']}, kept as {frame['width']}x{frame['height']} in "
        f"{header.codec}) at {header.rate_hz:g} Hz; a look takes {look_ms:.1f} ms. You drive with {device}, {why}. "
        "Ctrl-C ends."
    )
