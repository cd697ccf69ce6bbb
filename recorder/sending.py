"""The commands `push` and `pull`: their options, and where the other end is."""

import argparse
from typing import TYPE_CHECKING, Any

from kart_pipeline.core.errors import KartError

if TYPE_CHECKING:
    from kart_pipeline.core.remote import Remote
    from recorder.stores import Stores

_ABOUT = (
    "Goes on where it broke off, checks every file, removes nothing. For s3:// server and credentials come from the "
    "environment: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
)


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Teach the recorder's parser these commands."""
    for name, option, run, kept, told in (
        ("push", "--to", _push, "those here", "bring finished sessions to an object store or another folder"),
        ("pull", "--from", _pull, "those there", "fetch sessions that were pushed; they are local ones then"),
    ):
        one = commands.add_parser(
            name,
            parents=[common],
            help=told,
            description=f"{told.capitalize()}. {_ABOUT}",
        )
        one.set_defaults(run=run)
        one.add_argument("ids", nargs="*", metavar="SESSION", help="default: all")
        one.add_argument(option, dest="remote", metavar="URL", help="as s3://bucket/folder (default: KART_REMOTE)")
        one.add_argument(
            "--replace-edits", action="store_true", help=f"where both ends left other parts out, {kept} win"
        )


def _push(args: argparse.Namespace) -> int:
    from recorder.pushing import push_sessions

    stores, remote = _ends(args)
    return push_sessions(stores, remote, args.ids, replace_edits=args.replace_edits)


def _pull(args: argparse.Namespace) -> int:
    from recorder.pushing import pull_sessions

    stores, remote = _ends(args)
    return pull_sessions(stores, remote, args.ids, replace_edits=args.replace_edits)


def _ends(args: argparse.Namespace) -> "tuple[Stores, Remote]":
    from kart_pipeline.core.remote import Remote
    from kart_pipeline.core.settings import Settings
    from recorder.stores import Stores

    url = args.remote or Settings.from_env().remote_url
    if not url:
        option = "--to" if args.run is _push else "--from"
        raise KartError(f"Say where the other end is: {option} s3://bucket/folder, or KART_REMOTE in the environment.")
    stores = Stores.open(args.store)
    remote = Remote(url)
    if remote.path is not None and remote.path == stores.recordings.resolve():
        raise KartError(f"{url} is where the sessions are already; name another place.")
    return stores, remote
