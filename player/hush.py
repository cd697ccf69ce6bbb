"""Starting TensorFlow, and whatever else greets on the terminal, without the greetings."""

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.memory import keep_memory


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what C++ libraries write on file descriptor 2 off the terminal; where the block breaks, show it after all.

    TensorFlow, LiteRT and their converter tell of CPU instructions, missing GPU drivers and every step of theirs there,
    before any setting of theirs is read. A failure that has a sentence needs no more words.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with tempfile.TemporaryFile() as kept:
            os.dup2(kept.fileno(), 2)
            try:
                yield
            except KartError:
                raise
            except BaseException:
                kept.seek(0)
                os.write(terminal, kept.read())
                raise
            finally:
                sys.stderr.flush()
                os.dup2(terminal, 2)
    finally:
        os.close(terminal)


def start_tensorflow() -> None:
    """Import TensorFlow and let it look for its devices, which is what complains of a GPU driver that is not there.

    Raises:
        KartError: TensorFlow is not installed.
    """
    if "tensorflow" in sys.modules:
        return
    keep_memory()
    with quiet():
        try:
            importlib.import_module("tensorflow").config.list_physical_devices()
        except ModuleNotFoundError as error:
            raise KartError(f"Driving needs TensorFlow ({error}): pip install 'kart-pipeline[player]'.") from error
