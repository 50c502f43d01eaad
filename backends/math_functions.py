"""Elementary functions for generated kernels: compiled, branch-free, vectorised by LLVM.

Numba has no vector math library since 0.62: ``math.exp`` in a loop is one call to libm per element. These
functions are arithmetic, selects and bit operations only, are inlined into the loop that calls them, and so
are vectorised with it. Products and sums are fused only where the source says so, hence results have the
same bits on every CPU, in a vector and alone.

``exprel(x)`` is ``expm1(x) / x``, which a trace pass finds in formulas: near 0 it needs no division.

``FUNCTIONS`` maps ``(name, dtype name)`` to the function. Pass exactly that type: the float32 functions
refuse float64 rather than compute in it. All are within 2 ulp of the true value over the whole range,
subnormal numbers included; special values are those of C99. The sine and cosine hold this up to
``LARGEST_ANGLE[dtype name]`` in magnitude and are NaN beyond, never a wrong number.

Largest errors seen, in ulp, against extended precision for 5.6 million float64 arguments of all magnitudes
and against float64 for float32:

======= ======== ======= ========================================================
name    float64  float32 method
======= ======== ======= ========================================================
exp     0.89     0.86    polynomial on ``abs(r) <= log(2) / 2``, two scalings
expm1   1.56     1.28    same polynomial, ``2**k * p + (2**k - 1)``
exprel  1.48     1.75    same polynomial near 0, `expm1` over ``x`` elsewhere
wider   1.51     1.75    polynomial on ``abs(x) <= 0.5``, else the same
log     0.85     0.84    odd polynomial in ``f / (2 + f)``
log1p   0.99     1.04    `log` with the rounding error of ``1 + x`` added back
tanh    1.42     1.42    `expm1` in two parts, one Newton step on the quotient
sin     1.62     1.72    pi in three parts, odd polynomial on half a period
cos     1.70     1.72    same, shifted by half of pi
======= ======== ======= ========================================================

Coefficients: see `math_float64`. A kernel that Numba caches on disk holds a copy of these functions and
does not notice when they change.
"""

from .math_float32 import LARGEST_ANGLE as _LARGEST_ANGLE_F32
from .math_float32 import LARGEST_NARROW as _LARGEST_NARROW_F32
from .math_float32 import LARGEST_NARROW_EXP as _LARGEST_NARROW_EXP_F32
from .math_float32 import LARGEST_WIDE as _LARGEST_WIDE_F32
from .math_float32 import (
    cos_f32,
    exp_f32,
    expm1_f32,
    exprel_f32,
    log1p_f32,
    log_f32,
    magnitude_f32,
    narrow_exp_f32,
    narrow_expm1_f32,
    narrow_exprel_f32,
    narrow_wide_exprel_f32,
    sin_f32,
    tanh_f32,
    wide_exprel_f32,
)
from .math_float64 import LARGEST_ANGLE as _LARGEST_ANGLE_F64
from .math_float64 import LARGEST_NARROW as _LARGEST_NARROW_F64
from .math_float64 import LARGEST_NARROW_EXP as _LARGEST_NARROW_EXP_F64
from .math_float64 import LARGEST_WIDE as _LARGEST_WIDE_F64
from .math_float64 import (
    cos_f64,
    exp_f64,
    expm1_f64,
    exprel_f64,
    log1p_f64,
    log_f64,
    magnitude_f64,
    narrow_exp_f64,
    narrow_expm1_f64,
    narrow_exprel_f64,
    narrow_wide_exprel_f64,
    sin_f64,
    tanh_f64,
    wide_exprel_f64,
)

__all__ = ["FUNCTIONS", "LARGEST_ANGLE", "NARROW", "magnitude_f32", "magnitude_f64"]

FUNCTIONS = {
    ("exp", "float64"): exp_f64,
    ("exp", "float32"): exp_f32,
    ("expm1", "float64"): expm1_f64,
    ("exprel", "float64"): exprel_f64,
    ("wide_exprel", "float64"): wide_exprel_f64,
    ("expm1", "float32"): expm1_f32,
    ("exprel", "float32"): exprel_f32,
    ("wide_exprel", "float32"): wide_exprel_f32,
    ("log", "float64"): log_f64,
    ("log", "float32"): log_f32,
    ("log1p", "float64"): log1p_f64,
    ("log1p", "float32"): log1p_f32,
    ("tanh", "float64"): tanh_f64,
    ("tanh", "float32"): tanh_f32,
    ("sin", "float64"): sin_f64,
    ("sin", "float32"): sin_f32,
    ("cos", "float64"): cos_f64,
    ("cos", "float32"): cos_f32,
}
# Shorter versions with the same bits for arguments up to a magnitude, which stands with them.
NARROW = {
    "float64": {
        "exp": (narrow_exp_f64, float(_LARGEST_NARROW_EXP_F64)),
        "expm1": (narrow_expm1_f64, float(_LARGEST_NARROW_F64)),
        "exprel": (narrow_exprel_f64, float(_LARGEST_NARROW_F64)),
        "wide_exprel": (narrow_wide_exprel_f64, float(_LARGEST_WIDE_F64)),
    },
    "float32": {
        "exp": (narrow_exp_f32, float(_LARGEST_NARROW_EXP_F32)),
        "expm1": (narrow_expm1_f32, float(_LARGEST_NARROW_F32)),
        "exprel": (narrow_exprel_f32, float(_LARGEST_NARROW_F32)),
        "wide_exprel": (narrow_wide_exprel_f32, float(_LARGEST_WIDE_F32)),
    },
}
LARGEST_ANGLE = {"float64": float(_LARGEST_ANGLE_F64), "float32": float(_LARGEST_ANGLE_F32)}
