"""Pictures of decisions in the plane, shared by the scenarios of learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurosim.plotting import BLUE, COLOURS, RED

# of class 0, 1, …
CLASS_COLOURS = (RED, BLUE, *COLOURS[2:])


def grid(x: tuple[float, float], y: tuple[float, float], side: int) -> np.ndarray:
    """Points of a regular grid, shape (side · side, 2), row after row from below."""
    a, b = np.meshgrid(np.linspace(*x, side), np.linspace(*y, side))
    return np.stack([a.ravel(), b.ravel()], axis=1)


def draw_regions(ax: Any, x: tuple[float, float], y: tuple[float, float], classes: np.ndarray) -> None:
    """Shade a square of numbers of classes, shape (side, side) or (side · side,), as :func:`grid` orders them."""
    from matplotlib.colors import ListedColormap

    side = round(classes.size**0.5)
    shades = ListedColormap(CLASS_COLOURS)
    ax.imshow(
        classes.reshape(side, side), origin="lower", extent=(*x, *y), cmap=shades, vmin=0, vmax=len(CLASS_COLOURS) - 1,
        alpha=0.25, interpolation="nearest", aspect="auto",
    )  # fmt: skip
    ax.grid(visible=False)


def draw_points(ax: Any, x: np.ndarray, labels: np.ndarray, names: Sequence[str] = (), size: float = 3.0) -> None:
    """Samples in the colours of their classes."""
    for k in range(int(labels.max()) + 1):
        name = names[k] if k < len(names) else None
        ax.plot(*x[labels == k].T, "o", ms=size, mew=0, color=CLASS_COLOURS[k], label=name)
