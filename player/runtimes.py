"""Which runtime drives: what a person asks for, or what `python -m player bench` found to be best on this machine."""

from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.learning.inference import Predict
from kart_pipeline.learning.package import DriverPackage, verify_golden
from kart_pipeline.learning.runtimes import DEFAULT, RUNTIMES, runtime_named
from kart_pipeline.learning.runtimes.kept import folder_of, recommended
from kart_pipeline.learning.runtimes.runtime import Runtime
from player.hush import quiet

AUTO = "auto"
CHOICES = (AUTO, *RUNTIMES)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A runtime for a network.

    Attributes:
        runtime: it.
        folder: where conversions of the network are kept.
        why: it was chosen, in a sentence.
    """

    runtime: Runtime
    folder: Path
    why: str

    def open(self, package: DriverPackage) -> Predict:
        """The network in this runtime, after its golden frames went the whole way.

        Raises:
            KartError: it cannot be opened, or a golden frame does not reproduce.
        """
        with quiet():
            predict = self.runtime.open(package, self.folder)
            verify_golden(package, predict)
        return predict


def choose(wish: str, package: DriverPackage, settings: Settings) -> Chosen:
    """The runtime for a person's wish, one of `CHOICES`; nothing of it is imported yet.

    Raises:
        KartError: there is no such runtime, or what was asked for is not installed.
    """
    folder = folder_of(settings.home, package)
    if wish != AUTO:
        runtime = runtime_named(wish)
        if absent := runtime.absent():
            raise KartError(absent)
        return Chosen(runtime, folder, f"Runs in {runtime.title}, as asked for.")
    best = recommended(folder)
    fallback = RUNTIMES[DEFAULT]
    if best is None:
        why = f"Runs in {fallback.title}; `python -m player bench` tells what is fastest on this machine."
        return Chosen(fallback, folder, why)
    if absent := runtime_named(best).absent():
        return Chosen(fallback, folder, f"Runs in {fallback.title}, not as the bench recommends. {absent}")
    runtime = RUNTIMES[best]
    return Chosen(runtime, folder, f"Runs in {runtime.title}, the best of this machine's bench.")
