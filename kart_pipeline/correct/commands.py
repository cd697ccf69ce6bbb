"""Running the project's own commands as a person would type them, showing each."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console

from kart_pipeline.core.errors import KartError

GRACE_S = 30.0  # for a command to end by itself after Ctrl-C: it may have a session to close


def run(console: Console, module: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run `python -m module arguments…` in this terminal and wait for its end.

    Raises:
        KartError: it failed; it has said why.
        KeyboardInterrupt: Ctrl-C, after the command has ended too.
    """
    console.print(f"[dim]$ python -m {module} {' '.join(arguments)}[/dim]", highlight=False, soft_wrap=True)
    # The terminal sends Ctrl-C to both processes; subprocess.run would kill the child a quarter of a second later.
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], env={**os.environ, **environ})
    try:
        status = process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if status == 130:
        raise KeyboardInterrupt
    if status:
        raise KartError(f"`python -m {module}` failed with status {status}; see above.")
