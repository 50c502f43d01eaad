"""Who is connected to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from neurosim.errors import UsageError
from neurosim.plotting.figures import BLUE, RED, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["connectivity"]

PIXELS = 500  # along each axis; more neurons share pixels


def connectivity(
    weights: Any = None,
    source: ArrayLike | None = None,
    target: ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    shape: tuple[int, int] | None = None,
    unit: str = "",
) -> Axes:
    """Weights between neurons as an image: red excites, blue inhibits, white is no synapse.
    Each sign has a scale of its own.

    Beyond 500 neurons of a side neighbours share a pixel, which shows the mean over all pairs in it, those without a
    synapse as 0. Several synapses of one pair add.

    Parameters
    ----------
    weights : array_like or sparse matrix, optional
        Of shape (sources, targets), or, with ``source`` and ``target``, one per synapse; 1 each without it.
    source, target : array_like of int, shape (synapses,), optional
        Neurons that each synapse connects.
    ax : Axes, optional
        Where to draw; a new figure without it.
    shape : tuple of int, optional
        Numbers of sources and targets; without it the largest index decides.
    unit : str
        Of the weights.

    Returns
    -------
    Axes
        Targets along x, sources from top to bottom, a colour bar beside it.

    Raises
    ------
    UsageError
        When arrays do not fit each other or an index lies outside of ``shape``.
    """
    row, column, value, (n_rows, n_columns) = _synapses(weights, source, target, shape)
    ax = new_axes(ax)
    # Neurons per pixel; the last may hold fewer
    down, across = -(-n_rows // PIXELS), -(-n_columns // PIXELS)
    height, width = -(-n_rows // down), -(-n_columns // across)
    total = np.bincount((row // down) * width + column // across, value, height * width).reshape(height, width)
    high = np.minimum((np.arange(height) + 1) * down, n_rows) - np.arange(height) * down
    wide = np.minimum((np.arange(width) + 1) * across, n_columns) - np.arange(width) * across
    image = total / np.outer(high, wide)
    colours, scale = _colours(float(image.min()), float(image.max()))
    drawn = ax.imshow(
        image,
        cmap=colours,
        norm=scale,
        extent=(-0.5, width * across - 0.5, height * down - 0.5, -0.5),
        aspect="auto",
        interpolation="nearest",
    )
    ax.set(xlim=(-0.5, n_columns - 0.5), ylim=(n_rows - 0.5, -0.5), xlabel="target neuron", ylabel="source neuron")
    ax.grid(False)
    name = "weight" if down == across == 1 else "mean weight of a pair"
    ax.figure.colorbar(drawn, ax=ax, label=f"{name} ({unit})" if unit else name)
    return ax


def _colours(low: float, high: float) -> tuple[Any, Any]:
    """White at 0; each sign has a scale of its own, since inhibition is often several times stronger."""
    from matplotlib.colors import LinearSegmentedColormap, Normalize, TwoSlopeNorm

    shades = [BLUE, "white", RED]
    if low >= 0.0:
        return LinearSegmentedColormap.from_list("excitation", shades[1:]), Normalize(0.0, high or 1.0)
    if high <= 0.0:
        return LinearSegmentedColormap.from_list("inhibition", shades[:2]), Normalize(low, 0.0)
    return LinearSegmentedColormap.from_list("weights", shades), TwoSlopeNorm(0.0, low, high)


def _synapses(
    weights: Any, source: Any, target: Any, shape: tuple[int, int] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """Source, target and weight of each synapse, and the numbers of sources and targets."""
    if source is None and target is None:
        if hasattr(weights, "tocoo"):
            sparse = weights.tocoo()
            return sparse.row.astype(np.int64), sparse.col.astype(np.int64), sparse.data.astype(float), sparse.shape
        matrix = np.asarray(weights if weights is not None else [], np.float64)
        if matrix.ndim != 2 or not matrix.size:
            raise UsageError(
                f"connectivity: weights have shape {matrix.shape}: write a matrix (sources, targets), "
                "or weights, source and target of one length"
            )
        row, column = np.nonzero(matrix)
        return row, column, matrix[row, column], matrix.shape
    if source is None or target is None:
        raise UsageError("connectivity: source and target go together: write both, or a matrix alone")
    row, column = np.asarray(source), np.asarray(target)
    value = np.ones(row.shape) if weights is None else np.asarray(weights, np.float64)
    if value.ndim == 0:
        value = np.full(row.shape, float(value))
    if row.ndim != 1 or not row.shape == column.shape == value.shape:
        raise UsageError(
            f"connectivity: source has shape {row.shape}, target {column.shape}, weights {value.shape}: "
            "write flat arrays of one length"
        )
    if row.size and (row.dtype.kind not in "iu" or column.dtype.kind not in "iu"):
        raise UsageError("connectivity: source and target must be indices of neurons, integers")
    largest = tuple(int(index.max(initial=-1)) + 1 for index in (row, column))
    n_rows, n_columns = shape if shape is not None else (max(largest[0], 1), max(largest[1], 1))
    if largest[0] > n_rows or largest[1] > n_columns or (row.size and min(row.min(), column.min()) < 0):
        raise UsageError(
            f"connectivity: an index lies outside of shape = {(n_rows, n_columns)}: write {largest} or more"
        )
    return row.astype(np.int64), column.astype(np.int64), value, (n_rows, n_columns)
