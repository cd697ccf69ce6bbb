"""A controller that reaches nothing: everything of a drive is real but its effect."""

from collections.abc import Mapping
from typing import Any

from kart_pipeline.desktop.pad import PadState


class DryRun:
    """Remembers how it stands.

    Attributes:
        state: what was applied last.
    """

    name = "none"

    def __init__(self) -> None:
        self.state = PadState()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "none"}

    def apply(self, state: PadState) -> None:
        """Remember it."""
        self.state = state

    def neutral(self) -> None:
        """At rest."""
        self.state = PadState()

    def close(self) -> None:
        """At rest."""
        self.neutral()
