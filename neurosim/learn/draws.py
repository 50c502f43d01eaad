"""Random numbers for learning, on the host: the same bits on every machine and for every array library.

A number is a pure function of (seed, purpose, series, member, its place): word ``place % 4`` of Philox4x32-10 with

    counter = (place // 4, series, 3·2³⁰ + purpose, member)    key = (low word, high word of the seed),

where ``series`` numbers what is drawn for one purpose (the parameters of a layer, the order of an epoch) and
``member`` the network of an ensemble. The third word keeps them apart from stimuli (below 2³¹) and synapses (from 2³¹
on). A member draws the same numbers alone as among others. Only integers and IEEE sums, products, quotients and
square roots are used, each rounded by itself.
"""

from __future__ import annotations

import numpy as np

from neurosim.backends.philox import philox4x32, seed_words

PURPOSES = ("parameters", "order", "outputs", "data")
THIRD_WORD = 3 << 30
_SCALE = 2.0**-32


def words(seed: int, purpose: str, n: int, *, series: int = 0, member: int = 0) -> np.ndarray:
    """``n`` whole numbers from 0 to 2³² − 1, int64."""
    blocks = np.arange(-(-n // 4), dtype=np.int64)
    counter = (blocks, series, THIRD_WORD + PURPOSES.index(purpose), member)
    return np.stack(philox4x32(counter, seed_words(seed)), axis=1).reshape(-1)[:n]


def uniform(seed: int, purpose: str, n: int, *, series: int = 0, member: int = 0) -> np.ndarray:
    """``n`` numbers in (0, 1), float64: the middles of 2³² equal parts."""
    return (words(seed, purpose, n, series=series, member=member) + 0.5) * _SCALE


def normal(seed: int, purpose: str, n: int, *, series: int = 0, member: int = 0) -> np.ndarray:
    """``n`` standard normal numbers, float64: quantiles of :func:`uniform`."""
    return normal_quantile(uniform(seed, purpose, n, series=series, member=member))


def permutation(seed: int, purpose: str, n: int, *, series: int = 0, member: int = 0) -> np.ndarray:
    """The numbers from 0 to n − 1 in random order, int64."""
    pairs = words(seed, purpose, 2 * n, series=series, member=member)
    # 62 bits of a key: two are equal about once in 2⁶²/n² epochs, and then stay in their order
    return np.argsort(((pairs[0::2] >> 1) << 31) | (pairs[1::2] >> 1), kind="stable")


# Wichura (1988), algorithm AS 241, https://doi.org/10.2307/2347330; lowest power first.
_CENTRE = (
    (
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
_TAIL = (
    (
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)


def _ratio(polynomials: tuple[tuple[float, ...], tuple[float, ...]], x: np.ndarray) -> np.ndarray:
    values = []
    for coefficients in polynomials:
        value = np.full_like(x, coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            value = value * x + coefficient
        values.append(value)
    return values[0] / values[1]


def _log(x: np.ndarray) -> np.ndarray:
    """Logarithm by its own series, because libraries and processors differ in the last bit of theirs."""
    fraction, exponent = np.frexp(x)  # x = fraction · 2^exponent, ½ ≤ fraction < 1
    low = fraction < np.sqrt(0.5)
    fraction, exponent = np.where(low, 2.0 * fraction, fraction), np.where(low, exponent - 1, exponent)
    s = (fraction - 1.0) / (fraction + 1.0)  # |s| ≤ 0.1716: log(fraction) = 2 (s + s³/3 + s⁵/5 + …)
    z = s * s
    series = np.zeros_like(s)
    for odd in range(21, 1, -2):
        series = (series + 1.0 / odd) * z
    return exponent * 0.6931471805599453 + 2.0 * s * (1.0 + series)


def normal_quantile(p: np.ndarray) -> np.ndarray:
    """The standard normal number that is exceeded with probability 1 − p, to 2e-15; p from 1e-11 to 1 − 1e-11."""
    q = p - 0.5
    centre = np.abs(q) <= 0.425
    values = q * _ratio(_CENTRE, np.where(centre, 0.180625 - q * q, 0.0))
    # Most numbers need no logarithm.
    outside = np.flatnonzero(~centre)
    tail = np.minimum(p[outside], 1.0 - p[outside])
    far = _ratio(_TAIL, np.sqrt(-_log(tail)) - 1.6)
    values[outside] = np.where(q[outside] < 0.0, -far, far)
    return values
