"""Accuracy, special values and vectorisation of the compiled elementary functions."""

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numba.core.errors import TypingError

from neurosim.backends.math_functions import FUNCTIONS, LARGEST_ANGLE, NARROW

INF, NAN = np.inf, np.nan
EVERY = pytest.mark.parametrize(("name", "dtype"), list(FUNCTIONS))
FLOAT64 = pytest.mark.parametrize("name", [name for name, dtype in FUNCTIONS if dtype == "float64"])
FLOAT32 = pytest.mark.parametrize("name", [name for name, dtype in FUNCTIONS if dtype == "float32"])
BOTH = pytest.mark.parametrize("dtype", sorted({dtype for _, dtype in FUNCTIONS}))
SPECIAL = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (-INF, 0.0), (INF, INF), (NAN, NAN), (1e30, INF), (-1e30, 0.0)],
    "expm1": [(-INF, -1.0), (INF, INF), (NAN, NAN), (-1e30, -1.0), (1e30, INF)],
    "log": [
        (0.0, -INF),
        (-0.0, -INF),
        (1.0, 0.0),
        (-1.0, NAN),
        (-1e-40, NAN),
        (-INF, NAN),
        (INF, INF),
        (NAN, NAN),
    ],
    "log1p": [(-1.0, -INF), (-1.5, NAN), (-INF, NAN), (INF, INF), (NAN, NAN)],
    "tanh": [(INF, 1.0), (-INF, -1.0), (30.0, 1.0), (-30.0, -1.0), (NAN, NAN)],
    "sin": [(INF, NAN), (-INF, NAN), (NAN, NAN), (1e30, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (1e30, NAN)],
    "exprel": [(0.0, 1.0), (-0.0, 1.0), (1e-300, 1.0), (-INF, 0.0), (NAN, NAN), (1e30, INF)],
}
SPECIAL["wide_exprel"] = SPECIAL["exprel"]
LARGEST_EXPREL = {"float64": 709.7, "float32": 88.7}  # it overflows with expm1, a little early
KEEP_TINY = {"expm1", "log1p", "tanh", "sin"}
loops = {}


def compiled_loop(name, dtype):
    """The function in a loop over two arrays, compiled once."""
    if (name, dtype) not in loops:
        function = FUNCTIONS[name, dtype]

        @njit(f"void({dtype}[::1], {dtype}[::1])", error_model="numpy")
        def loop(x, y):
            for i in range(x.size):
                y[i] = function(x[i])

        loops[name, dtype] = loop
    return loops[name, dtype]


def evaluate(name, dtype, x):
    x = np.ascontiguousarray(x, dtype=dtype)
    y = np.empty_like(x)
    compiled_loop(name, dtype)(x, y)
    return y


def neighbours(x, count, dtype="float64"):
    """Every value with the ``count`` numbers on either side of it."""
    below, above = [np.asarray(x, dtype)], [np.asarray(x, dtype)]
    for _ in range(count):
        below.append(np.nextafter(below[-1], np.asarray(-INF, dtype)))
        above.append(np.nextafter(above[-1], np.asarray(INF, dtype)))
    return np.concatenate(below + above[1:])


def float64_arguments():
    random = np.random.default_rng(1)
    scales = np.ldexp(1.0, np.arange(-1074, 1024, 3))
    binades = np.concatenate([scales, scales * random.uniform(1, 2, scales.size)])
    near_zero = np.exp(random.uniform(-40, 5, 1500)) * random.choice([-1, 1], 1500)
    ln2, pi = float(mpmath.ln2), float(mpmath.pi)
    edges = [
        np.sqrt(0.5),
        np.sqrt(2.0),
        np.sqrt(0.5) - 1,
        np.sqrt(2.0) - 1,
        1.0,
        -1.0,
        19.06,
        -37.43,
        1e-17,
        ln2,
    ]
    edges = neighbours(edges, 4)
    log2_steps = neighbours(np.arange(-2160, 2060, 37) * (ln2 / 2), 1)
    turns = neighbours(np.rint(np.exp2(random.uniform(0, 39, 400))) * (pi / 2), 1)
    limits = np.concatenate([random.uniform(709, 710, 200), random.uniform(-746, -708, 800)])
    plain = np.concatenate([random.uniform(-3, 3, 1500), random.uniform(0.5, 2, 500), 1 / turns])
    return np.concatenate([binades, -binades, near_zero, edges, log2_steps, turns, limits, plain])


def of_mpmath(name):
    """The function for one number of any precision."""
    return (lambda x: mpmath.expm1(x) / x if x else mpmath.mpf(1)) if name.endswith("exprel") else getattr(mpmath, name)


def of_numpy(name):
    """The function for arrays of float64."""
    return scipy.special.exprel if name.endswith("exprel") else getattr(np, name)


def check_float64(name, x, y):
    """Error in units of the last place of the exact value, 0 or infinity where that is not finite."""
    if name in ("sin", "cos") and abs(x) > LARGEST_ANGLE["float64"]:
        return 0.0 if np.isnan(y) else INF
    exact = of_mpmath(name)(mpmath.mpf(x))
    if isinstance(exact, mpmath.mpc):
        return 0.0 if np.isnan(y) else INF
    if abs(exact) >= mpmath.mpf(2) ** 1024 - mpmath.mpf(2) ** 970:
        return 0.0 if y == np.sign(float(mpmath.sign(exact))) * INF else INF
    exponent = max(int(mpmath.frexp(exact)[1]), -1021)
    return float(abs(mpmath.mpf(y) - exact) / mpmath.ldexp(1, exponent - 53)) if np.isfinite(y) else INF


@FLOAT64
def test_float64_within_two_ulp(name):
    x = float64_arguments()
    x = x[(x != -1) & (x != 0)] if name.startswith("log") else x
    if "exp" in name:
        # mpmath would compute the whole integer part of huge results
        x = x[np.abs(x) < 1e4]
    if name.endswith("exprel"):
        x = x[x < LARGEST_EXPREL["float64"]]
    y = evaluate(name, "float64", x)
    with mpmath.workprec(120):
        errors = [check_float64(name, float(a), float(b)) for a, b in zip(x, y, strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= 2, (float(x[worst]), float(y[worst]))


@FLOAT32
def test_float32_within_two_ulp(name):
    sample = np.arange(0, 2**32, 997, dtype=np.uint32).view(np.float32)
    turns = neighbours((np.arange(80_000) * (np.pi / 2)).astype(np.float32), 1, "float32")
    x = np.concatenate([sample, turns, np.linspace(-104, 89, 200_000, dtype=np.float32)])
    if name.endswith("exprel"):
        x = x[~(x >= LARGEST_EXPREL["float32"])]
    y = evaluate(name, "float32", x).astype(np.float64)
    with np.errstate(all="ignore"):
        exact = of_numpy(name)(x.astype(np.float64))
        rounded = exact.astype(np.float32)
    if name in ("sin", "cos"):
        rounded[np.abs(x) > LARGEST_ANGLE["float32"]] = NAN
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    exponent = np.maximum(np.frexp(exact[finite])[1], -125)
    errors = np.abs(y[finite] - exact[finite]) / np.ldexp(1.0, exponent - 24)
    worst = np.argmax(errors)
    assert errors[worst] <= 2, x[finite][worst]


@EVERY
def test_special_values(name, dtype):
    x, expected = np.array(SPECIAL[name]).astype(dtype).T
    y = evaluate(name, dtype, x)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(np.signbit(y[y == 0]), False)


@EVERY
def test_tiny_arguments_and_signed_zero_are_kept(name, dtype):
    limits = np.finfo(dtype)
    tiny = [0.0, limits.smallest_subnormal, 3 * limits.smallest_subnormal, limits.smallest_normal]
    tiny = np.array([*tiny, limits.smallest_normal * limits.dtype.type(1.37), limits.eps**2], dtype)
    x = np.concatenate([tiny, -tiny])
    y = evaluate(name, dtype, x)
    if name in KEEP_TINY:
        assert y.tobytes() == x.tobytes()
    elif name == "log":
        assert np.isfinite(y[1:6]).all()
    else:
        np.testing.assert_array_equal(y, 1)


@BOTH
def test_exp_overflows_and_underflows_where_it_should(dtype):
    limits = np.finfo(dtype)
    half_ulp = mpmath.ldexp(1, int(limits.maxexp) - limits.nmant - 2)
    overflow = float(mpmath.log(mpmath.mpf(float(limits.max)) + half_ulp))
    x = neighbours([overflow], 1, dtype)[[1, 2]]
    np.testing.assert_array_equal(np.isinf(evaluate("exp", dtype, x)), [False, True])
    underflow = float(mpmath.log(mpmath.mpf(float(limits.smallest_subnormal)) / 2))
    x = neighbours([underflow], 1, dtype)[[1, 2]]
    np.testing.assert_array_equal(evaluate("exp", dtype, x), [0, limits.smallest_subnormal])


@EVERY
def test_a_vector_has_the_bits_of_its_elements(name, dtype):
    random = np.random.default_rng(2)
    x = (np.exp(random.uniform(-20, 6, 1003)) * random.choice([-1, 1], 1003)).astype(dtype)
    alone = np.array([FUNCTIONS[name, dtype](value) for value in x], dtype)
    np.testing.assert_array_equal(evaluate(name, dtype, x).view(np.uint8), alone.view(np.uint8))


@EVERY
def test_the_loop_is_vectorised_in_its_own_precision(name, dtype):
    loop = compiled_loop(name, dtype)
    code = loop.inspect_llvm(loop.signatures[0])
    width = {"float64": "f64", "float32": "f32"}[dtype]
    assert any(f"@llvm.fma.v{lanes}{width}" in code for lanes in (2, 4, 8, 16))
    assert "fpext" not in code
    assert "fptrunc" not in code


@BOTH
@settings(deadline=None, max_examples=300)
@given(value=st.floats(-100, 100))
def test_symmetry(dtype, value):
    x = np.dtype(dtype).type(value)
    for name in ("tanh", "sin"):
        assert FUNCTIONS[name, dtype](-x) == -FUNCTIONS[name, dtype](x)
    assert FUNCTIONS["cos", dtype](-x) == FUNCTIONS["cos", dtype](x)


@BOTH
@settings(deadline=None, max_examples=300)
@given(value=st.floats(-110, 88))
def test_exp_never_falls_by_more_than_an_ulp(dtype, value):
    kind = np.dtype(dtype).type
    x = kind(value)
    low, high = (kind(FUNCTIONS["exp", dtype](argument)) for argument in (x, np.nextafter(x, kind(INF))))
    assert np.nextafter(high, kind(INF)) >= low


@FLOAT32
def test_float32_functions_do_not_silently_compute_in_float64(name):
    with pytest.raises(TypingError, match="No implementation"):
        FUNCTIONS[name, "float32"](0.5)


def test_the_printer_knows_the_short_versions():
    """It has its own copy of the bounds because the mathematics takes half a second to import."""
    from neurosim.backends.printers import numba_tables

    for dtype, functions in NARROW.items():
        stated = numba_tables.NARROW[dtype]
        assert {name: np.asarray(bound, dtype) for name, bound in stated.items()} == {
            name: np.asarray(bound, dtype) for name, (_, bound) in functions.items()
        }


@pytest.mark.parametrize(("name", "dtype"), [(name, d) for d, of in NARROW.items() for name in of])
def test_short_versions_have_the_same_bits(name, dtype):
    short, limit = NARROW[dtype][name]
    positive = np.geomspace(np.finfo(dtype).smallest_normal, limit, 20_001)
    x = np.concatenate([np.linspace(-limit, limit, 200_001), positive, -positive]).astype(dtype)
    x = np.append(x, np.array([0.0, -0.0], dtype))
    general = FUNCTIONS[name, dtype]

    @njit(error_model="numpy")
    def both(x, a, b):
        for i in range(len(x)):
            a[i] = short(x[i])
            b[i] = general(x[i])

    a, b = np.empty_like(x), np.empty_like(x)
    both(x, a, b)
    assert a.tobytes() == b.tobytes()
