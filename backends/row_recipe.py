"""What a builder needs to know of a projection: a few numbers and tables that compiled code understands."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# How the targets of a row are found.
ALL, ONE, SKIPS, SPACINGS, DISTINCT, EXPLICIT = range(6)
# What a weight is.
CONSTANT, GIVEN, NORMAL, LOGNORMAL, UNIFORM, EXPONENTIAL = range(6)
# Numbers of ``ints``. CANDIDATES: targets to choose from; GAP: 1 where the source itself is left out; LENGTH: of
# every row, or -1 where ``longs`` holds it; LIMIT: no row is longer; BLOCKS: of random numbers that a row asks for
# at once.
KIND, CANDIDATES, GAP, LENGTH, LIMIT, BLOCKS, SEED_LOW, SEED_HIGH, STREAM, N_DELAYS, DELAYS_GIVEN, WEIGHT_KIND = range(
    12
)
# Numbers of ``floats``: 1 / log(1 - p); of the weight its scale and location, the interval of probabilities that it
# is drawn from, and the bounds that it is clipped to.
INVERSE_LOG, SCALE, LOCATION, LOWEST_P, SPAN_P, LOWEST, HIGHEST = range(7)
N_INTS, N_FLOATS = 12, 7

GUIDE_BITS = 12
MAX_BLOCKS = 128


def _none(dtype: type) -> np.ndarray:
    return np.empty(0, dtype)


@dataclass(frozen=True, eq=False)
class Recipe:
    """The synapses of a projection, before any exists.

    Attributes
    ----------
    ints, floats : ndarray of int64, of float64
        Described in :mod:`row_recipe`.
    delays : ndarray of int32, shape (D,)
        Delays that may occur, in steps, ascending. A number of a delay is an index into it.
    delay_words : ndarray of uint32
        A word w means the first delay number d with ``w <= delay_words[d]``; behind the first D the guide: where to
        begin to look, for each value of the highest ``GUIDE_BITS`` bits.
    longs : ndarray of int64
        Length of each row; for explicit synapses the begin of each row, and the end.
    targets : ndarray of uint32, shape (S,)
        Of explicit synapses, by row, ascending in a row.
    delay_numbers : ndarray of uint16, shape (S,)
        Of explicit synapses whose delays are given.
    weights : ndarray of float32 or float64, shape (S,)
        Of explicit synapses whose weights are given.
    weight : float
        Of all synapses where it is constant.
    """

    ints: np.ndarray
    floats: np.ndarray
    delays: np.ndarray
    delay_words: np.ndarray = field(default_factory=lambda: _none(np.uint32))
    longs: np.ndarray = field(default_factory=lambda: _none(np.int64))
    targets: np.ndarray = field(default_factory=lambda: _none(np.uint32))
    delay_numbers: np.ndarray = field(default_factory=lambda: _none(np.uint16))
    weights: np.ndarray = field(default_factory=lambda: _none(np.float32))
    weight: float = 0.0


@dataclass(frozen=True, eq=False)
class Place:
    """Where the accumulators of a projection stand.

    Attributes
    ----------
    edges : ndarray of int64, shape (owners + 1,)
        Owner o has the targets ``edges[o] : edges[o + 1]``.
    slots : ndarray of int64, shape (owners,)
        Accumulator of the first of them.
    """

    edges: np.ndarray
    slots: np.ndarray


def delay_words(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Table of a distribution of delays, and which of the delays can occur.

    Probabilities are rounded to multiples of 2⁻³², so that a word decides.
    """
    ends = np.rint(np.cumsum(probabilities) / np.sum(probabilities) * 2.0**32).astype(np.int64)
    ends[-1] = 1 << 32
    possible = np.diff(ends, prepend=0) > 0
    last = ends[possible] - 1
    guide = np.searchsorted(last, np.arange(1 << GUIDE_BITS, dtype=np.int64) << (32 - GUIDE_BITS))
    return np.concatenate([last, guide]).astype(np.uint32), possible


def blocks(expected: float) -> int:
    """Blocks of four random numbers that are worth to be drawn at once for a row of this length."""
    return int(min(max(1, -(-(expected + 3 * expected**0.5 + 2) // 4)), MAX_BLOCKS))
