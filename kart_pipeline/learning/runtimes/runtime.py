"""What every way to run a network is to others: a name, what it needs, and how a package becomes `Predict`."""

import hashlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.inference import Predict
from kart_pipeline.learning.origin import installed
from kart_pipeline.learning.package import DriverPackage

FORM = 1  # of converted networks; to be raised where `inference.answer_graph` comes to mean something else
THREADS = 1  # the networks are small, and the other cores belong to the game
TENSORFLOW: Mapping[str, str] = {"tensorflow": "tensorflow", "keras": "keras"}


class Runtime(ABC):
    """A way to run a network. Nothing of it is imported before it is asked for.

    Attributes:
        name: as a person types it.
        title: for tables.
        extra: of kart-pipeline, which brings all that is needed.
        needs: what opening imports: the distribution by the module that it brings.
    """

    name: str
    title: str
    extra: str
    needs: ClassVar[Mapping[str, str]]

    def absent(self) -> str:
        """What is missing and the command that brings it, in a sentence; empty where nothing is."""
        missing = sorted({name for module, name in self.needs.items() if importlib.util.find_spec(module) is None})
        if not missing:
            return ""
        command = f"pip install 'kart-pipeline[{self.extra}]'"
        return f"The runtime {self.name} needs {', '.join(missing)}, which is not installed here: {command}."

    def open(self, package: DriverPackage, folder: Path) -> Predict:
        """The package's network as a function that has answered once.

        Args:
            package: looked through.
            folder: where conversions of this very network are kept, see `kept.folder_of`.

        Raises:
            KartError: something is not installed, or this runtime cannot run this network; why, in a sentence.
        """
        with self._sentences():
            return self._open(package, folder)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        if absent := self.absent():
            raise KartError(absent)
        try:
            yield
        except KartError:
            raise
        # Whatever a foreign converter or runtime raises: there is always another runtime to take.
        except Exception as error:
            why = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
            raise KartError(
                f"The runtime {self.name} cannot run this network here ({why[:200]}); choose another with --runtime."
            ) from error

    @abstractmethod
    def _open(self, package: DriverPackage, folder: Path) -> Predict:
        """As `open`, whatever it raises."""


class ConvertingRuntime(Runtime):
    """A runtime with a form of its own for networks: converted once, then kept, so that TensorFlow is not needed again.

    Attributes:
        suffix: of the kept file.
    """

    suffix: str

    def file(self, folder: Path) -> Path:
        """Where the converted network is, or will be: another release of what converts or runs it is another file."""
        versions = sorted(installed(sorted(set(self.needs.values()))).items())
        mark = hashlib.sha256(f"{FORM} {versions}".encode()).hexdigest()[:8]
        return folder / f"network-{mark}{self.suffix}"

    def convert(self, package: DriverPackage, folder: Path) -> bool:
        """Convert the network and keep it, unless it is there already; whether it had to be.

        Raises:
            KartError: as for `open`.
        """
        path = self.file(folder)
        if path.is_file():
            return False
        with self._sentences():
            content = self._convert(package)
        try:
            with replace_file(path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise KartError(f"The converted network cannot be kept in {folder} ({error}); make room there.") from error
        return True

    def _open(self, package: DriverPackage, folder: Path) -> Predict:
        path = self.file(folder)
        if not self.convert(package, folder):
            # Whatever a runtime raises at a file that is damaged, another one takes its place.
            with suppress(Exception):
                return self._start(package, path)
            path.unlink()
            self.convert(package, folder)
        return self._start(package, path)

    @abstractmethod
    def _convert(self, package: DriverPackage) -> bytes:
        """The network in this runtime's form."""

    @abstractmethod
    def _start(self, package: DriverPackage, path: Path) -> Predict:
        """Run the converted network in `path`, once to begin with."""
