"""Why a network stopped learning."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """State of one network; optimizers report those from ``LINE_SEARCH`` on, the loop all others."""

    RUNNING = 0
    REACHED = 1  # the error is below the threshold
    CONVERGED = 2  # the gradient is as small as asked for
    ITERATIONS = 3  # all iterations were done
    STOPPED = 4  # a callback or Ctrl-C stopped it
    NON_FINITE = 5  # error, gradient or step became infinite or NaN; the weights are the last good ones
    LINE_SEARCH = 6  # no step along the direction lowers the error
    SINGULAR = 7  # a system of equations has no solution
    REJECTED = 8  # however short the step, the error does not fall

    @property
    def meaning(self) -> str:
        """In words."""
        return _MEANINGS[self]


_MEANINGS = {
    Status.RUNNING: "still learning",
    Status.REACHED: "error below the threshold",
    Status.CONVERGED: "gradient as small as asked for",
    Status.ITERATIONS: "all iterations done",
    Status.STOPPED: "stopped from outside",
    Status.NON_FINITE: "no longer finite; weights are the last good ones",
    Status.LINE_SEARCH: "line search found no lower error",
    Status.SINGULAR: "system of equations is singular",
    Status.REJECTED: "no step lowers the error, however damped",
}
