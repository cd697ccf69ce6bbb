"""The command `capture`: its options, and which of them belong to the screen and which to games that open here."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kart_pipeline.core.errors import KartError
from recorder import arguments

DRAW = "draw"  # in place of a region
PERSON = "person"  # who plays in the emulator itself
WAYS = ("auto", "rumble", "tone", "bell", "off")  # of signals
_SIMULATED = ("driver", "episodes", "seed", "noise", "recovery", "workers", "option", "launch")
_HEARD = ("countdown", "autostart", "paused", "signals")
_AT_HAND = ("preview", *_HEARD)
_EXPERT = ("noise", "recovery", "workers")
_SCREEN = ("track", "pad", "rate", "height", "axes", "buttons", *_AT_HAND)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the command its options; those without a value are None, so that it is seen which were given."""
    add = parser.add_argument
    add("--game", required=True, metavar="NAME", help="what is driven, as car_racing or mario_kart_64")
    add("--max-steps", type=arguments.count, metavar="N", help="end a drive after N steps")
    add(
        "--codec",
        choices=("png", "jpeg", "h264"),
        help="of the frames: png is lossless, jpeg ten times as small, h264 a video and smallest "
        "(default: jpeg from the screen and of games in real time, else png)",
    )
    simulated = parser.add_argument_group("games that open here, as car_racing")
    add = simulated.add_argument
    add(
        "--driver",
        choices=("expert", "keyboard", "gamepad", PERSON),
        help="who drives (default expert; in BizHawk person, who plays there with the pad that is set up there)",
    )
    add("--episodes", type=arguments.count, metavar="N", help="how many drives (default 1)")
    add("--seed", type=int, metavar="FIRST", help="of the first drive's course (default: after all recorded before)")
    add(
        "--noise",
        type=arguments.share,
        metavar="SCALE",
        help="knock the expert's hands now and then, the wheel by up to SCALE of its travel: shows the way back",
    )
    add(
        "--recovery",
        action="store_true",
        default=None,
        help="begin each drive beside the line and turned away, where a good driver never comes; see --max-steps",
    )
    add("--workers", type=arguments.count, metavar="N", help="record N drives of a simulated game side by side")
    add("--option", action="append", metavar="NAME=VALUE", help="of the game, as track=hacienda; can be repeated")
    add("--launch", nargs=2, metavar=("EMUHAWK", "ROM"), help="start BizHawk with this ROM")

    screen = parser.add_argument_group("the screen, with any game on it that you drive yourself")
    where = screen.add_mutually_exclusive_group()
    where.add_argument("--window", metavar="TITLE", help="the inside of the window with TITLE in its title, followed")
    where.add_argument(
        "--region",
        metavar="X,Y,W,H",
        help="these pixels of the desktop (--region=-X,… left of the first monitor); or draw, with the mouse",
    )
    where.add_argument("--monitor", type=arguments.count, metavar="N", help="a whole monitor")
    add = screen.add_argument
    add("--track", metavar="NAME", help="where you drive, as luigi-raceway")
    add("--pad", metavar="WAY", help="auto (default), sdl, inputs or keyboard; sdl:NAME for one of several pads")
    add("--rate", type=arguments.rate, metavar="HZ", help="frames a second (default 30)")
    add(
        "--height", type=arguments.even_height, metavar="PIXELS", help="scale frames down to it (default 240; 0: as is)"
    )
    add(
        "--axes", type=arguments.names, metavar="A,B", help="the game's axes, the steering first, where it is not known"
    )
    add("--buttons", type=arguments.names, metavar="A,B", help="and its buttons")
    add("--preview", action="store_true", default=None, help="a window with the frames and the stick's last seconds")
    add("--countdown", type=arguments.seconds, metavar="S", help="so many seconds before the recording begins")
    add("--autostart", action="store_true", default=None, help="the recording begins with the first throttle")
    add("--paused", action="store_true", default=None, help="it begins when you say so, with pad, hotkey or terminal")
    add("--signals", choices=WAYS, help="how to be told what happens: auto (default: rumble, else tone, else bell) …")


def run(args: argparse.Namespace) -> int:
    """Record, and return the exit status.

    Raises:
        KartError: the options do not go together, or recording failed.
    """
    if args.window is None and args.region is None and args.monitor is None:
        if _in_emulator(args):
            _only(args, _EXPERT, "is for --driver expert")
            _only(
                args,
                [name for name in _SCREEN if name not in (*_HEARD, "track")],
                "is for the screen; BizHawk shows the game",
            )
            return _emulated(args)
        _only(args, _SCREEN, "records the screen: say what of it, with --window TITLE, --region or --monitor N")
        return _simulated(args)
    _only(args, _SIMULATED, "is for games that open here; on the screen you drive yourself: leave it out")
    return _screen(args)


def _simulated(args: argparse.Namespace) -> int:
    from kart_pipeline.driving.recording import usual_codec
    from kart_pipeline.games.registry import find_game, openable, session_name
    from recorder.capture import capture, choose_seeds
    from recorder.episode import Plan
    from recorder.stores import Stores

    info = find_game(args.game)
    if info is None:
        raise KartError(
            f"There is no game {args.game!r} that opens here; those are {', '.join(openable())}. One that is on the "
            "screen is recorded with --window TITLE, --region or --monitor N."
        )
    stores, options = Stores.open(args.store), _options(args)
    plan = Plan(
        game=args.game,
        driver=args.driver or "expert",
        folder=stores.recordings,
        noise=args.noise or 0.0,
        codec=args.codec or usual_codec(simulated=info.simulated),
        max_steps=args.max_steps,
        recovery=bool(args.recovery),
        options=options,
    )
    name = session_name(args.game, options)
    return capture(plan, choose_seeds(stores, name, args.episodes or 1, args.seed), stores, args.workers or 1)


def _in_emulator(args: argparse.Namespace) -> bool:
    """Whether a person is to play in BizHawk."""
    from kart_pipeline.games.registry import find_game

    info = find_game(args.game)
    emulated = info is not None and info.emulated
    if args.driver == PERSON and not emulated:
        raise KartError(f"--driver {PERSON} is for BizHawk; drive {args.game} with --driver keyboard or gamepad.")
    if emulated and args.driver in ("keyboard", "gamepad"):
        raise KartError(
            f"In BizHawk you play with the pad that you have set up there: leave out --driver {args.driver}."
        )
    return emulated and args.driver in (None, PERSON)


def _emulated(args: argparse.Namespace) -> int:
    from kart_pipeline.games.registry import session_name
    from recorder.capture import choose_seeds
    from recorder.emulating import EmulatorPlan, capture_emulator
    from recorder.live.cockpit import Wishes
    from recorder.stores import Stores

    stores, options = Stores.open(args.store), _options(args)
    plan = EmulatorPlan(
        game=args.game,
        options=options,
        seeds=choose_seeds(stores, session_name(args.game, options), args.episodes or 1, args.seed),
        track=args.track or "",
        codec=args.codec or "jpeg",
        max_steps=args.max_steps,
        wishes=Wishes(
            countdown_s=args.countdown or 0.0,
            autostart=bool(args.autostart),
            paused=bool(args.paused),
            signals=args.signals or "auto",
        ),
    )
    return capture_emulator(plan, stores)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """The game's, with what is to be launched among them."""
    from kart_pipeline.games.registry import game_options, launched

    return launched(args.game, game_options(args.option or ()), args.launch)


def _screen(args: argparse.Namespace) -> int:
    from kart_pipeline.desktop.rect import Rect
    from kart_pipeline.desktop.source import Where
    from kart_pipeline.games.controls import controls
    from recorder.devices.choose import PadChoice
    from recorder.live.cockpit import Wishes
    from recorder.screen.capture import ScreenPlan, capture_screen
    from recorder.screen.draw import draw_region
    from recorder.stores import Stores

    if args.window is not None and not args.window.strip():
        raise KartError("--window needs a part of the window's title; `python -m recorder screens` shows them.")
    drawn = args.region == DRAW
    region = Rect.parse(args.region) if args.region and not drawn else None
    plan = ScreenPlan(
        game=args.game,
        track=args.track or "",
        where=Where(args.window or "", region, args.monitor),
        spec=controls(args.game, args.axes or (), args.buttons or ()),
        pad=PadChoice.parse(args.pad or "auto"),
        rate_hz=args.rate or 30.0,
        height=240 if args.height is None else args.height,
        codec=args.codec or "jpeg",
        max_steps=args.max_steps,
        wishes=Wishes(
            countdown_s=args.countdown or 0.0,
            autostart=bool(args.autostart),
            paused=bool(args.paused),
            signals=args.signals or "auto",
            preview=bool(args.preview),
        ),
    )
    stores = Stores.open(args.store)
    if drawn:
        plan = replace(plan, where=Where(region=draw_region()))
    return capture_screen(plan, stores)


def _only(args: argparse.Namespace, names: Sequence[str], why: str) -> None:
    given = [f"--{name}" for name in names if getattr(args, name) is not None]
    if given:
        raise KartError(f"{given[0]} {why}.")
