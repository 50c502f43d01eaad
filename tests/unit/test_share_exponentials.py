"""Exponentials of one variable are computed once, and mean what they meant."""

import numpy as np
import pytest

from neurosim import Constant, Population
from neurosim.backends import Outputs, Program, Slot
from neurosim.backends.tracing import evaluate, share_exponentials, trace
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
