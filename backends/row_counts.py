# mypy: ignore-errors
"""Lengths of rows where only their sum is fixed: multinomial and multivariate hypergeometric numbers."""

import numpy as np

from .compiled import njit
from .math_float64 import exp_f64, log1p_f64, log_f64
from .row_random import CORRECTIONS, ROW_LENGTHS, fill_words

_OPTIONS = {"cache": True, "error_model": "numpy", "nogil": True}
_LOG_FACTORIAL = np.array([
    0.0, 0.0, 0.6931471805599453, 1.791759469228055, 3.1780538303479458,
    4.787491742782046, 6.579251212010101, 8.525161361065415, 10.60460290274525, 12.801827480081469,
])  # fmt: skip


def row_lengths(n_rows, candidates, total, distinct, key):
    """Lengths of rows that share ``total`` targets, each drawn from all pairs of a row and a candidate.

    Parameters
    ----------
    n_rows, candidates, total : int
        Number of rows, of candidates in each, of targets in all.
    distinct : bool
        No candidate twice in a row: the lengths are multivariate hypergeometric, else multinomial.
    key : ndarray of int64
        Low and high word of the seed, stream.
    """
    lengths = np.empty(n_rows, np.int64)
    if distinct:
        _hypergeometric(lengths, candidates, total, key)
    else:
        _multinomial(lengths, total, key)
    return lengths


@njit(**_OPTIONS)
def _multinomial(lengths, total, key):
    words = np.empty(4, np.uint32)
    left = total
    for row in range(len(lengths) - 1):
        lengths[row] = binomial(left, 1.0 / (len(lengths) - row), row, key, words)
        left -= lengths[row]
    lengths[-1] = left


@njit(**_OPTIONS)
def _hypergeometric(lengths, candidates, total, key):
    """Independent binomial rows, of which as many uniformly chosen pairs are then dropped or added as needed.

    Given its size, an independent choice of pairs is uniform among all choices of that size, and stays so when a
    uniformly chosen pair is dropped or added. Fewer than some square roots of ``total`` are.
    """
    words = np.empty(4, np.uint32)
    p = total / (np.float64(len(lengths)) * candidates)
    missing = total
    for row in range(len(lengths)):
        lengths[row] = binomial(candidates, p, row, key, words)
        missing -= lengths[row]
    attempt = 0
    # No row will be longer, or shorter, than this bound when a row is accepted with length / bound.
    bound = lengths.max() if missing < 0 else candidates - lengths.min()
    while missing != 0:
        fill_words(words, attempt, 1, CORRECTIONS, 0, key)
        attempt += 1
        row = np.int64(_wide(words[0], words[1]) * len(lengths))
        chance = lengths[row] if missing < 0 else candidates - lengths[row]
        if _wide(words[2], words[3]) * bound < chance:
            lengths[row] += 1 if missing > 0 else -1
            missing += -1 if missing > 0 else 1


@njit(**_OPTIONS)
def _wide(high, low):
    """A number in (0, 1) of two words."""
    bits = (np.int64(high >> np.uint32(6)) << 26) | np.int64(low >> np.uint32(6))
    return (np.float64(bits) + 0.5) * 2.0**-52


@njit(**_OPTIONS)
def binomial(n, p, lane, key, words):
    """A binomial number of the lane: counting up for a mean below 10, else by transformed rejection.

    Hörmann (1993), The generation of binomial random variates, https://doi.org/10.1080/00949659308811496
    """
    if p >= 1.0:
        return n
    if p <= 0.0 or n <= 0:
        return 0
    flipped = p > 0.5
    if flipped:
        p = 1.0 - p
    k = _by_counting(n, p, lane, key, words) if n * p < 10.0 else _by_rejection(n, p, lane, key, words)
    return n - k if flipped else k


@njit(**_OPTIONS)
def _by_counting(n, p, lane, key, words):
    fill_words(words, 0, 1, ROW_LENGTHS, lane, key)
    u = _wide(words[0], words[1])
    odds = p / (1.0 - p)
    chance = exp_f64(n * log1p_f64(-p))
    k = 0
    while u > chance and k < n and chance > 0.0:
        u -= chance
        k += 1
        chance *= odds * ((n - k + 1) / np.float64(k))
    return k


@njit(**_OPTIONS)
def _by_rejection(n, p, lane, key, words):
    q = 1.0 - p
    deviation = np.sqrt(n * p * q)
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    squeeze = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * deviation
    log_odds = log_f64(p / q)
    mode = np.int64((n + 1) * p)
    at_mode = _log_factorial(mode) + _log_factorial(n - mode)
    attempt = 0
    while True:
        fill_words(words, attempt, 1, ROW_LENGTHS, lane, key)
        attempt += 1
        u = _wide(words[0], words[1]) - 0.5
        v = _wide(words[2], words[3])
        near = 0.5 - abs(u)
        x = np.floor((2.0 * a / near + b) * u + c)
        if x < 0.0 or x > n:
            continue
        k = np.int64(x)
        if near >= 0.07 and v <= squeeze:
            return k
        v = log_f64(v * alpha / (a / (near * near) + b))
        if v <= at_mode - _log_factorial(k) - _log_factorial(n - k) + (k - mode) * log_odds:
            return k


@njit(**_OPTIONS)
def _log_factorial(k):
    """By Stirling's series, to 1e-12 relative."""
    if k < 10:
        return _LOG_FACTORIAL[k]
    x = np.float64(k + 1)
    r = 1.0 / (x * x)
    tail = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - r / 1680.0) * r) * r) / x
    return (x - 0.5) * log_f64(x) - x + 0.9189385332046727 + tail
