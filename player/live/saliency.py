"""What the network looks at while it drives: found out in a process of its own, at its leisure, when a person asks."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import ActionSpec, steering_channels
from kart_pipeline.core.errors import KartError

_NICE = 10  # the game and the drive come first; with less than that it would never get ready beside a busy game
_REST = 3.0  # times as long as an answer took: a quarter of one core at most
_FADES = 0.9  # of the strongest influence so far, from one answer to the next, so that brightness can be compared

Strength = npt.NDArray[np.float32]


class Saliency:
    """Asks a copy of the network, in a process that is started the first time; for one thread.

    Args:
        folder: of the model, which has been looked through.
        spec: of its actions.
        say: tells the person.
        wished: from the beginning.

    Attributes:
        wished: whether to ask.
        strength: how much each spot of a picture of a moment ago matters to the steering, float32 `(GRID, GRID)` from 0
            to 1; None while there is no answer, or none is wished for.
    """

    def __init__(self, folder: Path, spec: ActionSpec, say: Callable[[str], None], *, wished: bool = False) -> None:
        self._folder, self._spec, self._say = folder, spec, say
        self.wished = wished
        self.strength: Strength | None = None
        self._told: Connection | None = None
        self._process: BaseProcess | None = None
        self._waits = False  # for an answer
        self._strongest = 0.0

    @property
    def state(self) -> str:
        """In words, for a headline; "" where nothing is to be said."""
        if not self.wished:
            return ""
        return "saliency …" if self.strength is None else f"saliency up to {self._strongest:.2f}"

    def toggle(self) -> None:
        """Ask from now on, or no more."""
        self.wished = not self.wished
        self.strength = None

    def ask(self, image: npt.NDArray[np.uint8]) -> None:
        """Take up an answer, and ask about a newer input, uint8 `contract.input_shape`; takes microseconds."""
        if not self.wished:
            return
        try:
            self._exchange(self._told or self._start(), image)
        except (EOFError, OSError):
            self._fail("its process has ended")

    def _start(self) -> Connection:
        processes = multiprocessing.get_context("spawn")
        told, theirs = processes.Pipe()
        self._told = told
        self._process = processes.Process(target=_explain, args=(theirs, self._folder), name="saliency", daemon=True)
        self._process.start()
        theirs.close()
        return told

    def _exchange(self, told: Connection, image: npt.NDArray[np.uint8]) -> None:
        if self._waits and told.poll():
            heard = told.recv()
            if isinstance(heard, str):
                self._fail(heard)
                return
            self._waits = False
            self._strongest = max(_FADES * self._strongest, float(heard.max()), 1e-6)
            self.strength = heard / self._strongest
        if not self._waits:
            told.send(image)
            self._waits = True

    def _fail(self, why: str) -> None:
        self._say(f"What the network looks at cannot be shown: {why}")
        self.wished, self.strength = False, None
        self.close()

    def close(self) -> None:
        """End the process, which holds nothing that could be lost."""
        if self._process is not None and self._told is not None:
            self._process.kill()
            self._process.join()
            self._told.close()
        self._process = self._told = None
        self._waits = False


def _explain(told: Connection, folder: Path) -> None:
    """The process: gets inputs, gives how much each spot matters, or a text where that cannot be."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the player, which ends us then
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the drive has the graphics card
    from player.hush import start_tensorflow

    try:
        start_tensorflow()
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        from kart_pipeline.learning.package import load_network, read_package
        from kart_pipeline.learning.saliency import influence

        package = read_package(folder)
        network, spec = load_network(package), package.contract.spec
        steering = [place for place, name in enumerate(spec.names) if name in steering_channels(spec)]
        while True:
            image = told.recv()
            began = time.monotonic()
            found = influence(network, image[None], package.golden.inputs, package.contract)[0]
            told.send(found[:, :, steering].max(axis=2))
            time.sleep(_REST * (time.monotonic() - began))
    except KartError as error:
        told.send(str(error))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the drive has ended
