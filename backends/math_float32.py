"""Elementary functions of float32 without branches or calls, so that LLVM vectorises loops over them.

The float32 counterpart of `math_float64`: same reductions, shorter polynomials from the same fits. Numba
widens float32 with a Python float to float64 and int32 with anything to int64, which would halve the lanes:
constants are NumPy scalars and integer results are narrowed at once.
"""

import numpy as np
from numba import njit

from .intrinsics import bitcast_f32_i32, bitcast_i32_f32, fma_f32, maximum_f32, minimum_f32

# forceinline, not LLVM's size threshold: one call left in a loop body keeps the whole loop from vectorising.
_OPTIONS = {"cache": True, "forceinline": True, "error_model": "numpy"}
_f32, _i32 = np.float32, np.int32

_SIGN = _i32(-(2**31))
_EXPONENT = _i32(-(2**23))
_SMALLEST_NORMAL = _f32(2.0**-126)
_TO_NORMAL = _f32(2.0**25)
_ZERO, _HALF, _ONE, _TWO = _f32(0.0), _f32(0.5), _f32(1.0), _f32(2.0)
_INFINITY, _NAN = _f32(np.inf), _f32(np.nan)
# Adding 1.5 * 2**23 rounds to an integer and leaves that integer in the low bits.
_SHIFT = _f32(1.5 * 2.0**23)
_SHIFT_BITS = _i32(0x4B400000)
_SHIFT_EXP, _SHIFT_EXPM1, _SHIFT_TANH = _f32(_SHIFT + 254), _f32(_SHIFT + 126), _f32(_SHIFT + 127)
_SHIFT_SUBNORMAL = _f32(_SHIFT + 25)
_EXP_LIMIT, _EXP_LOWEST, _EXPM1_LARGEST, _EXPM1_LOWEST = _f32(160.0), _f32(-160.0), _f32(89.0), _f32(-20.0)
_EXPM1_TINY, _TANH_LIMIT = _f32(1e-9), _f32(10.0)
_LOG2_E = _f32(1.442695)
_LN2, _LN2_LOW = _f32(0.6931471824645996), _f32(-1.9046542121259336e-09)
_PI, _PI_LOW, _PI_LOWEST = (
    _f32(3.1415927410125732),
    _f32(-8.742277657347586e-08),
    _f32(-3.4302490200117637e-15),
)
_ONE_OVER_PI = _f32(0.31830987)
_SQRT_HALF_BITS = _i32(0x3F3504F3)
_TWO_BITS = _i32(0x40000000)
LARGEST_NARROW_EXP = _f32(80.0)  # whose exponential and its reciprocal are normal numbers
LARGEST_NARROW = _f32(0.34)  # below log(2) / 2, where no power of two is taken out
LARGEST_WIDE = _f32(0.5)  # of `wide_exprel`, which has a polynomial of its own
LARGEST_ANGLE = _f32(2.0**17)

# (exp(r) - 1 - r) / r**2 on |r| <= log(2) / 2; error of exp(r) - 1: 1.4e-8
_E2, _E3, _E4 = _f32(0.4999999701976776), _f32(0.1666654646396637), _f32(0.04166744649410248)
_E5, _E6 = _f32(0.008366248570382595), _f32(0.0013869678368791938)
# ((exp(x) - 1) / x - 1) / x on |x| <= 0.5; error of (exp(x) - 1) / x: 5.2e-9
_R1, _R2, _R3 = _f32(0.5000000596046448), _f32(0.1666666567325592), _f32(0.04166508838534355)
_R4, _R5, _R6 = _f32(0.008333363570272923), _f32(0.0014003906399011612), _f32(0.00019911289564333856)
# (log((1 + s) / (1 - s)) - 2 * s) / s**3 in s**2 on |s| <= 0.1716; error 1.6e-9
_L1, _L2, _L3 = _f32(0.6666677594184875), _f32(0.39977580308914185), _f32(0.29870927333831787)
# (sin(r) - r) / r**3 in r**2 on |r| <= 1.02 * pi / 2; error of sin(r): 7.5e-9
_S1, _S2 = _f32(-0.16666658222675323), _f32(0.00833303015679121)
_S3, _S4 = _f32(-0.00019806850468739867), _f32(2.5995068426709622e-06)


@njit(**_OPTIONS)
def _exp_tail(r, r2):
    """``(exp(r) - 1 - r) / r**2``; pairs of terms at once, which halves the chain of dependent operations."""
    q = fma_f32(r2, _E6, fma_f32(r, _E5, _E4))
    return fma_f32(r2, q, fma_f32(r, _E3, _E2))


@njit(**_OPTIONS)
def _log_tail(z):
    """``(log((1 + s) / (1 - s)) - 2 * s) / s**3`` with ``z = s**2``."""
    return fma_f32(z, fma_f32(z, _L3, _L2), _L1)


@njit(**_OPTIONS)
def _sin_reduced(r):
    """Sine on half a period, up to a rounding error above one."""
    z = r * r
    q = fma_f32(z, _S4, _S3)
    q = fma_f32(z, q, _S2)
    q = fma_f32(z, q, _S1)
    return fma_f32(r * z, q, r)


@njit(**_OPTIONS)
def exp_f32(x):
    """Exponential, within 1 ulp; subnormal results are rounded once."""
    # At the limits the two scalings below overflow and underflow.
    x = maximum_f32(minimum_f32(x, _EXP_LIMIT), _EXP_LOWEST)
    t = fma_f32(x, _LOG2_E, _SHIFT_EXP)
    k = _SHIFT_EXP - t
    r = fma_f32(k, _LN2_LOW, fma_f32(k, _LN2, x))
    r2 = r * r
    p = _ONE + fma_f32(r2, _exp_tail(r, r2), r)
    # The low bits hold k + 2 * 127: their two halves are the exponent fields of two factors of 2**k.
    bits = bitcast_f32_i32(t)
    half = _i32(bits >> 1)
    return p * bitcast_i32_f32(_i32(half << 23)) * bitcast_i32_f32(_i32(_i32(bits - half) << 23))


@njit(**_OPTIONS)
def narrow_exp_f32(x):
    """``exp_f32(x)``, the same bits, for ``abs(x) <= LARGEST_NARROW_EXP``: one scaling is enough."""
    t = fma_f32(x, _LOG2_E, _SHIFT_TANH)
    k = _SHIFT_TANH - t
    r = fma_f32(k, _LN2_LOW, fma_f32(k, _LN2, x))
    r2 = r * r
    p = _ONE + fma_f32(r2, _exp_tail(r, r2), r)
    return p * bitcast_i32_f32(_i32(bitcast_f32_i32(t) << 23))


@njit(**_OPTIONS)
def expm1_f32(x):
    """Exponential minus one, within 1.7 ulp; tiny arguments and the sign of zero are kept."""
    y = maximum_f32(minimum_f32(x, _EXPM1_LARGEST), _EXPM1_LOWEST)
    t = fma_f32(y, _LOG2_E, _SHIFT_EXPM1)
    k = _SHIFT_EXPM1 - t
    r = fma_f32(k, _LN2_LOW, fma_f32(k, _LN2, y))
    # 2**(k - 1), doubled at the end: 2**128 is not a number.
    scale = bitcast_i32_f32(_i32(bitcast_f32_i32(t) << 23))
    r2 = r * r
    half = fma_f32(scale, fma_f32(r2, _exp_tail(r, r2), r), scale - _HALF)
    # Halving a subnormal number and adding to zero would lose its last bit and the sign of zero.
    return x if abs(x) < _EXPM1_TINY else half + half


@njit(**_OPTIONS)
def magnitude_f32(x):
    """Bits of ``abs(x)``: integers in the order of the magnitudes, NaN above all."""
    return _i32(bitcast_f32_i32(x) & ~_SIGN)


@njit(**_OPTIONS)
def narrow_expm1_f32(x):
    """``expm1_f32(x)``, the same bits, for ``abs(x) <= LARGEST_NARROW``."""
    r2 = x * x
    y = fma_f32(r2, _exp_tail(x, r2), x)
    # The sum with +0 has lost the sign of -0.
    return bitcast_i32_f32(_i32(bitcast_f32_i32(y) | _i32(bitcast_f32_i32(x) & _SIGN)))


@njit(**_OPTIONS)
def exprel_f32(x):
    """``(exp(x) - 1) / x``, 1 at 0, within 2 ulp."""
    near = narrow_exprel_f32(x)
    return near if abs(x) <= LARGEST_NARROW else expm1_f32(x) / x


@njit(**_OPTIONS)
def narrow_exprel_f32(x):
    """``exprel_f32(x)``, the same bits, for ``abs(x) <= LARGEST_NARROW``: no division."""
    return fma_f32(x, _exp_tail(x, x * x), _ONE)


@njit(**_OPTIONS)
def wide_exprel_f32(x):
    """``exprel_f32(x)`` for arguments that often are beyond ``LARGEST_NARROW``, as where many conductances are open."""
    near = narrow_wide_exprel_f32(x)
    return near if abs(x) <= LARGEST_WIDE else expm1_f32(x) / x


@njit(**_OPTIONS)
def narrow_wide_exprel_f32(x):
    """``wide_exprel_f32(x)``, the same bits, for ``abs(x) <= LARGEST_WIDE``: no division."""
    x2 = x * x
    q = fma_f32(x2, fma_f32(x, _R6, _R5), fma_f32(x, _R4, _R3))
    return fma_f32(x, fma_f32(x2, q, fma_f32(x, _R2, _R1)), _ONE)


@njit(**_OPTIONS)
def log_f32(x):
    """Natural logarithm, within 1 ulp, subnormal arguments included."""
    subnormal = x < _SMALLEST_NORMAL
    bits = bitcast_f32_i32(x * _TO_NORMAL if subnormal else x)
    shifted = _i32(bits - _SQRT_HALF_BITS)
    n = bitcast_i32_f32(_i32((shifted >> 23) + _SHIFT_BITS)) - (_SHIFT_SUBNORMAL if subnormal else _SHIFT)
    f = bitcast_i32_f32(_i32(bits - _i32(shifted & _EXPONENT))) - _ONE
    s = f / (f + _TWO)
    z = s * s
    h = _HALF * f * f
    low = fma_f32(s, fma_f32(z, _log_tail(z), h), n * _LN2_LOW)
    y = fma_f32(n, _LN2, f - (h - low))
    y = y if x < _INFINITY else x
    return y if x > _ZERO else (-_INFINITY if x == _ZERO else _NAN)


@njit(**_OPTIONS)
def log1p_f32(x):
    """Natural logarithm of one plus the argument, within 1.1 ulp; the sign of zero is kept."""
    u = _ONE + x
    bits = bitcast_f32_i32(u)
    shifted = _i32(bits - _SQRT_HALF_BITS)
    power = _i32(shifted & _EXPONENT)
    # Minus the exponent: +0 times a negative number keeps the sign of a zero argument.
    n = _SHIFT - bitcast_i32_f32(_i32((shifted >> 23) + _SHIFT_BITS))
    v = u - _ONE
    lost = (_ONE - (u - v)) + (x - v)
    whole = power == 0
    f = x if whole else bitcast_i32_f32(_i32(bits - power)) - _ONE
    # The rounding error of u over u, the reciprocal of the mantissa 1 + f to first order.
    lost = _ZERO if whole else lost * bitcast_i32_f32(_i32(_TWO_BITS - power)) * fma_f32(-_HALF, f, _HALF)
    s = f / (f + _TWO)
    z = s * s
    h = _HALF * f * f
    low = fma_f32(s, fma_f32(z, _log_tail(z), h), fma_f32(n, -_LN2_LOW, lost))
    y = fma_f32(n, -_LN2, f - (h - low))
    y = y if u < _INFINITY else u
    return y if u > _ZERO else (-_INFINITY if u == _ZERO else _NAN)


@njit(**_OPTIONS)
def tanh_f32(x):
    """Hyperbolic tangent, within 1.5 ulp, exactly odd."""
    a = abs(x)
    a = _TANH_LIMIT if a > _TANH_LIMIT else a
    a = -_TWO * a
    # -m / (2 + m) with m = exp(-2 * abs(x)) - 1
    t = fma_f32(a, _LOG2_E, _SHIFT_TANH)
    k = _SHIFT_TANH - t
    r = fma_f32(k, _LN2_LOW, fma_f32(k, _LN2, a))
    scale = bitcast_i32_f32(_i32(bitcast_f32_i32(t) << 23))
    r2 = r * r
    e = r2 * _exp_tail(r, r2)
    h = fma_f32(scale, r, scale - _ONE)
    m = fma_f32(scale, e, h)
    m_low = fma_f32(scale, e, h - m) + fma_f32(scale, r, (scale - _ONE) - h)
    d = _TWO + m
    d_low = (m - (d - _TWO)) + m_low
    inverse = _ONE / d
    q = m * inverse
    # One Newton step that knows the rounding errors of m and d: without it they add up to more than 2 ulp.
    rest = fma_f32(-q, d, m) + fma_f32(-q, d_low, m_low)
    q = fma_f32(rest, inverse, q)
    return bitcast_i32_f32(_i32(bitcast_f32_i32(abs(q)) | _i32(bitcast_f32_i32(x) & _SIGN)))


@njit(**_OPTIONS)
def sin_f32(x):
    """Sine, within 1.8 ulp and exactly odd for ``abs(x) <= LARGEST_ANGLE``; NaN beyond."""
    a = abs(x)
    t = fma_f32(a, _ONE_OVER_PI, _SHIFT)
    n = _SHIFT - t
    r = fma_f32(n, _PI_LOWEST, fma_f32(n, _PI_LOW, fma_f32(n, _PI, a)))
    sign = _i32(_i32(bitcast_f32_i32(t) << 31) ^ _i32(bitcast_f32_i32(x) & _SIGN))
    y = bitcast_i32_f32(_i32(bitcast_f32_i32(_sin_reduced(r)) ^ sign))
    y = _ONE if y > _ONE else y
    y = -_ONE if y < -_ONE else y
    return y if a <= LARGEST_ANGLE else _NAN


@njit(**_OPTIONS)
def cos_f32(x):
    """Cosine, within 1.8 ulp and exactly even for ``abs(x) <= LARGEST_ANGLE``; NaN beyond."""
    a = abs(x)
    # cos(a) = (-1)**n * sin((n + 1/2) * pi - a)
    t = fma_f32(a, _ONE_OVER_PI, -_HALF) + _SHIFT
    n = (t - _SHIFT) + _HALF
    r = fma_f32(n, _PI_LOWEST, fma_f32(n, _PI_LOW, fma_f32(n, _PI, -a)))
    y = bitcast_i32_f32(_i32(bitcast_f32_i32(_sin_reduced(r)) ^ _i32(bitcast_f32_i32(t) << 31)))
    y = _ONE if y > _ONE else y
    y = -_ONE if y < -_ONE else y
    return y if a <= LARGEST_ANGLE else _NAN
