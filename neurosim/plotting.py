"""Figures that look alike: one style, colours that colour-blind readers can tell apart, no global state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.result import Result

# Okabe and Ito (2008), without the yellow, which is too light for lines
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000",
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
)
GREY = "#888888"

STYLE: dict[str, Any] = {
    "axes.grid": True,
    "axes.prop_cycle": None,  # set below: needs cycler, which matplotlib brings
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.titlesize": 13,
    "font.size": 10,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.4,
    "svg.hashsalt": "neurosim",  # same picture, same file
}


def style() -> dict[str, Any]:
    """Settings of matplotlib for every figure of the project."""
    from cycler import cycler

    return STYLE | {"axes.prop_cycle": cycler(color=[BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK])}


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    size: tuple[float, float] = (7.0, 4.5),
    title: str = "",
    **options: Any,
) -> tuple[Figure, Any]:
    """A figure with axes in the style of the project.

    Parameters
    ----------
    rows, columns : int
        Of axes.
    size : tuple of float
        Inches; a slide holds 10 × 5.6.
    title : str
        Above all axes.
    **options
        Of :meth:`matplotlib.figure.Figure.subplots`.

    Returns
    -------
    Figure, Axes or array of Axes
        As matplotlib returns them.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(style()):  # type: ignore[arg-type]
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(rows, columns, **options)
        if title:
            figure.suptitle(title)
    return figure, axes


def raster(result: Result, population: str, ax: Axes | None = None, *, size: float = 2.0) -> Axes:
    """Spikes of a population: a dot each, and a density image where there are more than 100 000.

    Parameters
    ----------
    result : Result
        Of a run that recorded spikes.
    population : str
        Its name.
    ax : Axes, optional
        Where to draw; a new figure without it.
    size : float
        Of a dot, points.
    """
    t, i = result.spikes[population]
    if ax is None:
        _, ax = subplots()
    if len(t) > 100_000:
        counts, x, y = np.histogram2d(t, i, bins=(600, 300))
        ax.pcolormesh(x, y, counts.T, cmap="Greys", rasterized=True)
        ax.grid(False)
    else:
        ax.plot(t, i, ".", color=BLACK, markersize=size, rasterized=len(t) > 20_000)
    ax.set(xlabel="time (ms)", ylabel="neuron", title=population)
    return ax


def traces(result: Result, population: str, variable: str = "v", ax: Axes | None = None, **style: Any) -> Axes:
    """A recorded variable against time, one line per neuron.

    Parameters
    ----------
    result : Result
        Of a run that recorded the variable.
    population, variable : str
        What to draw.
    ax : Axes, optional
        Where to draw; a new figure without it.
    **style
        Of :meth:`matplotlib.axes.Axes.plot`.
    """
    if ax is None:
        _, ax = subplots()
    ax.plot(result.times(population, variable), result.traces[population][variable], **style)
    ax.set(xlabel="time (ms)", ylabel=f"{variable} ({result.unit(population, variable)})")
    return ax
