# mypy: ignore-errors
"""Delays and weights of one row: one random word per synapse, by inversion of the distribution."""

import numpy as np

from .compiled import njit
from .math_float64 import exp_f64, log_f64
from .row_random import DELAYS, WEIGHTS, fill_words, open_uniform
from .row_recipe import (
    CONSTANT,
    DELAYS_GIVEN,
    EXPONENTIAL,
    GIVEN,
    GUIDE_BITS,
    HIGHEST,
    LOCATION,
    LOGNORMAL,
    LOWEST,
    LOWEST_P,
    MAX_BLOCKS,
    N_DELAYS,
    SCALE,
    SEED_LOW,
    SPAN_P,
    STREAM,
    UNIFORM,
    WEIGHT_KIND,
)

_OPTIONS = {"cache": True, "error_model": "numpy", "nogil": True}
_SHIFT = np.uint32(32 - GUIDE_BITS)
_MOST = np.uint32(0xFFFFFFFF)
_RARE = 1.3887943864964021e-11  # exp(-25)


@njit(**_OPTIONS)
def row_delays(ints, longs, delay_words, given, source, n, words, out):
    """Fill ``out`` with the delay numbers of ``n`` synapses."""
    n_delays = ints[N_DELAYS]
    if n_delays == 1:
        out[:n] = 0
        return
    if ints[DELAYS_GIVEN]:
        begin = longs[source]
        for j in range(n):
            out[j] = given[begin + j]
        return
    key = ints[SEED_LOW : STREAM + 1]
    for begin in range(0, n, 4 * MAX_BLOCKS):
        count = min(n - begin, 4 * MAX_BLOCKS)
        fill_words(words, begin // 4, (count + 3) // 4, DELAYS, source, key)
        for j in range(count):
            word = words[j]
            number = np.int64(delay_words[n_delays + np.int64(word >> _SHIFT)])
            while word > delay_words[number]:  # ends: the last entry is the largest word
                number += 1
            out[begin + j] = number


@njit(**_OPTIONS)
def row_weights(ints, floats, longs, given, source, n, words, out):
    """Fill ``out`` with the weights of ``n`` synapses."""
    kind = ints[WEIGHT_KIND]
    if kind == CONSTANT:
        for j in range(n):
            out[j] = floats[LOCATION]
        return
    if kind == GIVEN:
        begin = longs[source]
        for j in range(n):
            out[j] = given[begin + j]
        return
    key = ints[SEED_LOW : STREAM + 1]
    scale, location = floats[SCALE], floats[LOCATION]
    lowest_p, span_p = floats[LOWEST_P], floats[SPAN_P]
    # the least and the largest word
    common = _is_common(lowest_p + span_p * open_uniform(0)) and _is_common(lowest_p + span_p * open_uniform(_MOST))
    values = np.empty(4 * MAX_BLOCKS, np.float64)
    # in float32, as it is stored: rounding must not leave the bounds
    lowest, highest = np.float32(floats[LOWEST]), np.float32(floats[HIGHEST])
    for begin in range(0, n, 4 * MAX_BLOCKS):
        count = min(n - begin, 4 * MAX_BLOCKS)
        fill_words(words, begin // 4, (count + 3) // 4, WEIGHTS, source, key)
        for j in range(count):
            values[j] = lowest_p + span_p * open_uniform(words[j])
        # One short loop per kind, so that LLVM vectorises each.
        if kind == EXPONENTIAL:
            for j in range(count):
                values[j] = -log_f64(values[j])
        elif kind != UNIFORM and common:
            for j in range(count):
                values[j] = _common_quantile(values[j])
        elif kind != UNIFORM:
            for j in range(count):
                values[j] = normal_quantile(values[j])
        for j in range(count):
            values[j] = location + scale * values[j]
        if kind == LOGNORMAL:
            for j in range(count):
                values[j] = exp_f64(values[j])
        for j in range(count):
            out[begin + j] = min(max(np.float32(values[j]), lowest), highest)


@njit(**_OPTIONS)
def normal_quantile(p):
    """The standard normal number that is exceeded with probability 1 - p, to 1e-15.

    Wichura (1988), algorithm AS 241, https://doi.org/10.2307/2347330
    """
    if _is_common(p):
        return _common_quantile(p)
    r = np.sqrt(-log_f64(p if p < 0.5 else 1.0 - p)) - 5.0
    above = 2.01033439929228813265e-7
    above = above * r + 2.71155556874348757815e-5
    above = above * r + 1.24266094738807843860e-3
    above = above * r + 2.65321895265761230930e-2
    above = above * r + 2.96560571828504891230e-1
    above = above * r + 1.78482653991729133580e0
    above = above * r + 5.46378491116411436990e0
    above = above * r + 6.65790464350110377720e0
    below = 2.04426310338993978564e-15
    below = below * r + 1.42151175831644588870e-7
    below = below * r + 1.84631831751005468180e-5
    below = below * r + 7.86869131145613259100e-4
    below = below * r + 1.48753612908506148525e-2
    below = below * r + 1.36929880922735805310e-1
    below = below * r + 5.99832206555887937690e-1
    below = below * r + 1.0
    return -above / below if p < 0.5 else above / below


@njit(forceinline=True, **_OPTIONS)
def _is_common(p):
    """Whether neither tail beyond p is rarer than exp(-25)."""
    return p >= _RARE and 1.0 - p >= _RARE


@njit(forceinline=True, **_OPTIONS)
def _common_quantile(p):
    """The same for common numbers, without a branch."""
    q = p - 0.5
    r = 0.180625 - q * q
    above = 2.5090809287301226727e3
    above = above * r + 3.3430575583588128105e4
    above = above * r + 6.7265770927008700853e4
    above = above * r + 4.5921953931549871457e4
    above = above * r + 1.3731693765509461125e4
    above = above * r + 1.9715909503065514427e3
    above = above * r + 1.3314166789178437745e2
    above = above * r + 3.3871328727963666080e0
    below = 5.2264952788528545610e3
    below = below * r + 2.8729085735721942674e4
    below = below * r + 3.9307895800092710610e4
    below = below * r + 2.1213794301586595867e4
    below = below * r + 5.3941960214247511077e3
    below = below * r + 6.8718700749205790830e2
    below = below * r + 4.2313330701600911252e1
    below = below * r + 1.0
    central = q * above / below
    r = np.sqrt(-log_f64(min(p, 1.0 - p))) - 1.6
    above = 7.74545014278341407640e-4
    above = above * r + 2.27238449892691845833e-2
    above = above * r + 2.41780725177450611770e-1
    above = above * r + 1.27045825245236838258e0
    above = above * r + 3.64784832476320460504e0
    above = above * r + 5.76949722146069140550e0
    above = above * r + 4.63033784615654529590e0
    above = above * r + 1.42343711074968357734e0
    below = 1.05075007164441684324e-9
    below = below * r + 5.47593808499534494600e-4
    below = below * r + 1.51986665636164571966e-2
    below = below * r + 1.48103976427480074590e-1
    below = below * r + 6.89767334985100004550e-1
    below = below * r + 1.67638483018380384940e0
    below = below * r + 2.05319162663775882187e0
    below = below * r + 1.0
    tail = above / below
    tail = -tail if q < 0.0 else tail
    return central if abs(q) <= 0.425 else tail
