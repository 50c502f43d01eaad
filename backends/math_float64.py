"""Elementary functions of float64 without branches or calls, so that LLVM vectorises loops over them.

Reductions are the classical ones; the polynomials were fitted for this file with mpmath at 300 bits:
minimax in relative error on the reduced interval (Remez, or linear programming where a fixed leading term
breaks alternation), rounding one coefficient at a time to float64 and fitting the rest again.
"""

import numpy as np
from numba import njit

from .intrinsics import bitcast_f64_i64, bitcast_i64_f64, fma_f64, maximum_f64, minimum_f64

# forceinline, not LLVM's size threshold: one call left in a loop body keeps the whole loop from vectorising.
_OPTIONS = {"cache": True, "forceinline": True, "error_model": "numpy"}

_SIGN = np.int64(-(2**63))
_EXPONENT = np.int64(-(2**52))
_SMALLEST_NORMAL = 2.0**-1022
# Adding 1.5 * 2**52 rounds to an integer and leaves that integer in the low bits.
_SHIFT = 1.5 * 2.0**52
_SHIFT_BITS = np.int64(0x4338000000000000)
_LOG2_E = 1.4426950408889634
_LN2, _LN2_LOW = 0.6931471805599453, 2.3190468138462996e-17
_PI, _PI_LOW, _PI_LOWEST = 3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33
_ONE_OVER_PI = 0.3183098861837907
_SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
_TWO_BITS = np.int64(0x4000000000000000)
LARGEST_NARROW_EXP = 700.0  # whose exponential and its reciprocal are normal numbers
LARGEST_NARROW = 0.34  # below log(2) / 2, where no power of two is taken out
LARGEST_WIDE = 0.5  # of `wide_exprel`, which has a polynomial of its own
LARGEST_ANGLE = 2.0**40

# (exp(r) - 1 - r) / r**2 on |r| <= log(2) / 2; error of exp(r) - 1: 1.8e-17
_E2, _E3, _E4, _E5 = 0.5000000000000006, 0.1666666666666665, 0.041666666666576264, 0.008333333333359977
_E6, _E7, _E8 = 0.001388888893137934, 0.00019841269770746604, 2.4801505635744624e-05
_E9, _E10, _E11 = 2.7557369048756933e-06, 2.7625874647234794e-07, 2.5064149427628858e-08
# ((exp(x) - 1) / x - 1) / x on |x| <= 0.5; error of (exp(x) - 1) / x: 2.4e-17
_R1, _R2, _R3 = 0.5000000000000001, 0.16666666666667057, 0.04166666666665798
_R4, _R5, _R6 = 0.008333333333113141, 0.0013888888890751189, 0.0001984127024604448
_R7, _R8, _R9 = 2.480158573782861e-05, 2.7556994120114164e-06, 2.7557830032921615e-07
_R10, _R11 = 2.5170651999602056e-08, 2.0853139922954017e-09
# (log((1 + s) / (1 - s)) - 2 * s) / s**3 in s**2 on |s| <= 0.1716; error 2.7e-18
_L1, _L2, _L3, _L4 = 0.6666666666666734, 0.3999999999941652, 0.28571428742073834, 0.22222198598874898
_L5, _L6, _L7 = 0.18183563238582676, 0.15314073429143926, 0.14795759939207834
# (sin(r) - r) / r**3 in r**2 on |r| <= 1.02 * pi / 2; error of sin(r): 4.5e-19
_S1, _S2, _S3 = -0.16666666666666666, 0.008333333333333193, -0.00019841269841204683
_S4, _S5, _S6 = 2.7557319209930804e-06, -2.5052106735220524e-08, 1.605893179620921e-10
_S7, _S8 = -7.642766077566843e-13, 2.71864157959496e-15


@njit(**_OPTIONS)
def _exp_tail(r, r2):
    """``(exp(r) - 1 - r) / r**2``; pairs of terms at once, which halves the chain of dependent operations."""
    q = fma_f64(r2, fma_f64(r, _E11, _E10), fma_f64(r, _E9, _E8))
    q = fma_f64(r2, q, fma_f64(r, _E7, _E6))
    q = fma_f64(r2, q, fma_f64(r, _E5, _E4))
    return fma_f64(r2, q, fma_f64(r, _E3, _E2))


@njit(**_OPTIONS)
def _log_tail(z):
    """``(log((1 + s) / (1 - s)) - 2 * s) / s**3`` with ``z = s**2``."""
    q = fma_f64(z, _L7, _L6)
    q = fma_f64(z, q, _L5)
    q = fma_f64(z, q, _L4)
    q = fma_f64(z, q, _L3)
    q = fma_f64(z, q, _L2)
    return fma_f64(z, q, _L1)


@njit(**_OPTIONS)
def _sin_reduced(r):
    """Sine on half a period, up to a rounding error above one."""
    z = r * r
    q = fma_f64(z, _S8, _S7)
    q = fma_f64(z, q, _S6)
    q = fma_f64(z, q, _S5)
    q = fma_f64(z, q, _S4)
    q = fma_f64(z, q, _S3)
    q = fma_f64(z, q, _S2)
    q = fma_f64(z, q, _S1)
    return fma_f64(r * z, q, r)


@njit(**_OPTIONS)
def exp_f64(x):
    """Exponential, within 1 ulp; subnormal results are rounded once."""
    # At the limits the two scalings below overflow and underflow.
    x = maximum_f64(minimum_f64(x, 1000.0), -1000.0)
    t = fma_f64(x, _LOG2_E, _SHIFT + 2046.0)
    k = (_SHIFT + 2046.0) - t
    r = fma_f64(k, _LN2_LOW, fma_f64(k, _LN2, x))
    r2 = r * r
    p = 1.0 + fma_f64(r2, _exp_tail(r, r2), r)
    # The low bits hold k + 2 * 1023: their two halves are the exponent fields of two factors of 2**k.
    bits = bitcast_f64_i64(t)
    half = bits >> 1
    return p * bitcast_i64_f64(half << 52) * bitcast_i64_f64((bits - half) << 52)


@njit(**_OPTIONS)
def narrow_exp_f64(x):
    """``exp_f64(x)``, the same bits, for ``abs(x) <= LARGEST_NARROW_EXP``: one scaling is enough."""
    t = fma_f64(x, _LOG2_E, _SHIFT + 1023.0)
    k = (_SHIFT + 1023.0) - t
    r = fma_f64(k, _LN2_LOW, fma_f64(k, _LN2, x))
    r2 = r * r
    p = 1.0 + fma_f64(r2, _exp_tail(r, r2), r)
    return p * bitcast_i64_f64(bitcast_f64_i64(t) << 52)


@njit(**_OPTIONS)
def expm1_f64(x):
    """Exponential minus one, within 1.7 ulp; tiny arguments and the sign of zero are kept."""
    y = maximum_f64(minimum_f64(x, 710.0), -40.0)
    t = fma_f64(y, _LOG2_E, _SHIFT + 1022.0)
    k = (_SHIFT + 1022.0) - t
    r = fma_f64(k, _LN2_LOW, fma_f64(k, _LN2, y))
    # 2**(k - 1), doubled at the end: 2**1024 is not a number.
    scale = bitcast_i64_f64(bitcast_f64_i64(t) << 52)
    r2 = r * r
    half = fma_f64(scale, fma_f64(r2, _exp_tail(r, r2), r), scale - 0.5)
    # Halving a subnormal number and adding to zero would lose its last bit and the sign of zero.
    return x if abs(x) < 1e-17 else half + half


@njit(**_OPTIONS)
def magnitude_f64(x):
    """Bits of ``abs(x)``: integers in the order of the magnitudes, NaN above all."""
    return bitcast_f64_i64(x) & ~_SIGN


@njit(**_OPTIONS)
def narrow_expm1_f64(x):
    """``expm1_f64(x)``, the same bits, for ``abs(x) <= LARGEST_NARROW``."""
    r2 = x * x
    y = fma_f64(r2, _exp_tail(x, r2), x)
    # The sum with +0 has lost the sign of -0.
    return bitcast_i64_f64(bitcast_f64_i64(y) | (bitcast_f64_i64(x) & _SIGN))


@njit(**_OPTIONS)
def exprel_f64(x):
    """``(exp(x) - 1) / x``, 1 at 0, within 2 ulp."""
    near = narrow_exprel_f64(x)
    return near if abs(x) <= LARGEST_NARROW else expm1_f64(x) / x


@njit(**_OPTIONS)
def narrow_exprel_f64(x):
    """``exprel_f64(x)``, the same bits, for ``abs(x) <= LARGEST_NARROW``: no division."""
    return fma_f64(x, _exp_tail(x, x * x), 1.0)


@njit(**_OPTIONS)
def wide_exprel_f64(x):
    """``exprel_f64(x)`` for arguments that often are beyond ``LARGEST_NARROW``, as where many conductances are open."""
    near = narrow_wide_exprel_f64(x)
    return near if abs(x) <= LARGEST_WIDE else expm1_f64(x) / x


@njit(**_OPTIONS)
def narrow_wide_exprel_f64(x):
    """``wide_exprel_f64(x)``, the same bits, for ``abs(x) <= LARGEST_WIDE``: no division."""
    x2 = x * x
    q = fma_f64(x2, _R11, fma_f64(x, _R10, _R9))
    q = fma_f64(x2, q, fma_f64(x, _R8, _R7))
    q = fma_f64(x2, q, fma_f64(x, _R6, _R5))
    q = fma_f64(x2, q, fma_f64(x, _R4, _R3))
    return fma_f64(x, fma_f64(x2, q, fma_f64(x, _R2, _R1)), 1.0)


@njit(**_OPTIONS)
def log_f64(x):
    """Natural logarithm, within 1 ulp, subnormal arguments included."""
    subnormal = x < _SMALLEST_NORMAL
    bits = bitcast_f64_i64(x * 2.0**54 if subnormal else x)
    shifted = bits - _SQRT_HALF_BITS
    n = bitcast_i64_f64((shifted >> 52) + _SHIFT_BITS) - (_SHIFT + 54.0 if subnormal else _SHIFT)
    f = bitcast_i64_f64(bits - (shifted & _EXPONENT)) - 1.0
    s = f / (f + 2.0)
    z = s * s
    h = 0.5 * f * f
    low = fma_f64(s, fma_f64(z, _log_tail(z), h), n * _LN2_LOW)
    y = fma_f64(n, _LN2, f - (h - low))
    y = y if x < np.inf else x
    return y if x > 0.0 else (-np.inf if x == 0.0 else np.nan)


@njit(**_OPTIONS)
def log1p_f64(x):
    """Natural logarithm of one plus the argument, within 1.1 ulp; the sign of zero is kept."""
    u = 1.0 + x
    bits = bitcast_f64_i64(u)
    shifted = bits - _SQRT_HALF_BITS
    power = shifted & _EXPONENT
    # Minus the exponent: +0 times a negative number keeps the sign of a zero argument.
    n = _SHIFT - bitcast_i64_f64((shifted >> 52) + _SHIFT_BITS)
    v = u - 1.0
    lost = (1.0 - (u - v)) + (x - v)
    whole = power == 0
    f = x if whole else bitcast_i64_f64(bits - power) - 1.0
    # The rounding error of u over u, the reciprocal of the mantissa 1 + f to first order.
    lost = 0.0 if whole else lost * bitcast_i64_f64(_TWO_BITS - power) * fma_f64(-0.5, f, 0.5)
    s = f / (f + 2.0)
    z = s * s
    h = 0.5 * f * f
    low = fma_f64(s, fma_f64(z, _log_tail(z), h), fma_f64(n, -_LN2_LOW, lost))
    y = fma_f64(n, -_LN2, f - (h - low))
    y = y if u < np.inf else u
    return y if u > 0.0 else (-np.inf if u == 0.0 else np.nan)


@njit(**_OPTIONS)
def tanh_f64(x):
    """Hyperbolic tangent, within 1.5 ulp, exactly odd."""
    a = abs(x)
    a = 20.0 if a > 20.0 else a
    a = -2.0 * a
    # -m / (2 + m) with m = exp(-2 * abs(x)) - 1
    t = fma_f64(a, _LOG2_E, _SHIFT + 1023.0)
    k = (_SHIFT + 1023.0) - t
    r = fma_f64(k, _LN2_LOW, fma_f64(k, _LN2, a))
    scale = bitcast_i64_f64(bitcast_f64_i64(t) << 52)
    r2 = r * r
    e = r2 * _exp_tail(r, r2)
    h = fma_f64(scale, r, scale - 1.0)
    m = fma_f64(scale, e, h)
    m_low = fma_f64(scale, e, h - m) + fma_f64(scale, r, (scale - 1.0) - h)
    d = 2.0 + m
    d_low = (m - (d - 2.0)) + m_low
    inverse = 1.0 / d
    q = m * inverse
    # One Newton step that knows the rounding errors of m and d: without it they add up to more than 2 ulp.
    rest = fma_f64(-q, d, m) + fma_f64(-q, d_low, m_low)
    q = fma_f64(rest, inverse, q)
    return bitcast_i64_f64(bitcast_f64_i64(abs(q)) | (bitcast_f64_i64(x) & _SIGN))


@njit(**_OPTIONS)
def sin_f64(x):
    """Sine, within 1.8 ulp and exactly odd for ``abs(x) <= LARGEST_ANGLE``; NaN beyond."""
    a = abs(x)
    t = fma_f64(a, _ONE_OVER_PI, _SHIFT)
    n = _SHIFT - t
    r = fma_f64(n, _PI_LOWEST, fma_f64(n, _PI_LOW, fma_f64(n, _PI, a)))
    sign = (bitcast_f64_i64(t) << 63) ^ (bitcast_f64_i64(x) & _SIGN)
    y = bitcast_i64_f64(bitcast_f64_i64(_sin_reduced(r)) ^ sign)
    y = 1.0 if y > 1.0 else y
    y = -1.0 if y < -1.0 else y
    return y if a <= LARGEST_ANGLE else np.nan


@njit(**_OPTIONS)
def cos_f64(x):
    """Cosine, within 1.8 ulp and exactly even for ``abs(x) <= LARGEST_ANGLE``; NaN beyond."""
    a = abs(x)
    # cos(a) = (-1)**n * sin((n + 1/2) * pi - a)
    t = fma_f64(a, _ONE_OVER_PI, -0.5) + _SHIFT
    n = (t - _SHIFT) + 0.5
    r = fma_f64(n, _PI_LOWEST, fma_f64(n, _PI_LOW, fma_f64(n, _PI, -a)))
    y = bitcast_i64_f64(bitcast_f64_i64(_sin_reduced(r)) ^ (bitcast_f64_i64(t) << 63))
    y = 1.0 if y > 1.0 else y
    y = -1.0 if y < -1.0 else y
    return y if a <= LARGEST_ANGLE else np.nan
