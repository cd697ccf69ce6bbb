"""Opens the page: looks the sessions through first, so that what is wrong is said in the terminal."""

import webbrowser
from collections.abc import Sequence

from kart_pipeline.core.errors import KartError
from recorder.display import console
from recorder.stores import Stores
from recorder.view.server import ViewServer


def view(stores: Stores, ids: Sequence[str], *, port: int = 0, browser: bool = True) -> int:
    """Serve sessions until Ctrl-C.

    Args:
        stores: where they are.
        ids: which; none means all.
        port: to serve on; 0 takes a free one.
        browser: open the page in it.

    Returns:
        The exit status.

    Raises:
        KartError: the store is remote or empty, there is no such session, one is being recorded or cannot be read, or
            the port is taken.
    """
    if stores.target.local_path is None:
        raise KartError(f"{stores.target.url} is a remote store; only sessions in a local folder can be viewed.")
    known, out = stores.target.ids(), console()
    for name in ids:
        if name not in known:
            raise KartError(_missing(stores, name, known))
        stores.target.manifest(name)  # raises where it cannot be read
        _ = stores.target.open(name).edits
    if not known:
        raise KartError(f"There are no sessions in {stores.target.url}; `python -m recorder capture` records some.")
    server = ViewServer(stores.target, list(ids) or _readable(stores, known), port)
    if ids:
        server.shown(ids[0])
    with server:
        out.print(f"{server.address}\nCtrl-C ends.", soft_wrap=True)
        if browser and not webbrowser.open(server.address):
            out.print("There is no browser to open it in; type the address into one on this machine.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            out.print("Closed.")
    return 0


def _readable(stores: Stores, ids: Sequence[str]) -> list[str]:
    """Those whose manifest can be read, the newest first; the others are named."""
    found = []
    for name in reversed(ids):
        try:
            stores.target.manifest(name)
        except KartError as error:
            console(stderr=True).print(f"Left out: {error}", soft_wrap=True)
        else:
            found.append(name)
    return found


def _missing(stores: Stores, name: str, known: Sequence[str]) -> str:
    if name in stores.local.unfinished():
        live = stores.is_live(name)
        do = "it can be viewed when its recorder has ended" if live else "`python -m recorder repair --all` finishes it"
        return f"Session {name} is {'being recorded' if live else 'unfinished'}; {do}."
    some = f"; the newest are {', '.join(known[:-4:-1])}" if known else ""
    return f"There is no session {name} in {stores.target.url}{some}."
