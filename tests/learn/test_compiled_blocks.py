"""What compiled learning is built of: products in registers, and kernels printed from traces with sums over units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning import random
from numba import njit

from neurosim.backends import vector_blocks
from neurosim.backends.pointers import call_kernel
from neurosim.backends.printers.unit_printer import UnitFormula, print_unit_kernel
from neurosim.backends.printers.update_printer import UpdateFormula, print_update
from neurosim.backends.tracing import Graph, NotTraceable
from neurosim.backends.tracing.units import UnitGraph
from neurosim.backends.vector_blocks import BYTES, NEW, PLUS, TIMES
from neurosim.learn.compiled import passes
from neurosim.learn.compiled.kernels import address

PRECISIONS = ("float64", "float32")
EPS = {"float64": 1e-14, "float32": 1e-5}


def lanes(precision):
    return BYTES // np.dtype(precision).itemsize


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 9),
    depth=st.integers(0, 20),
    vectors=st.integers(1, 9),
    mode=st.sampled_from([NEW, TIMES, PLUS]),
    turned=st.booleans(),
)
def test_products(precision, rows, depth, vectors, mode, turned):
    """Of any number of rows, from either order of A, onto or by what is there; nothing beyond is written."""
    n = vectors * lanes(precision)
    a, b, c = (random(*shape).astype(precision) for shape in ((rows, depth), (depth, n), (rows + 1, n)))
    initial = random(rows).astype(precision)
    expected = a.astype(float) @ b + initial[:, None]
    expected = {NEW: expected, TIMES: c[:-1] * expected, PLUS: c[:-1] + expected}[mode]
    out = c.reshape(-1).copy()
    stored, steps = (a.T, (1, rows)) if turned else (a, (depth, 1))
    flat = np.append(np.ascontiguousarray(stored).reshape(-1), np.zeros(1, precision))  # an array is never empty
    columns = np.append(b.reshape(-1), np.zeros(n, precision))
    passes.multiply(out, 0, flat, 0, *steps, columns, 0, initial, 0, 1, mode, rows, depth, n, lanes(precision))
    found = out.reshape(rows + 1, n)
    np.testing.assert_allclose(found[:-1], expected, rtol=0, atol=EPS[precision] * (depth + 5) * 10)
    np.testing.assert_array_equal(found[-1], c[-1])


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=25, deadline=None)
@given(n_x=st.integers(1, 9), n_y=st.integers(1, 40), vectors=st.integers(1, 5))
def test_products_over_samples(precision, n_x, n_y, vectors):
    """By sums over lanes, and by turning Y over: X Yᵀ is added."""
    wide, n = lanes(precision), vectors * lanes(precision)
    row = -(-n_y // wide) * wide
    x, y = random(n_x, n).astype(precision), random(n_y, n).astype(precision)
    work = np.concatenate([x.reshape(-1), y.reshape(-1), np.full(n * row, np.nan, precision)])
    few, zeros = np.zeros(max(16, wide), precision), np.zeros(1, precision)
    grad, rows, sums = (np.ones(size, precision) for size in (n_x * n_y, n_x * row, n_y))
    passes.add_products(grad, 0, work, 0, n_x, n_x * n, n_y, n, vectors, few)
    passes.add_turned(rows, 0, work, 0, n_x, n_x * n, n_y, (n_x + n_y) * n, n, zeros, wide)
    passes.add_sums(sums, 0, work, n_x * n, n_y, n, vectors, few)
    expected, tolerance = 1.0 + x.astype(float) @ y.T, EPS[precision] * n * 10
    np.testing.assert_allclose(grad.reshape(n_x, n_y), expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(rows.reshape(n_x, row)[:, :n_y], expected, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(rows.reshape(n_x, row)[:, n_y:], 1.0)  # Y has zeros there
    np.testing.assert_allclose(sums, 1.0 + y.astype(float).sum(axis=1), rtol=0, atol=tolerance)


@njit
def lengths(few, x, y, n):
    vector_blocks.squared_length(few, x, y, 0, 0, n)
    length = few[0]
    vector_blocks.squared_distance(few, x, y, 0, 0, n)
    return length, few[0]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_lengths(precision):
    n = 3 * 4 * lanes(precision)
    x, y = random(n).astype(precision), random(n, seed=1).astype(precision)
    found = lengths(np.zeros(16, precision), x, y, n)
    np.testing.assert_allclose(found, [(x.astype(float) ** 2).sum(), ((x - y).astype(float) ** 2).sum()], rtol=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("units", [1, 3, 40])
def test_sums_over_units(precision, units):
    """Three stages, a value for each sample that is read and one that is written, more samples than a block."""
    n = 25 * lanes(precision)
    graph = UnitGraph()
    x, share = graph.input("x", precision), graph.input("share", precision)
    e = graph.exp(x - graph.largest_unit(x))
    p = e / graph.sum_of_units(e)
    mean = graph.sum_of_units(p * x) / x.shape[-1]
    outputs = {"y": (p * share + mean).index, "total": (mean * share + graph.log(graph.sum_of_units(e))).index}
    arrays = {"x": True, "share": False, "y": True, "total": False}
    kernel = address(print_unit_kernel(UnitFormula(graph, arrays, outputs, precision)), "test")
    a, s = random(units, n).astype(precision), random(n).astype(precision)
    y, total = np.zeros_like(a), np.zeros_like(s)
    call(kernel, a.ctypes.data, s.ctypes.data, y.ctypes.data, total.ctypes.data, 0, units, n)
    e = np.exp(a.astype(float) - a.max(axis=0))
    p = e / e.sum(axis=0)
    mean = (p * a).sum(axis=0) / units
    np.testing.assert_allclose(y, p * s + mean, rtol=0, atol=30 * EPS[precision])
    np.testing.assert_allclose(total, mean * s + np.log(e.sum(axis=0)), rtol=0, atol=30 * EPS[precision])


@njit
def call(kernel, a, b, c, d, e, f, g):
    call_kernel(kernel, a, b, c, d, e, f, g)


def test_a_condition_once_a_sample_is_refused(refuses):
    graph = UnitGraph()
    x = graph.input("x", "float64")
    y = graph.where(graph.sum_of_units(x) > 0.0, x, 0.0)
    with refuses("what is made of sums over units must be float64, here is bool"):
        print_unit_kernel(UnitFormula(graph, {"x": True, "y": True}, {"y": y.index}, "float64"))


def test_numbers_of_an_update():
    """In float64 whatever the type of the weights is; an old value that is read after its new one stays the old."""
    graph = Graph()
    w, row, a, b = (graph.input(name, "float32") for name in ("w", "row 0", "number 2", "number 3"))
    formula = UpdateFormula(graph, (w - a * row).index, [(row + b).index], {2: (a * b).index, 3: a.index}, "float32")
    kernel = address(print_update(formula), "test")
    n = 300
    old, memory = random(n).astype("float32"), random(n, seed=1).astype("float32")
    new, numbers, before = np.zeros_like(old), np.array([0.0, 0.0, 0.1, 0.7]), memory.copy()
    call(kernel, old.ctypes.data, new.ctypes.data, 0, memory.ctypes.data, numbers.ctypes.data, n, n)
    assert numbers[2:].tolist() == [0.1 * 0.7, 0.1]
    np.testing.assert_array_equal(new, old - np.float32(0.1) * before)
    np.testing.assert_array_equal(memory, before + np.float32(0.7))


def test_a_number_of_single_weights_is_refused():
    graph = Graph()
    w = graph.input("w", "float64")
    with pytest.raises(NotTraceable, match="what a network has one of depends on a single weight"):
        print_update(UpdateFormula(graph, w.index, [], {2: (w + 1.0).index}, "float64"))
