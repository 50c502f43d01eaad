"""Ten digits of 30 × 30 pixels, drawn from the outlines of DejaVu Sans, which matplotlib brings."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neurosim.errors import UsageError, nearest
from neurosim.learn import draws
from neurosim.learn.data.data_set import DataSet, check_number, check_whole, register

SIDE = 30
_EM = 31.0  # pixels of the font's size
_FINE = 16  # places looked at in each direction of a pixel
_PIECES = 16  # straight ones in place of each arc
# Where the ink of each digit begins and ends in the lecture's images (first and last column; rows below).
COLUMNS = ((7, 22), (8, 21), (8, 21), (8, 21), (5, 20), (8, 21), (7, 22), (8, 21), (7, 22), (8, 23))
ROWS = (*(((5, 27),) * 9), (4, 26))


class Variant(NamedTuple):
    """How images differ from the clean ones."""

    shift: int  # pixels
    noise: float  # standard deviation; ink is 1, paper 0


VARIANTS = {
    "clean": Variant(0, 0.0),
    "shift": Variant(2, 0.0),
    "noise_lo": Variant(0, 0.1),
    "noise_hi": Variant(0, 0.3),
    "shift_noise_lo": Variant(2, 0.1),
}


@register
def digits(
    variant: str = "clean", *, copies: int = 1, shift: int | None = None, noise: float | None = None, seed: int = 0
) -> DataSet:
    """The digits 0 to 9, from 0 (paper) to 1 (ink), as the lecture's: ten images to learn from, variants to test on.

    A reconstruction: the lecture's images are not free. DejaVu Sans of 31 pixels in the places of theirs correlates
    with them by 0.945. The names of the variants are the lecture's, how far they go is not published.

    Parameters
    ----------
    variant : {"clean", "shift", "noise_lo", "noise_hi", "shift_noise_lo"}
        Shift and noise at once.
    copies : int
        Of each digit, each with a shift and noise of its own.
    shift : int, optional
        Most pixels, 0 to 29, by which an image is moved to each side; of the variant where it is None. What leaves the
        picture is lost.
    noise : float, optional
        Standard deviation of the noise on each pixel, which then is cut to [0, 1]; of the variant where it is None.
    seed : int
        From 0 to 2⁶⁴ − 1.

    Returns
    -------
    DataSet
        x of shape (10 · copies, 900), rows of an image one after the other; 0, 1, …, 9, 0, 1, ….

    Raises
    ------
    UsageError
        When an argument cannot be.
    """
    if variant not in VARIANTS:
        raise UsageError(f"digits: unknown variant {variant!r}: {nearest(str(variant), VARIANTS)}")
    shift = VARIANTS[variant].shift if shift is None else shift
    noise = VARIANTS[variant].noise if noise is None else noise
    check_whole("digits", "copies", copies, 1)
    check_whole("digits", "shift", shift, 0, SIDE - 1)
    check_number("digits", "noise", noise)
    drawn = np.concatenate([clean_digits()] * int(copies))
    n = len(drawn)
    if shift:
        places = draws.words(seed, "data", 2 * n, series=0) % (2 * shift + 1)
        padded = np.pad(drawn, ((0, 0), (shift, shift), (shift, shift)))
        windows = (padded[k, p : p + SIDE, q : q + SIDE] for k, (p, q) in enumerate(places.reshape(n, 2).tolist()))
        drawn = np.stack(list(windows))
    x = drawn.reshape(n, -1)
    if noise:
        x = np.clip(x + noise * draws.normal(seed, "data", x.size, series=1).reshape(x.shape), 0.0, 1.0)
    return DataSet("digits", x, np.arange(n) % 10, 10, (SIDE, SIDE))


@lru_cache(maxsize=1)
def clean_digits() -> np.ndarray:
    """The ten images, shape (10, 30, 30), in steps of 1/256."""
    return np.stack([_drawn(k) for k in range(10)])


def _outline(digit: int) -> tuple[np.ndarray, np.ndarray]:
    """Straight pieces around a digit: begin and end of each, shape (pieces, 2), in units of the font, y upwards.

    Taken without scaling, as whole numbers: how a version of FreeType would round or hint them plays no part.
    """
    import matplotlib
    from matplotlib.ft2font import FT2Font, LoadFlags

    font = FT2Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"))
    font.load_char(ord(str(digit)), flags=LoadFlags.NO_SCALE)
    points, codes = font.get_path()
    points = np.asarray(points, np.float64) * 64.0
    begins, ends = [], []
    here = start = points[0]
    k = 0
    while k < len(codes):
        if codes[k] == 1:  # move
            here = start = points[k]
        elif codes[k] == 3:  # arc of a parabola, its control point first
            t = (np.arange(_PIECES + 1) / _PIECES)[:, None]
            arc = (1.0 - t) * (1.0 - t) * here + 2.0 * t * (1.0 - t) * points[k] + t * t * points[k + 1]
            begins.append(arc[:-1])
            ends.append(arc[1:])
            k += 1
            here = points[k]
        else:  # line, or the last one back to the start
            to = points[k] if codes[k] == 2 else start
            begins.append(here[None])
            ends.append(to[None])
            here = to
        k += 1
    return np.concatenate(begins), np.concatenate(ends)


def _drawn(digit: int) -> np.ndarray:
    """Share of each pixel that is within the outline, shape (30, 30): places with a winding number other than 0."""
    begin, end = _outline(digit)
    low, high = begin.min(axis=0), begin.max(axis=0)
    (left, right), (top, bottom) = COLUMNS[digit], ROWS[digit]
    middle = 0.5 * np.array([left + right + 1, top + bottom + 1])
    scale = np.array([_EM, -_EM]) / 2048.0  # units to an em
    begin, end = ((p - 0.5 * (low + high)) * scale + middle for p in (begin, end))
    places = (np.arange(SIDE * _FINE) + 0.5) / _FINE
    inside = np.zeros((len(places), len(places)))
    for row, y in enumerate(places):
        down, up = (begin[:, 1] <= y) & (end[:, 1] > y), (end[:, 1] <= y) & (begin[:, 1] > y)
        k = np.flatnonzero(down | up)
        x = begin[k, 0] + (y - begin[k, 1]) / (end[k, 1] - begin[k, 1]) * (end[k, 0] - begin[k, 0])
        turn = np.where(down[k], 1, -1)
        inside[row] = ((x[:, None] <= places) * turn[:, None]).sum(axis=0) != 0
    return inside.reshape(SIDE, _FINE, SIDE, _FINE).sum(axis=(1, 3)) / _FINE**2
