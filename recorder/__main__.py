"""`python -m recorder capture --game car_racing --driver expert --episodes 5 --workers 2` and its other commands.

This is the recorder's command line. Whatever a command needs is imported when it runs: `list` must not wait for pygame.
"""

import argparse
import sys
from collections.abc import Sequence

from kart_pipeline.core.errors import KartError
from recorder import arguments, calibrating, capturing, exchanging, sending, tidying

EXAMPLES = """\
examples:
  python -m recorder capture --game car_racing --driver expert --episodes 5 --workers 2
  python -m recorder capture --game car_racing --driver keyboard
  python -m recorder screens
  python -m recorder capture --window Project64 --game mario_kart_64 --track luigi-raceway
  python -m recorder import tensorkart ~/TensorKart/samples --track luigi-raceway
  python -m recorder export SESSION --to lerobot ~/datasets/kart
  python -m recorder devices --test
  python -m recorder calibrate --window Project64 --game mario_kart_64
  python -m recorder list
  python -m recorder info 20261123-031718-car_racing-9f3a1c
  python -m recorder view
  python -m recorder doctor
  python -m recorder trim 20261123-031718-car_racing-9f3a1c --leave-out 12-15.5
  python -m recorder repair --all
  python -m recorder push --to s3://bucket/sessions
  python -m recorder bench

Sessions go to KART_STORE, by default .kart/sessions in the working directory; KART_HOME moves .kart.
KART_REMOTE is where push brings them and pull fetches them.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0; 2 after a mistake, whose sentence is on stderr; 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console without the bars' characters
    parser = _parser()
    args = parser.parse_args(argv)
    if "run" not in args:
        parser.print_help()
        return 0
    try:
        status: int = args.run(args)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; `python -m recorder list` shows what was saved.\n")
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recorder",
        description="Record drives as sessions, on the screen or simulated, and bring in those of other recorders.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--store", metavar="DIR", help="folder or fsspec URL of the sessions (default: KART_STORE)")
    json = argparse.ArgumentParser(add_help=False)
    json.add_argument("--json", action="store_true", help="print JSON, for machines")

    capture = commands.add_parser("capture", parents=[common], help="record drives, one session each")
    capture.set_defaults(run=capturing.run)
    capturing.add_arguments(capture)

    screens = commands.add_parser("screens", parents=[json], help="monitors and windows that can be recorded")
    screens.set_defaults(run=_screens)

    devices = commands.add_parser("devices", parents=[json], help="gamepads and keyboard: what is there, what they do")
    devices.set_defaults(run=_devices)
    devices.add_argument(
        "--pad", default="auto", metavar="WAY", help="auto (default), sdl, inputs, keyboard; sdl:NAME takes that pad"
    )
    deed = devices.add_mutually_exclusive_group()
    deed.add_argument("--test", action="store_true", help="show sticks, triggers, buttons, dead zone and drift live")
    deed.add_argument("--map", action="store_true", help="teach a gamepad that SDL does not know")
    devices.add_argument("--seconds", type=arguments.seconds, metavar="S", help="end the test by itself")

    calibrate = commands.add_parser(
        "calibrate", parents=[json], help="measure how long a press takes to show on the screen, for later sessions"
    )
    calibrate.set_defaults(run=_calibrate)
    calibrating.add_arguments(calibrate)

    listing = commands.add_parser("list", parents=[common, json], help="what is in the store")
    listing.set_defaults(run=_list)

    info = commands.add_parser("info", parents=[common, json], help="one session: manifest, rate, use of the controls")
    info.set_defaults(run=_info)
    info.add_argument("id", metavar="ID")

    doctor = commands.add_parser(
        "doctor", parents=[common, json], help="are sessions fit to learn from? the pipeline's checks, in words"
    )
    doctor.set_defaults(run=_doctor)
    doctor.add_argument("ids", nargs="*", metavar="ID", help="default: all")

    view = commands.add_parser(
        "view", parents=[common], help="look at sessions in the browser, and mark what is to be left out"
    )
    view.set_defaults(run=_view)
    view.add_argument("ids", nargs="*", metavar="ID", help="default: all")
    view.add_argument("--port", type=int, default=0, metavar="N", help="default: a free one")
    view.add_argument("--no-browser", action="store_true", help="only print the address")

    mend = commands.add_parser("repair", parents=[common], help="finish sessions whose recorder died")
    mend.set_defaults(run=_repair)
    which = mend.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID")
    which.add_argument("--all", action="store_true", help="all of them; live recordings are left alone")

    tidying.add_commands(commands, common)
    sending.add_commands(commands, common)

    bench = commands.add_parser("bench", parents=[json], help="measure the codecs on this machine and recommend one")
    bench.set_defaults(run=_bench)
    arguments.add_where(bench.add_mutually_exclusive_group())
    bench.add_argument("--rate", type=arguments.rate, default=30.0, metavar="HZ", help="frames per second (default 30)")
    bench.add_argument("--steps", type=arguments.count, default=150, metavar="N", help="frames to encode (default 150)")

    bring = commands.add_parser("import", help="make sessions of other recorders' folders")
    exchanging.add_import(bring, common)

    hand_on = commands.add_parser("export", parents=[common], help="write sessions in another program's format")
    exchanging.add_export(hand_on)
    return parser


def _screens(args: argparse.Namespace) -> int:
    from recorder.screen.listing import list_screens

    list_screens(as_json=args.json)
    return 0


def _devices(args: argparse.Namespace) -> int:
    from kart_pipeline.core.settings import Settings
    from recorder.devices.choose import PadChoice
    from recorder.devices.command import list_devices, map_device, show_device

    home, choice = Settings.from_env().home, PadChoice.parse(args.pad)
    if args.test:
        show_device(home, choice, args.seconds)
    elif args.map:
        map_device(home, choice)
    else:
        list_devices(home, choice, as_json=args.json)
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    calibrating.run(args)
    return 0


def _list(args: argparse.Namespace) -> int:
    from kart_pipeline.core.settings import Settings
    from recorder.listing import list_sessions
    from recorder.stores import Stores

    list_sessions(Stores.open(args.store), Settings.from_env(), as_json=args.json)
    return 0


def _info(args: argparse.Namespace) -> int:
    from kart_pipeline.core.settings import Settings
    from recorder.info import session_info
    from recorder.stores import Stores

    session_info(Stores.open(args.store), Settings.from_env(), args.id, as_json=args.json)
    return 0


def _view(args: argparse.Namespace) -> int:
    from recorder.stores import Stores
    from recorder.view.command import view

    return view(Stores.open(args.store), args.ids, port=args.port, browser=not args.no_browser)


def _doctor(args: argparse.Namespace) -> int:
    from kart_pipeline.core.settings import Settings
    from recorder.doctor import doctor
    from recorder.stores import Stores

    return doctor(Stores.open(args.store), Settings.from_env().home, args.ids, as_json=args.json)


def _repair(args: argparse.Namespace) -> int:
    from recorder.mending import repair_all, repair_one
    from recorder.stores import Stores

    stores = Stores.open(args.store)
    if args.all:
        return repair_all(stores)
    repair_one(stores, args.id)
    return 0


def _bench(args: argparse.Namespace) -> int:
    from recorder.bench import bench

    bench(args.rate, args.steps, arguments.where(args), as_json=args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
