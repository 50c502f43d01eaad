"""Kernels compute less than their formulas say, and mean what these mean."""

import numpy as np
import pytest
from scipy.special import exprel

from neurosim import Constant, Population
from neurosim.backends import Outputs, Program, Slot
from neurosim.backends.numba_engine import NumbaKernel
from neurosim.backends.program import Probe
from neurosim.backends.tracing import evaluate, relative_exponentials, share_exponentials, trace
from neurosim.integrators import get_integrator
from neurosim.models import HodgkinHuxley
from neurosim.step import assemble


def program(*formulas, dtype="float64"):
    """Observables that are formulas of the state v and the parameter p."""
    names = tuple(f"e{k}" for k in range(len(formulas)))

    def function(xp, state, params, clock):
        v = state["v"]
        values = {name: f(xp, v, params["p"]) for name, f in zip(names, formulas, strict=True)}
        return Outputs({"v": v}, v > 1e9, values)

    return Program("shared", dtype, ("v",), (Slot("p", dtype),), function, names)


def exponentials(traced):
    return sum(traced.graph.nodes[index].op == "exp" for index in traced.body)


def values(traced, v):
    inputs = {"state v": v, "parameter p": np.asarray(0.7)}
    return evaluate(traced.graph, traced.observables, np, inputs)


SHARED = {
    "powers": (
        lambda xp, v, p: xp.exp(v * 0.1),
        lambda xp, v, p: xp.exp(v * 0.2),
        lambda xp, v, p: xp.exp(v / 2.5),
        lambda xp, v, p: xp.exp(0.8 * v),
    ),
    "shifts": (
        lambda xp, v, p: xp.exp((25.0 - v) * 0.1),
        lambda xp, v, p: xp.exp((10.0 - v) * 0.1),
        lambda xp, v, p: xp.exp(-(v + 3.0) / 10.0 + 1.0),
    ),
    "steeper first": (lambda xp, v, p: xp.exp(v * -0.4), lambda xp, v, p: xp.exp(v * -0.1)),
}


@pytest.mark.parametrize("case", SHARED)
def test_one_exponential_is_left_and_the_values_are_the_same(case):
    before = trace(program(*SHARED[case]))
    after = share_exponentials(before)
    assert exponentials(before) == len(SHARED[case])
    assert exponentials(after) == 1
    v = np.linspace(-90.0, 60.0, 4001)
    for old, new in zip(values(before, v), values(after, v), strict=True):
        np.testing.assert_allclose(new, old, rtol=64 * np.finfo(float).eps)


KEPT = {
    "other signs": (lambda xp, v, p: xp.exp(v * 0.1), lambda xp, v, p: xp.exp(v * -0.1)),
    "no whole power of two": (lambda xp, v, p: xp.exp(v * 0.1), lambda xp, v, p: xp.exp(v * 0.3)),
    "other variables": (lambda xp, v, p: xp.exp(v), lambda xp, v, p: xp.exp(xp.abs(v))),
    "far apart": (lambda xp, v, p: xp.exp(v), lambda xp, v, p: xp.exp(v - 80.0)),
    "a slope that is a parameter": (lambda xp, v, p: xp.exp(v), lambda xp, v, p: xp.exp(p * v)),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_is_not_shared(case):
    before = trace(program(*KEPT[case]))
    after = share_exponentials(before)
    assert exponentials(after) == 2
    for old, new in zip(values(before, np.linspace(-5, 5, 11)), values(after, np.linspace(-5, 5, 11)), strict=True):
        np.testing.assert_array_equal(new, old)


def test_exponentials_of_parameters_stay_on_the_host():
    traced = trace(program(lambda xp, v, p: xp.exp(p) + v, lambda xp, v, p: xp.exp(2.0 * p) * v))
    assert exponentials(traced) == 0
    assert share_exponentials(traced) is traced


def test_infinities_and_nan_are_kept():
    after = share_exponentials(trace(program(*SHARED["powers"])))
    for value in values(after, np.array([np.inf, -np.inf, np.nan])):
        np.testing.assert_array_equal(value, [np.inf, 0.0, np.nan])


def test_hodgkin_huxley_needs_two():
    """Its five exponentials of V/10, V/20, V/18 and V/80, and one in each of three relaxations of gates."""
    cells = Population("cells", HodgkinHuxley(), 1, stimuli=(Constant(10.0),))
    integrator = get_integrator("exponential_euler")
    before = trace(assemble(cells, dt=0.01, integrator=integrator, seed=0, precision="float64").program)
    after = share_exponentials(before)
    assert exponentials(before) == 6
    assert exponentials(after) == 2


def quotients(traced, op):
    return [index for index in traced.body if traced.graph.nodes[index].op == op]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_expm1_over_its_argument_becomes_one_function(dtype):
    def guarded(xp, v, p):
        a = p * v + 1e-30
        return xp.expm1(a) / a

    made = program(guarded, lambda xp, v, p: xp.expm1(v) / (v + 1.0), lambda xp, v, p: xp.expm1(p) / p + v, dtype=dtype)
    traced = relative_exponentials(trace(made))
    (function,) = quotients(traced, "exprel")
    argument = traced.graph.nodes[traced.graph.nodes[function].args[0]]
    assert argument.op == "multiply"  # the guard against 0 is gone
    assert len(quotients(traced, "expm1")) == 1  # of the other formula; that of the parameter is the host's
    v = np.array([0.0, 1e-9, -0.3, 2.0, -50.0, 300.0 if dtype == "float64" else 80.0], dtype)
    values = {"p": 0.5}
    kernel = NumbaKernel(trace(made), len(v), values, {"v": v})
    kernel.probe([Probe("e0", 1, np.arange(len(v)))])
    found = kernel.advance(0, 1).samples[0][0]
    a = 0.5 * v.astype(np.float64)
    np.testing.assert_allclose(found, exprel(a), rtol=3 * np.finfo(dtype).eps)


def test_what_has_arrivals_takes_the_longer_polynomial():
    def function(xp, state, params, clock):
        a = -params["g"] - 0.1
        return Outputs({"v": state["v"] * (xp.expm1(a) / a)}, state["v"] > 1e9, {})

    traced = relative_exponentials(trace(Program("bombarded", "float64", ("v",), (), function, (), ("g",))))
    assert quotients(traced, "wide_exprel")
    assert not quotients(traced, "exprel")


def test_exponential_euler_divides_by_no_rate():
    cells = Population("cells", HodgkinHuxley(), 3, stimuli=(Constant(10.0),))
    integrator = get_integrator("exponential_euler")
    traced = trace(assemble(cells, dt=0.01, integrator=integrator, seed=0, precision="float64").program)
    before, after = (len(quotients(t, "divide")) for t in (traced, relative_exponentials(traced)))
    assert before - after == 4
    assert len(quotients(relative_exponentials(traced), "exprel")) == 4
