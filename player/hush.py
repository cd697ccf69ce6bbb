"""Starting TensorFlow without its greetings."""

import importlib
import os
import sys
import tempfile

from kart_pipeline.core.errors import KartError


def start_tensorflow() -> None:
    """Import TensorFlow and let it look for its devices, and keep its C++ side off the terminal meanwhile.

    It tells of CPU instructions and missing GPU drivers on file descriptor 2, before any of its settings are read. If
    that fails, all that was written is shown.

    Raises:
        KartError: TensorFlow is not installed.
    """
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with tempfile.TemporaryFile() as kept:
            os.dup2(kept.fileno(), 2)
            try:
                # The first look for devices is what complains of a GPU driver that is not there.
                importlib.import_module("tensorflow").config.list_physical_devices()
            except ModuleNotFoundError as error:
                raise KartError(f"Driving needs TensorFlow ({error}): pip install 'kart-pipeline[player]'.") from error
            except BaseException:
                kept.seek(0)
                os.write(terminal, kept.read())
                raise
            finally:
                sys.stderr.flush()
                os.dup2(terminal, 2)
    finally:
        os.close(terminal)
