"""Figures that look alike: one style, colours that colour-blind readers can tell apart, no global state.

Every function draws on the Axes that it is given, or on a new figure, and returns the Axes. Those that draw a
:class:`neurosim.Result` take it first, and are at hand as ``result.plot.raster(…)`` too.
"""

from neurosim.plotting.accessor import Plots
from neurosim.plotting.activity import raster, rate
from neurosim.plotting.figures import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    STYLE,
    style,
    subplots,
)
from neurosim.plotting.matrices import connectivity
from neurosim.plotting.membranes import traces
from neurosim.plotting.statistics import correlation_histogram, isi_histogram, spectrum, weight_histogram

__all__ = [
    "BLACK",
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "STYLE",
    "Plots",
    "connectivity",
    "correlation_histogram",
    "isi_histogram",
    "raster",
    "rate",
    "spectrum",
    "style",
    "subplots",
    "traces",
    "weight_histogram",
]
