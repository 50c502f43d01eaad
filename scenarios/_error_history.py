"""Pictures of learning in the format of the lecture's slides, shared by the scenarios of optimizers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurosim.learn import History
from neurosim.plotting import BLACK, BLUE, GREY, ORANGE, RED
from neurosim.scenarios._optimizers import Slide


def halves(error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Iterations from 1 to the middle and from there to the end, as the two panels of a slide have them."""
    middle = math.ceil(len(error) / 2)
    return np.arange(1, middle + 1), np.arange(middle, len(error) + 1)


def draw_history(axes: Sequence[Any], error: np.ndarray, stop: float) -> None:
    """The error of one network in two panels, its first half and its second.

    Parameters
    ----------
    axes : sequence of two Axes
        One for each half.
    error : array, shape (iterations,)
        The first is that of the first weights.
    stop : float
        Error at which learning ends.
    """
    for ax, numbers in zip(axes, halves(error), strict=True):
        values = error[numbers - 1]
        marker = "o-" if len(error) < 40 else "-"
        ax.plot(numbers, values, marker, color=BLUE, ms=3.5)
        ax.set(xlabel="iteration", ylim=(0.0, 1.05 * values.max()))
        if len(numbers) > 1:
            ax.set_xlim(numbers[0], numbers[-1])
        ax.set_title(f"iterations {numbers[0]}–{numbers[-1]}: error {values[-1]:.5f}", loc="left")
        ax.locator_params(axis="x", integer=True)
    axes[1].axhline(stop, color=GREY, ls="--", lw=1)
    axes[1].annotate(
        f"stop: {stop:g}", (0.02, stop), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", color=GREY, fontsize=8,
    )  # fmt: skip
    axes[0].set_ylabel("error E")


def plain_ticks(axis: Any) -> None:
    """Numbers such as 0.02 and 500 along a logarithmic axis, in place of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low) if low > 0.0 else 1.0
    subs = (1.0,) if decades > 3.0 else (1.0, 2.0, 5.0) if decades > 0.7 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    axis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def draw_band(ax: Any, history: History, name: str, color: str, label: str) -> None:
    """Median and quartiles of a curve over the networks; those that have stopped keep their last value."""
    rows = np.isfinite(history.held(name)).any(axis=1)
    low, middle, high = history.quantiles(name=name)[:, rows]
    numbers = history.iteration[rows] + 1
    # No step leads to the first weights, and a rejected one is none: neither has a place on a logarithmic axis.
    low, middle, high = (np.where(values > 0.0, values, np.nan) for values in (low, middle, high))
    ax.fill_between(numbers, low, high, color=color, alpha=0.2, lw=0)
    ax.plot(numbers, middle, color=color, label=label)


def draw_errors(ax: Any, history: History, stop: float, slide: Slide | None) -> None:
    """Errors of all networks: median, quartiles, a few of them, and where the slide ends."""
    n = len(history.status)
    for k in range(min(n, 12)):
        ax.plot(history.iteration + 1, history.error[:, k], color=GREY, lw=0.5, alpha=0.6)
    draw_band(ax, history, "error", BLUE, f"median and quartiles of {n}")
    ax.axhline(stop, color=GREY, ls="--", lw=1, label=f"stop: {stop:g}")
    if slide is not None:
        label = f"slide {slide.number}: {slide.iterations}"
        ax.plot(slide.iterations, slide.error, "*", color=RED, ms=13, mec=BLACK, mew=0.5, label=label, zorder=5)
    ax.set(yscale="log", xlabel="iteration", ylabel="error E")
    plain_ticks(ax.yaxis)
    ax.legend(fontsize=8)


def draw_counts(ax: Any, iterations: np.ndarray, reached: np.ndarray, slide: Slide | None) -> None:
    """Share of the networks that have reached the error after so many iterations."""
    counts = np.sort(iterations[reached])
    ax.step(np.r_[counts, counts[-1:]], np.r_[np.arange(len(counts)), len(counts)] / len(reached), color=BLUE)
    if len(counts):
        median = float(np.median(counts))
        ax.axvline(median, color=ORANGE, lw=1, label=f"median: {median:g}")
    if slide is not None:
        ax.axvline(slide.iterations, color=RED, lw=1, label=f"slide {slide.number}: {slide.iterations}")
    ax.set(xscale="log", xlabel="iterations", ylabel="share of networks", ylim=(0.0, 1.02))
    plain_ticks(ax.xaxis)
    ax.legend(fontsize=8)
