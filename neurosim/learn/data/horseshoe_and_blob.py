"""The lecture's two classes in the unit square: a horseshoe, and a round blob inside it."""

from __future__ import annotations

import numpy as np

from neurosim.learn import draws
from neurosim.learn.data.curves import interpolate, labels
from neurosim.learn.data.data_set import DataSet, check_whole, register

# Read off the pictures of the lecture (slides 40 to 62). Centre line of the horseshoe; x ascends.
LINE = np.array(
    [
        (0.045, 0.0), (0.052, 0.15), (0.063, 0.35), (0.077, 0.55), (0.10, 0.67), (0.124, 0.75), (0.16, 0.85),
        (0.20, 0.89), (0.25, 0.905), (0.30, 0.885), (0.36, 0.85), (0.42, 0.79), (0.48, 0.69), (0.54, 0.60),
        (0.60, 0.50), (0.66, 0.36), (0.72, 0.23), (0.78, 0.06),
    ]
)  # fmt: skip
# How much of it lies in each part of the x axis, from 0.04 on, each 0.04 wide.
MASS = np.array(
    [38.6, 71.8, 144.7, 99.8, 85.5, 126.7, 63.5, 63.5, 37.0, 31.3, 22.2, 10.9, 18.6, 8.3, 9.1, 2.3, 2.9, 3.3, 1.1]
)
_FROM, _WIDTH = 0.04, 0.04
# Its standard deviation across the line, at the left tip, the apex and the right tip.
THICKNESS = np.array([(0.045, 0.006), (0.25, 0.030), (0.78, 0.015)])
BLOB_MEAN, BLOB_SD = (0.295, 0.594), 0.05


@register
def horseshoe(*, n_band: int = 1000, n_blob: int = 999, seed: int = 0) -> DataSet:
    """Horseshoe (class 0) and blob (class 1): no straight line parts them, a bent one does.

    ``horseshoe().split(0.3)`` are 600 samples to learn from and 1399 to test on, as in the lecture.

    A reconstruction: the lecture publishes pictures of its points and not the points. Their centre line, densities and
    widths were measured in the pictures; the horseshoe is stretched to reach from y = 0 to 1, as it does there.

    Parameters
    ----------
    n_band, n_blob : int
        Samples of each class, at least 2.
    seed : int
        From 0 to 2⁶⁴ − 1.

    Returns
    -------
    DataSet
        x of shape (n_band + n_blob, 2) within [0, 1].

    Raises
    ------
    UsageError
        When an argument cannot be.
    """
    check_whole("horseshoe", "n_band", n_band, 2)
    check_whole("horseshoe", "n_blob", n_blob, 2)
    blob = draws.normal(seed, "data", 2 * n_blob, series=2).reshape(n_blob, 2)
    band = _band(seed, n_band)
    low, high = band[:, 1].min(), band[:, 1].max()
    band[:, 1] = (band[:, 1] - low) / (high - low)
    x = np.concatenate([band, np.array(BLOB_MEAN) + BLOB_SD * blob])
    return DataSet("horseshoe", np.clip(x, 0.0, 1.0), labels((n_band, n_blob)), 2)


def _band(seed: int, n: int) -> np.ndarray:
    """Points of the horseshoe, shape (n, 2)."""
    # Cut at the borders of the parts of the x axis, so that each piece lies in one of them.
    borders = _FROM + _WIDTH * np.arange(1, len(MASS))
    knots = np.unique(np.concatenate([LINE[:, 0], borders]))
    line = np.stack([knots, interpolate(knots, LINE[:, 0], LINE[:, 1])], axis=1)
    along = line[1:] - line[:-1]
    length = np.sqrt(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1])
    part = np.searchsorted(borders, 0.5 * (knots[1:] + knots[:-1]))
    of_part = np.zeros(len(MASS))
    np.add.at(of_part, part, length)  # one after the other: the order of the sum is ours
    upto = np.cumsum(MASS[part] * length / of_part[part])
    upto = np.concatenate([[0.0], upto / upto[-1]])
    where = draws.uniform(seed, "data", n, series=0)
    k = np.clip(np.searchsorted(upto, where, side="right") - 1, 0, len(length) - 1)
    centre = line[k] + ((where - upto[k]) / (upto[k + 1] - upto[k]))[:, None] * along[k]
    across = np.stack([-along[k, 1], along[k, 0]], axis=1) / length[k, None]
    width = interpolate(centre[:, 0], THICKNESS[:, 0], THICKNESS[:, 1])
    return centre + (width * draws.normal(seed, "data", n, series=1))[:, None] * across
