"""The commands `import` and `export`: their options, and which format each goes to."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kart_pipeline.core.errors import KartError
from recorder import arguments

if TYPE_CHECKING:
    from recorder.importers.base import Format

_FOREIGN: Mapping[str, str] = {
    "tensorkart": "folders of img_N.png and data.csv (path, x, y, A, B, RB), no header",
    "neuralkart": "folders of N.png and steering.txt, as recordings/<course>/<mode>/<id>",
    "udacity": "folders of driving_log.csv and IMG/, of Udacity's simulator and behavioural-cloning",
    "autopilot": "folders of N.jpg and data.txt (N.jpg degrees), of Autopilot-TensorFlow",
    "donkeycar": "tubs of donkeycar 4 and later: manifest.json, catalog_N.catalog and images/",
}
_OURS = ("tensorkart", "lerobot")


def add_import(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Give `import` a command for each format."""
    formats = parser.add_subparsers(title="formats", metavar="FORMAT", required=True)
    made = {}
    for name, summary in _FOREIGN.items():
        one = made[name] = formats.add_parser(name, parents=[common], help=summary, description=summary)
        one.set_defaults(run=_import, form=name)
        one.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="such a folder, or a folder of them")
        one.add_argument("--game", metavar="NAME", help="what was played (default: what the format is made for)")
        one.add_argument("--track", default="", metavar="NAME", help="where, as luigi-raceway")
        one.add_argument("--rate", type=arguments.rate, metavar="HZ", help="rows per second (default: the format's)")
        one.add_argument("--codec", choices=("png", "jpeg"), help="encode anew (default: keep the pictures)")
        one.add_argument("--id", metavar="ID", help="of the session (default: after the folder and its content)")
    made["neuralkart"].add_argument(
        "--raw-stick",
        action="store_true",
        help="the numbers are the stick's own, as in early recordings; later ones are sent as sqrt(0.24 |s| + 0.01)",
    )
    made["udacity"].add_argument(
        "--side-offset",
        type=arguments.share,
        metavar="STEER",
        help="import the side cameras too, as sessions of their own with labels so much further to the middle; "
        "0.15 to 0.25 are common",
    )
    made["autopilot"].add_argument("--unit", choices=("degrees", "radians"), help="of the angles (default degrees)")
    made["autopilot"].add_argument(
        "--full-lock",
        type=arguments.wheel,
        metavar="DEGREES",
        help="the angle of the wheel that is full steering (default 540)",
    )


def add_export(parser: argparse.ArgumentParser) -> None:
    """Give `export` its options."""
    parser.set_defaults(run=_export)
    parser.add_argument("ids", nargs="+", metavar="SESSION")
    parser.add_argument(
        "--to",
        nargs=2,
        required=True,
        metavar=("FORMAT", "DIR"),
        help=f"{' or '.join(_OURS)}, and a new folder to write to",
    )


def _import(args: argparse.Namespace) -> int:
    from recorder.importing import Options, import_all
    from recorder.stores import Stores

    options = Options(args.game, args.track, args.rate, args.codec, args.id)
    import_all(_foreign(args), args.folders, Stores.open(args.store), options)
    return 0


def _foreign(args: argparse.Namespace) -> "Format":
    """The format that is meant, as its options want it."""
    from recorder.importers.autopilot import FULL_LOCK, Autopilot
    from recorder.importers.neuralkart import NeuralKart
    from recorder.importers.udacity import Udacity
    from recorder.importing import FORMATS

    match args.form:
        case NeuralKart.name:
            return NeuralKart(raw=args.raw_stick)
        case Udacity.name:
            return Udacity(side_offset=args.side_offset)
        case Autopilot.name:
            return Autopilot(unit=args.unit, full_lock=args.full_lock or FULL_LOCK)
        case name:
            return next(form for form in FORMATS if form.name == name)()


def _export(args: argparse.Namespace) -> int:
    from recorder.exporting import EXPORTERS, export
    from recorder.stores import Stores

    name, folder = args.to
    found = next((form for form in EXPORTERS if form.name == name), None)
    if found is None:
        raise KartError(f"There is no format {name!r} to export to; it is {' or '.join(_OURS)}.")
    export(found(Path(folder)), args.ids, Stores.open(args.store))
    return 0
