"""The command line: which command is meant, and how mistakes and interruptions of any of them end."""

import importlib
import os
import sys
from collections.abc import Sequence

from kart_pipeline.core.errors import KartError
from player.options import COMMANDS

_DRIVE = "drive"  # what is meant where no command is named


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the player.

    Returns:
        The exit status: 0; 2 for a mistake, told in one sentence; 128 + the signal after Ctrl-C (130) or a kill.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console without the bars' characters
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        command = _command(words)
        status: int = importlib.import_module(f"player.commands.{command}").run(words)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _command(words: list[str]) -> str:
    """Take the command off the front of the words, where one is there.

    Raises:
        KartError: a word stands there that is none.
    """
    if not words or words[0].startswith("-"):
        return _DRIVE
    if words[0] not in (_DRIVE, *COMMANDS):
        raise KartError(
            f"The player has no command {words[0]!r}; it has {', '.join(COMMANDS)}, and drives where none is named."
        )
    return words.pop(0)
