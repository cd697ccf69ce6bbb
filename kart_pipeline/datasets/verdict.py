"""What a check says: passed or not, how bad, why, and the figures that it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warn"]
Figures = Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding about a session.

    Attributes:
        name: of the check, the same for every session.
        passed: nothing is wrong.
        severity: "error" where the session breaks a contract and must not be learned from, "warn" for a judgement
            that a person may see differently.
        cause: one sentence; what is wrong and what to do, or what was found in order.
        figures: what was measured.
    """

    name: str
    passed: bool
    severity: Severity
    cause: str
    figures: Figures


def sound(name: str, cause: str, figures: Figures, severity: Severity = "warn") -> Verdict:
    """A check that found nothing wrong."""
    return Verdict(name, True, severity, cause, figures)


def warning(name: str, cause: str, figures: Figures) -> Verdict:
    """A judgement against the session."""
    return Verdict(name, False, "warn", cause, figures)


def broken(name: str, cause: str, figures: Figures) -> Verdict:
    """The session must not be learned from."""
    return Verdict(name, False, "error", cause, figures)
