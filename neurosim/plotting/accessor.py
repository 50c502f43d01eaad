"""``result.plot``."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING

from neurosim.plotting.activity import raster, rate
from neurosim.plotting.membranes import traces
from neurosim.plotting.statistics import correlation_histogram, isi_histogram, spectrum

if TYPE_CHECKING:
    from neurosim.result import Result

__all__ = ["Plots"]


class Plots:
    """Pictures of one result: the functions of :mod:`neurosim.plotting` without their first argument.

    Parameters
    ----------
    result : Result
        What is drawn.
    """

    def __init__(self, result: Result) -> None:
        # Bound as if they were methods of the result: help() and a notebook's ? show signature and docstring.
        self.raster = MethodType(raster, result)
        self.rate = MethodType(rate, result)
        self.traces = MethodType(traces, result)
        self.isi_histogram = MethodType(isi_histogram, result)
        self.correlation_histogram = MethodType(correlation_histogram, result)
        self.spectrum = MethodType(spectrum, result)

    def __repr__(self) -> str:
        return f"<plots: {', '.join(vars(self))}>"
