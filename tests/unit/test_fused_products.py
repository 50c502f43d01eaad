"""Products and sums become one operation where the kernel's bits are not NumPy's anyway, and nowhere else."""

from fractions import Fraction

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Record, Simulation
from neurosim.backends import Outputs, Program, Slot
from neurosim.backends.numba_engine import NumbaKernel
from neurosim.backends.tracing import fused_products, trace
from neurosim.models import HodgkinHuxley


def program(step, *recorded, dtype="float64"):
    """A state v that moves by a formula of itself and of a parameter p."""
    names = tuple(f"o{k}" for k in range(len(recorded)))

    def function(xp, state, params, clock):
        v, p = state["v"], params["p"]
        observed = {name: f(xp, v, p) for name, f in zip(names, recorded, strict=True)}
        return Outputs({"v": step(xp, v, p)}, v > 1e9, observed)

    return Program("products", dtype, ("v",), (Slot("p", dtype),), function, names)


def operations(traced):
    ops = [traced.graph.nodes[index].op for index in traced.body]
    return {op: ops.count(op) for op in ("multiply", "add", "subtract", "fma")}


def kernel_step(made, v, p):
    kernel = NumbaKernel(trace(made), len(v), {"p": p}, {"v": v})
    kernel.advance(0, 1)
    return kernel.read("v")


def rounded(exact, dtype):
    """A fraction as the nearest float."""
    near = dtype(exact.numerator / exact.denominator) if dtype is np.float64 else dtype(float(exact))
    around = [near, np.nextafter(near, dtype(-np.inf)), np.nextafter(near, dtype(np.inf))]
    return min(around, key=lambda x: (abs(Fraction(float(x)) - exact), int(x.view(f"i{x.itemsize}")) & 1))


FORMS = {  # formula beside the exponential, and the value before rounding
    "product + sum": (lambda v, p: v * v + p, lambda v, p: v * v + p),
    "sum + product": (lambda v, p: p + v * v, lambda v, p: v * v + p),
    "product - number": (lambda v, p: v * v - p, lambda v, p: v * v - p),
    "number - product": (lambda v, p: p - v * v, lambda v, p: p - v * v),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_rounded_once(form, dtype):
    written, exact = FORMS[form]
    # The exponential is there, but never chosen.
    made = program(lambda xp, v, p: xp.where(v > 1e6, xp.exp(v), written(v, p)), dtype=np.dtype(dtype).name)
    after = operations(fused_products(trace(made)))
    assert (after["multiply"], after["add"], after["subtract"], after["fma"]) == (0, 0, 0, 1)
    v, p = np.random.default_rng(1).uniform(0.5, 2.0, 40).astype(dtype), dtype(1.1)
    expected = [rounded(exact(Fraction(float(x)), Fraction(float(p))), dtype) for x in v]
    found = kernel_step(made, v, p)
    np.testing.assert_array_equal(found, np.array(expected, dtype))
    assert (found != written(v, p)).any()  # two roundings give others


def test_formulas_without_elementary_functions_keep_the_bits_of_numpy():
    made = program(lambda xp, v, p: v * v + p)
    traced = trace(made)
    assert fused_products(traced) is traced
    v = np.random.default_rng(2).normal(size=50)
    np.testing.assert_array_equal(kernel_step(made, v, 0.3), v * v + 0.3)


def test_a_product_with_two_readers_stays():
    made = program(lambda xp, v, p: (v * v + p) * xp.exp(v * v))
    assert operations(fused_products(trace(made)))["fma"] == 0


def test_an_exponential_of_a_parameter_is_no_reason():
    traced = trace(program(lambda xp, v, p: v * v + xp.exp(p)))
    assert fused_products(traced) is traced


def test_what_is_recorded_changes_no_bit():
    """A product that is recorded too has two readers, and is fused in the step all the same."""

    def step(xp, v, p):
        return 0.1 * xp.exp(-v * v) + (v * p + 0.5)

    alone, seen = program(step), program(step, lambda xp, v, p: v * p)
    assert operations(fused_products(trace(seen)))["fma"] == operations(fused_products(trace(alone)))["fma"] == 2
    v = np.random.default_rng(3).normal(size=100)
    np.testing.assert_array_equal(kernel_step(alone, v, 0.7), kernel_step(seen, v, 0.7))


def test_recording_a_model_changes_no_bit():
    def end(record):
        cells = Population("cells", HodgkinHuxley(), 50, stimuli=(Constant(np.linspace(0.0, 20.0, 50)),))
        simulation = Simulation(Network((cells,)), dt=0.01, method="exponential_euler", fuse="require")
        simulation.run(20.0, record=record)
        return simulation.state("cells")

    names = (*HodgkinHuxley.State._fields, "i_syn")
    plain, recorded = end(()), end([Record("cells", name, every=10) for name in names])
    for name, value in plain.items():
        np.testing.assert_array_equal(recorded[name], value)
