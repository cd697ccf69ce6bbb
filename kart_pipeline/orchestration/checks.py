"""Verdicts of `datasets.health` as Dagster's asset checks: what breaks a contract blocks, what is a judgement warns."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import dagster as dg

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets import health, health_frames, health_pictures, health_steering
from kart_pipeline.datasets.verdict import Verdict
from kart_pipeline.orchestration.partitions import SESSIONS

# The functions give each check its name and description; `check_session`, `check_pictures`, `check_frames` call them.
OF_SESSION: tuple[Callable[..., Verdict], ...] = (
    health.contents,
    health.clock,
    health.rate,
    health.gaps,
    health.label_range,
    health.length,
    health.controls,
    health_steering.aliasing,
    health_steering.straight,
    health_steering.sides,
    health.unreadable,
    health_pictures.border,
)
OF_FRAMES: tuple[Callable[..., Verdict], ...] = (health_frames.left_out, health_frames.frozen, health_frames.blank)


def specs(asset: str, checks: Iterable[Callable[..., Verdict]]) -> list[dg.AssetCheckSpec]:
    """A declaration for each check, with a verdict of its own for each session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # checks by partition are new in Dagster 1.13
        return [
            dg.AssetCheckSpec(
                name=check.__name__,
                asset=asset,
                description=(check.__doc__ or "").partition("\n")[0],
                blocking=True,  # only what fails with severity ERROR blocks
                partitions_def=SESSIONS,
            )
            for check in checks
        ]


def results(
    context: dg.AssetExecutionContext, verdicts: Iterable[Verdict], checks: Iterable[Callable[..., Verdict]]
) -> list[dg.AssetCheckResult]:
    """A result for each declared check; those that could not be made because another one failed say so."""
    made = {verdict.name: verdict for verdict in verdicts}
    bad = [verdict for verdict in made.values() if not verdict.passed]
    for verdict in bad:  # the log of a run only names the check that failed
        tell = context.log.error if verdict.severity == "error" else context.log.warning
        tell("%s: %s", verdict.name, verdict.cause)
    failed = ", ".join(verdict.name for verdict in bad)
    return [
        _result(made.get(name) or Verdict(name, False, "warn", f"Not checked, because {failed} failed.", {}))
        for name in (check.__name__ for check in checks)
    ]


def _result(verdict: Verdict) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if verdict.severity == "error" else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=verdict.name,
        passed=verdict.passed,
        severity=severity,
        description=verdict.cause,
        metadata=dict(verdict.figures),
    )


@contextmanager
def sentences() -> Iterator[None]:
    """Turn a mistake that a person can mend into a failure of the step that shows its sentence and is not retried."""
    try:
        yield
    except KartError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
