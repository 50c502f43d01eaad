"""Errors that neurosim raises for a user's mistake or a run that cannot go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.backends.errors import SlowPathWarning, UsageError, nearest

if TYPE_CHECKING:
    from neurosim.result import Result

__all__ = ["RecordingError", "SimulationError", "SlowPathWarning", "UsageError", "nearest"]


class SimulationError(RuntimeError):
    """A run stopped because its state is no longer finite.

    Attributes
    ----------
    result : Result or None
        What was computed before, marked as partial.
    """

    reason = "a state variable became non-finite"

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


class RecordingError(SimulationError):
    """A run stopped because its records could not be written, as on a full disk.

    Attributes
    ----------
    step : int
        Up to where the records are safe, in steps from the beginning of the simulation.
    result : Result or None
        What was written before, marked as partial.
    """

    reason = "records could not be written"

    def __init__(self, message: str, step: int = 0) -> None:
        super().__init__(message)
        self.step = step
