"""Measures a model's runtimes on this machine, each in a process of its own, and says what this means for driving."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.settings import Settings
from kart_pipeline.learning.package import DriverPackage
from kart_pipeline.learning.runtimes import runtime_named
from kart_pipeline.learning.runtimes.kept import folder_of, save_bench
from kart_pipeline.learning.runtimes.measuring import Latency, Measured, convert, measure, preparing, recommend
from kart_pipeline.learning.runtimes.runtime import ConvertingRuntime
from player.apart import apart
from player.hush import quiet

COMFORT = 0.5  # share of a period that preparing and inferring may take: the rest is for capture, game and controls
PREPARING_S = 1.0

Tell = Callable[[str], None]


@dataclass(slots=True)
class Bench:
    """What a bench came to; filled on the way.

    Attributes:
        model: its name.
        rate_hz: of its contract.
        prepare: how long a frame takes to become the network's input.
        measured: the runtimes that can drive, by name.
        converted: seconds that the conversion of a runtime took, where it had to be done.
        problems: why a runtime cannot drive, by name, in a sentence.
        path: where the result is kept; None until it is.
    """

    model: str
    rate_hz: float
    prepare: Latency
    measured: dict[str, Measured] = field(default_factory=dict)
    converted: dict[str, float] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    path: Path | None = None

    @property
    def recommended(self) -> Measured | None:
        """The best runtime; None where none can drive."""
        return recommend(list(self.measured.values())) if self.measured else None

    def busy(self, measured: Measured) -> float:
        """Share of a period that the 99th percentiles of preparing and inferring take together."""
        return (self.prepare.p99_ms + measured.latency.p99_ms) * self.rate_hz / 1000

    def verdict(self, measured: Measured) -> str:
        """Whether the rate can be held with this runtime, in a sentence."""
        period, needed = 1000 / self.rate_hz, self.prepare.p99_ms + measured.latency.p99_ms
        asked = f"{self.rate_hz:g} actions a second leave {period:.1f} ms for each"
        parts = f"a frame is prepared in {self.prepare.p99_ms:.1f} ms and answered in {measured.latency.p99_ms:.1f} ms"
        if self.busy(measured) <= COMFORT:
            return f"The rate can be held: {asked}, and {parts} (99 % of them), so {period - needed:.1f} ms are left."
        if self.busy(measured) < 1:
            return (
                f"The rate is hardly held: {asked}, and {parts} (99 % of them), which leaves {period - needed:.1f} ms "
                "for capture, game and controls. Close other programs, or train at a lower rate."
            )
        return (
            f"The rate cannot be held: {asked}, but {parts} (99 % of them). Close other programs, or train a smaller "
            "network, or at a lower rate."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        best = self.recommended
        return {
            "model": self.model,
            "machine": machine(),
            "rate_hz": self.rate_hz,
            "prepare": self.prepare.to_dict(),
            "runtimes": {
                name: item.to_dict() | {"converted_s": self.converted.get(name), "holds_rate": self.busy(item) <= 1}
                for name, item in self.measured.items()
            },
            "problems": dict(self.problems),
            "recommended": best.runtime if best else None,
            "verdict": self.verdict(best) if best else None,
        }


def bench(
    name: str,
    package: DriverPackage,
    settings: Settings,
    runtimes: Sequence[str],
    seconds: float,
    tell: Tell = lambda _: None,
) -> Bench:
    """Measure the runtimes one after the other, and keep what was found for `--runtime auto`.

    Args:
        name: of the model.
        package: its files.
        settings: say where the result is kept.
        runtimes: by name.
        seconds: that each is asked for.
        tell: is told what is done now.

    Raises:
        KartError: there is no such runtime, none can drive, or the result cannot be kept.
    """
    tell("preparing frames")
    found = Bench(name, package.contract.rate_hz, preparing(package, min(PREPARING_S, seconds)))
    folder = folder_of(settings.home, package)
    for runtime in map(runtime_named, runtimes):
        if absent := runtime.absent():
            found.problems[runtime.name] = absent
            continue
        try:
            if isinstance(runtime, ConvertingRuntime) and not runtime.file(folder).exists():
                tell(f"{runtime.title}: converting the network, once")
                found.converted[runtime.name] = apart(_convert, runtime.name, package, folder)
            tell(f"{runtime.title}: starting, then {seconds:g} s of frames")
            found.measured[runtime.name] = apart(_measure, runtime.name, package, folder, seconds)
        except KartError as error:
            found.problems[runtime.name] = str(error)
    if not found.measured:
        raise KartError(f"No runtime can drive {name} here. {' '.join(found.problems.values())}")
    found.path = save_bench(folder, found.to_dict())
    return found


def _convert(name: str, package: DriverPackage, folder: Path) -> float:
    with quiet():
        return convert(runtime_named(name), package, folder)


def _measure(name: str, package: DriverPackage, folder: Path, seconds: float) -> Measured:
    with quiet():
        return measure(runtime_named(name), package, folder, seconds)
