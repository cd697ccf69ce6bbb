"""Does one thing in a process of its own: what it imports, breaks or leaks is gone with it."""

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from kart_pipeline.core.errors import KartError

P = ParamSpec("P")
R = TypeVar("R")


def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call `work` in a fresh process and return what it returns; it ends with us, also on Ctrl-C.

    Args:
        work: a function of a module; it and all that it is given must be picklable.
        *args: for it.
        **kwargs: for it.

    Raises:
        KartError: it raised one, or its process ended by itself.
        RuntimeError: it raised anything else, whose traceback is in the text.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, work, args, kwargs), daemon=True)
    process.start()
    theirs.close()  # so that the process's death reads as the end of the pipe
    try:
        while not ours.poll(0.5):  # Windows hears Ctrl-C only between two waits
            pass
        kind, result = ours.recv()
    except (EOFError, ConnectionResetError) as error:
        process.join()
        raise KartError(f"Its process ended by itself (exit code {process.exitcode}).") from error
    finally:
        process.terminate()
        process.join()
    if kind == "result":
        returned: R = result
        return returned
    raise KartError(result) if kind == "mistake" else RuntimeError(f"A process of the player failed:\n{result}")


def _work(pipe: Connection, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    try:
        pipe.send(("result", work(*args, **kwargs)))
    except KartError as error:
        pipe.send(("mistake", str(error)))
    except Exception:  # noqa: BLE001 - the parent raises it
        pipe.send(("error", traceback.format_exc()))
