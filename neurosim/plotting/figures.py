"""The style of the project: colours, settings of matplotlib, a figure that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    "legend",
    "new_axes",
    "style",
    "subplots",
    "title",
]

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
COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)  # in the order in which they are taken

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

    return STYLE | {"axes.prop_cycle": cycler(color=COLOURS)}


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


def new_axes(ax: Axes | None) -> Axes:
    """These, or those of a new figure."""
    return subplots()[1] if ax is None else ax


def legend(ax: Axes) -> None:
    """As in the style, also on axes that were made without it."""
    ax.legend(frameon=False, fontsize=STYLE["legend.fontsize"])


def title(ax: Axes, text: str) -> None:
    """As in the style, also on axes that were made without it."""
    ax.set_title(text, loc="left", fontsize=STYLE["axes.titlesize"])
