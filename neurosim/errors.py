"""Errors that neurosim raises for a user's mistake or a run that cannot go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.backends.errors import SlowPathWarning, UsageError, nearest

if TYPE_CHECKING:
    from neurosim.result import Result

__all__ = ["SimulationError", "SlowPathWarning", "UsageError", "nearest"]


class SimulationError(RuntimeError):
    """A run stopped because its state is no longer finite.

    Attributes
    ----------
    result : Result or None
        What was computed before, marked as partial.
    """

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result
