"""What a person may ask of a drive on the screen, and how they say it."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.desktop.controllers.choose import KINDS, ControllerChoice
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.source import Where
from kart_pipeline.driving.restraint import LEAVING
from kart_pipeline.driving.takeover import CALM_S
from player.live.person import BACK, DEAD_ZONE
from player.live.recording import Keep
from recorder import arguments
from recorder.devices.choose import PadChoice

HOLD_S = 0.3  # at full speed a kart goes its own length or two in it

NOBODY = "none"  # in place of a pad


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to drive what is on the screen.

    Attributes:
        where: on the screen.
        track: the course; may be empty.
        controller: what the model plays on.
        pad: what the person holds; None for nobody.
        assist: the model steers, the person does the rest.
        shadow: the person drives, the model is only asked.
        record: what becomes a session.
        allow: buttons that the model may press, of those that pause or leave a race.
        unstick: seconds of being stuck after which it backs out; None never does.
        hold_s: for how long an action is repeated while the next is late; three steps at least.
        calm_s: for how long hands rest before the model drives again.
        dead_zone: of the person's sticks and triggers.
        back: the person's button that gives the controls back; "" for none.
        background: the controls are held while another window has the focus.
        any_game: the model may be one of another game with the same controls.
        video: film the drive.
        speed: of the film, 1 being the game's own.
        preview: a window shows what the network sees and what is done.
        saliency: and what of it matters; only in a preview.

    Raises:
        KartError: wishes that exclude each other.
    """

    where: Where
    track: str = ""
    controller: ControllerChoice = field(default_factory=ControllerChoice)
    pad: PadChoice | None = field(default_factory=PadChoice)
    assist: bool = False
    shadow: bool = False
    record: Keep = "corrections"
    allow: frozenset[str] = frozenset()
    unstick: float | None = None
    hold_s: float = HOLD_S
    calm_s: float = CALM_S
    dead_zone: float = DEAD_ZONE
    back: str = BACK
    background: bool = False
    any_game: bool = False
    video: Path | None = None
    speed: float = 1.0
    preview: bool = False
    saliency: bool = False

    def __post_init__(self) -> None:
        if self.track:
            checked_id(self.track, "track")
        if self.pad is None and (self.assist or self.shadow):
            raise KartError(
                f"--{'assist' if self.assist else 'shadow'} needs a person who drives; leave out --pad none."
            )
        if self.assist and self.shadow:
            raise KartError("With --shadow the model does nothing, with --assist it steers; choose one of them.")
        if not 0.05 <= self.hold_s <= 60:
            raise KartError(f"--hold is a time from 0.05 to 60 s, not {self.hold_s:g}.")
        for name, seconds in (("calm", self.calm_s), ("unstick", self.unstick)):
            if seconds is not None and not seconds > 0:
                raise KartError(f"--{name} is a time above 0 s, not {seconds:g}.")
        if self.background and self.controller.kind == "keyboard":
            raise KartError("Keys reach the window that has the focus, whichever it is: --background is for pads only.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser these options; those without a value are None, so that it is seen which were given."""
    screen = parser.add_argument_group("the screen, with any game on it")
    where = screen.add_mutually_exclusive_group()
    where.add_argument(
        "--window", metavar="TITLE", help="drive in the window with TITLE in its title, which is followed"
    )
    where.add_argument("--region", metavar="X,Y,W,H", help="in these pixels of the desktop")
    where.add_argument("--monitor", type=arguments.count, metavar="N", help="on a whole monitor")
    add = screen.add_argument
    add("--track", metavar="NAME", help="where it drives, as luigi-raceway")
    add(
        "--controller",
        metavar="KIND",
        help=f"what the model plays on: auto (default), {', '.join(KINDS)}; retroarch:HOST:PORT for one elsewhere",
    )
    add(
        "--pad",
        metavar="WAY",
        help="with what you take over: auto (default), sdl, inputs, keyboard, none; sdl:NAME for one of several pads",
    )
    add("--assist", choices=("steer",), help="the model steers, you have the throttle and the rest")
    add("--shadow", action="store_true", default=None, help="you drive; what the model would do is shown and scored")
    add(
        "--allow",
        type=arguments.names,
        metavar="BUTTONS",
        help=f"let it press {', '.join(LEAVING)}, which leave a race",
    )
    add("--hold", type=float, metavar="S", help=f"repeat an action for S at most while the next is late ({HOLD_S:g})")
    add("--calm", type=arguments.seconds, metavar="S", help=f"it drives on when you have let go for S ({CALM_S:g})")
    add(
        "--dead-zone",
        type=arguments.share,
        metavar="SHARE",
        help=f"of sticks and triggers that counts as no movement of yours ({DEAD_ZONE:g})",
    )
    add("--hand-back", metavar="BUTTON", help=f"of your pad, gives it the controls at once ({BACK}); none for no such")
    add(
        "--background",
        action="store_true",
        default=None,
        help="drive on while another window has the focus; with a pad",
    )
    add(
        "--preview",
        action="store_true",
        default=None,
        help="a window beside the game with what the network sees, who drives, the stick and the latency; "
        "S or a click in it lights up what the network looks at",
    )
    add("--saliency", action="store_true", default=None, help="a preview that begins so")
    add("--any-game", action="store_true", default=None, help="accept a model of another game with the same controls")


SCREEN_ONLY = (
    *("track", "controller", "pad", "assist", "shadow", "allow", "hold", "calm", "dead_zone", "hand_back"),
    *("background", "any_game", "preview", "saliency"),
)


def read(given: argparse.Namespace) -> Wishes | None:
    """The wishes; None where no place on the screen is named.

    Raises:
        KartError: they make no sense, or need a place on the screen.
    """
    if given.window is None and given.region is None and given.monitor is None:
        named = [f"--{name.replace('_', '-')}" for name in SCREEN_ONLY if getattr(given, name) is not None]
        if named:
            raise KartError(
                f"{named[0]} is for the screen: say what of it, with --window TITLE, --region or --monitor N."
            )
        return None
    if given.window is not None and not given.window.strip():
        raise KartError("--window needs a part of the window's title; `python -m recorder screens` shows them.")
    for name, why in _SIMULATED.items():
        if getattr(given, name) not in (None, [], ""):
            raise KartError(f"--{name.replace('_', '-')} {why}; leave it out for the screen.")
    allow = frozenset(given.allow or ())
    if not allow <= set(LEAVING):
        raise KartError(f"--allow takes {', '.join(LEAVING)}; a model may press all others anyway.")
    return Wishes(
        where=Where(given.window or "", Rect.parse(given.region) if given.region else None, given.monitor),
        track=given.track or "",
        controller=ControllerChoice.parse(given.controller or "auto"),
        pad=None if given.pad == NOBODY else PadChoice.parse(given.pad or "auto"),
        assist=given.assist is not None,
        shadow=bool(given.shadow),
        record=given.record or ("none" if given.shadow else "corrections"),
        allow=allow,
        unstick=given.unstick,
        video=given.video,
        speed=given.speed,
        preview=bool(given.preview or given.saliency),
        saliency=bool(given.saliency),
        any_game=bool(given.any_game),
        background=bool(given.background),
        back=BACK if given.hand_back is None else given.hand_back.removeprefix("none"),
        **_numbers(given),
    )


def _numbers(given: argparse.Namespace) -> dict[str, Any]:
    """Those that were given, by our names."""
    named = {"hold_s": given.hold, "calm_s": given.calm, "dead_zone": given.dead_zone}
    return {name: value for name, value in named.items() if value is not None}


_SIMULATED = {
    "seeds": "chooses courses of a simulated game",
    "compare": "drives the same course again, which nobody can on the screen",
    "workers": "is for simulated games",
    "option": "is for games that are opened here",
    "launch": "starts BizHawk, which needs no screen",
    "video_drives": "is for a series of drives",
}
