"""The commands that change what is kept: `trim`, `delete`, `restore` and `trash`. Each can be taken back but one."""

import argparse
from typing import Any


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Teach the recorder's parser these commands."""
    trim = commands.add_parser(
        "trim",
        parents=[common],
        help="leave parts of a session out, or bring them back",
        description="Say what of a session is not to be learned from. The recording stays as it is; without an option, "
        "what is left out is told.",
    )
    trim.set_defaults(run=_trim)
    trim.add_argument("id", metavar="ID")
    about = "seconds from the session's start, as 12.5-15; an end that is left away is the session's; can be repeated"
    trim.add_argument("--leave-out", action="append", default=[], metavar="FROM-TO", help=about)
    trim.add_argument("--bring-back", action="append", default=[], metavar="FROM-TO", help="the same, the other way")
    trim.add_argument("--steps", action="store_true", help="ranges are step numbers, not seconds")
    back = trim.add_mutually_exclusive_group()
    back.add_argument("--undo", action="store_true", help="take the last change back")
    back.add_argument("--clear", action="store_true", help="leave nothing out")

    delete = commands.add_parser("delete", parents=[common], help="move sessions to the store's trash")
    delete.set_defaults(run=_delete)
    delete.add_argument("ids", nargs="+", metavar="ID")

    restore = commands.add_parser("restore", parents=[common], help="bring sessions back from the trash")
    restore.set_defaults(run=_restore)
    restore.add_argument("ids", nargs="+", metavar="ID")

    trash = commands.add_parser("trash", parents=[common], help="what is in the trash")
    trash.set_defaults(run=_trash)
    trash.add_argument("--empty", action="store_true", help="delete for good what is in it")


def _trim(args: argparse.Namespace) -> int:
    from recorder.stores import Stores
    from recorder.trimming import Trim, trim

    wish = Trim(args.leave_out, args.bring_back, args.steps, args.undo, args.clear)
    trim(Stores.open(args.store), args.id, wish)
    return 0


def _delete(args: argparse.Namespace) -> int:
    from recorder.display import console
    from recorder.stores import Stores

    stores, out = Stores.open(args.store), console()
    for session_id in args.ids:
        stores.delete(session_id)
        back = f"`python -m recorder restore {session_id}` brings it back"
        out.print(f"{session_id} is in the trash; {back}.", highlight=False, soft_wrap=True)
    return 0


def _restore(args: argparse.Namespace) -> int:
    from recorder.display import console
    from recorder.stores import Stores

    store, out = Stores.open(args.store).target, console()
    for name in args.ids:
        out.print(f"{store.trash.restore(name)} is back in {store.url}.", highlight=False, soft_wrap=True)
    return 0


def _trash(args: argparse.Namespace) -> int:
    from recorder.display import console
    from recorder.stores import Stores

    trash, out = Stores.open(args.store).target.trash, console()
    names = trash.names()
    for name in names:
        size = f"{trash.megabytes(name):.1f} MB"
        if args.empty:
            trash.empty(name)
        out.print(f"{name}  {size}{', deleted for good' if args.empty else ''}", highlight=False)
    if not names:
        out.print("The trash is empty.")
    return 0
