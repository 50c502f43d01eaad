"""Spikes and rates against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.analysis import population_rate
from neurosim.analysis.inputs import Bins
from neurosim.plotting.figures import BLACK, GREY, legend, new_axes, title
from neurosim.plotting.populations import Colours, Names, Shown, shown, window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurosim.result import Result

__all__ = ["raster", "rate"]

MANY = 100_000  # spikes; above, dots cover each other
COLUMNS, ROWS = 600, 300  # of a density image, at most
GAP = 0.045  # between names beside the axis, of its length


def raster(
    result: Result,
    population: Names = None,
    ax: Axes | None = None,
    *,
    size: float | None = None,
    colours: Colours = None,
    start: float | None = None,
    stop: float | None = None,
) -> Axes:
    """Spikes: a dot each, and a density image where there are more than 100 000.

    One population has its neurons on the axis. Several are stacked, the first on top, each with its name beside it
    and as high as the number of its neurons whose spikes were recorded.

    Parameters
    ----------
    result : Result
        Of a run that recorded spikes.
    population : str or sequence of str, optional
        Names; all whose spikes were recorded without it.
    ax : Axes, optional
        Where to draw; a new figure without it.
    size : float, optional
        Of a dot, points; without it the smaller the more spikes there are.
    colours : str, sequence of str or dict, optional
        One for all, one each, or by name.
    start, stop : float, optional
        What is shown, ms; the whole run without them.

    Returns
    -------
    Axes
        A density image is darkest where, in its population, most spikes are.
    """
    chosen = shown(result, population, colours, only=BLACK)
    begin, end = window(result, start, stop)
    ax = new_axes(ax)
    chosen = [_between(p, begin, end) for p in chosen]
    n_spikes = sum(p.t.size for p in chosen)
    if len(chosen) == 1:
        rows, limits = _alone(ax, chosen[0])
    else:
        rows, limits = _stacked(ax, chosen)
    # Dots that cover half of the picture if there were no overlap, but can be seen and told apart
    dot = size or float(np.clip(150.0 / np.sqrt(n_spikes + 1.0), 1.2, 4.0))
    # Columns resolve rhythms; rows are as few as give three spikes to a pixel, or the image would be noise.
    height_of_all = np.clip(n_spikes / (3 * COLUMNS), 20, ROWS)
    total = max(sum(high - low for low, high in limits), 1)
    for p, row, (low, high) in zip(chosen, rows, limits, strict=True):
        if n_spikes > MANY:
            height = max(1, min(high - low, round(height_of_all * (high - low) / total)))
            _density(ax, p, row, (begin, end), (low, high), (height, COLUMNS))
        else:
            ax.plot(p.t, row, ".", color=p.colour, markersize=dot, markeredgewidth=0.0, rasterized=n_spikes > 20_000)
    ax.set(xlabel="time (ms)", xlim=(begin, end))
    return ax


def rate(
    result: Result,
    population: Names = None,
    ax: Axes | None = None,
    *,
    bin: float = 5.0,
    colours: Colours = None,
    start: float | None = None,
    stop: float | None = None,
) -> Axes:
    """Firing rate of populations against time.

    Parameters
    ----------
    result : Result
        Of a run that recorded spikes.
    population : str or sequence of str, optional
        Names; all whose spikes were recorded without it.
    ax : Axes, optional
        Where to draw; a new figure without it.
    bin : float
        Width of a bin, ms.
    colours : str, sequence of str or dict, optional
        One for all, one each, or by name.
    start, stop : float, optional
        What is shown, ms; the whole run without them.

    Returns
    -------
    Axes
        Spikes per second and recorded neuron.
    """
    chosen = shown(result, population, colours)
    begin, end = window(result, start, stop)
    ax = new_axes(ax)
    for p in chosen:
        centres, values = population_rate(p.t, p.neurons.size, bin=bin, start=begin, stop=end)
        ax.stairs(values, _edges(centres, bin), color=p.colour, label=p.name, linewidth=1.2, baseline=None)
    ax.set(xlabel="time (ms)", ylabel="rate (spikes/s)", xlim=(begin, end))
    ax.set_ylim(bottom=0.0)
    if len(chosen) > 1:
        legend(ax)
    else:
        title(ax, chosen[0].name)
    return ax


def _edges(centres: np.ndarray, width: float) -> np.ndarray:
    return np.append(centres - width / 2, centres[-1] + width / 2)


def _between(p: Shown, begin: float, end: float) -> Shown:
    kept = (p.t >= begin) & (p.t <= end)
    return p._replace(t=p.t[kept], i=p.i[kept])


Rows = tuple[list[np.ndarray], list[tuple[int, int]]]  # of each spike; from … to of each population


def _alone(ax: Axes, p: Shown) -> Rows:
    """Axis of one population: its neurons by their own numbers."""
    low, high = (int(p.neurons[0]), int(p.neurons[-1]) + 1) if p.neurons.size else (0, 1)
    margin = 0.01 * (high - low)
    ax.set(ylabel="neuron", ylim=(low - 0.5 - margin, high - 0.5 + margin))
    title(ax, p.name)
    return [p.i.astype(np.int64)], [(low, high)]


def _stacked(ax: Axes, chosen: list[Shown]) -> Rows:
    """Axis of several populations from top to bottom: only recorded neurons have a row, so samples leave no gap."""
    ends = np.cumsum([0, *(p.neurons.size for p in chosen)])
    total = max(int(ends[-1]), 1)
    ax.set_ylim(total - 0.5, -0.5)
    ax.set_yticks(_apart((ends[1:] + ends[:-1]) / 2 - 0.5, GAP * total), [p.name for p in chosen])
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    for end in ends[1:-1]:
        ax.axhline(end - 0.5, color=GREY, linewidth=0.4, alpha=0.5)
    for label, p in zip(ax.get_yticklabels(), chosen, strict=True):
        label.set_color(p.colour)
    rows = [begin + np.searchsorted(p.neurons, p.i) for p, begin in zip(chosen, ends, strict=False)]
    return rows, list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Ascending places, moved as little as keeps ``gap`` between them: the mean of pushing down and pushing up."""
    steps = gap * np.arange(places.size)
    down = np.maximum.accumulate(places - steps) + steps
    up = np.minimum.accumulate((places - steps)[::-1])[::-1] + steps
    return (down + up) / 2


def _density(
    ax: Axes, p: Shown, row: np.ndarray, time: tuple[float, float], rows: tuple[int, int], shape: tuple[int, int]
) -> None:
    """Spikes per pixel as darkness of the population's colour."""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    (begin, end), (low, high), (height, width) = time, rows, shape
    # A pixel number each and one count: an order of magnitude faster than numpy.histogram2d
    x = np.clip(Bins(begin, (end - begin) / width, width).of(p.t)[0], 0, width - 1)
    y = (row - low) * height // max(high - low, 1)
    image = np.bincount(y * width + x, minlength=width * height).reshape(height, width)
    # A few pixels of a burst must not make all others white.
    most = float(np.quantile(image[image > 0], 0.995)) if image.any() else 1.0
    ax.imshow(
        image,
        extent=(begin, end, high - 0.5, low - 0.5),
        aspect="auto",
        cmap=LinearSegmentedColormap.from_list("density", ["white", p.colour]),
        norm=PowerNorm(0.7, 0.0, most, clip=True),
        interpolation="nearest",
    )
    ax.grid(False)
