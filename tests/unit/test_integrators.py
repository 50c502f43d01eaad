"""Orders of convergence, exactness, and the linear part of every registered model."""

import re
from typing import Annotated, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from neurosim import Constant, Network, NeuronModel, Population, Simulation, UsageError, param
from neurosim.backends.tracing import Graph, evaluate
from neurosim.integrators import INTEGRATORS, get_integrator
from neurosim.integrators.exact import expm as our_expm
from neurosim.integrators.linear import linear_slopes
from neurosim.integrators.traced import options_of, symbols
from neurosim.models import LIF, FitzHughNagumo, HodgkinHuxley, Izhikevich, all_models
from neurosim.parameters import bind

MODELS = pytest.mark.parametrize("entry", list(all_models().values()), ids=lambda entry: entry.name)


class PulseNeuron(NeuronModel):
    """Leaky membrane behind an exponential synaptic current: linear, two coupled variables."""

    class State(NamedTuple):
        v: Annotated[object, "mV"]
        i: Annotated[object, "nA"]

    tau_m: float = param(10.0, "ms", "membrane time constant", above=0.0)
    tau_syn: float = param(3.0, "ms", "time constant of the current", above=0.0)
    r_m: float = param(10.0, "MΩ", "membrane resistance", above=0.0)
    v_rest: float = param(-65.0, "mV", "resting potential")

    def init(self, xp):
        return self.State(self.v_rest, 1.0)

    def derivatives(self, xp, s, i_syn):
        return self.State((self.v_rest - s.v + self.r_m * (s.i + i_syn)) / self.tau_m, -s.i / self.tau_syn)

    def threshold(self, xp, s):
        return s.v > 1e9


def end_state(model, *, dt, duration, method, current=0.0, init=None, n=1, fuse="off"):
    """The state after a run, as an array of shape (variables, n)."""
    cells = Population("cells", model, n, stimuli=(Constant(current),), init=init or {})
    simulation = Simulation(Network((cells,)), dt=dt, method=method, backend="numpy", fuse=fuse)
    simulation.run(duration)
    return np.array(list(simulation.state("cells").values()))


def states(entry, count, dtype):
    """States along a run in which some neurons spike, and the currents there."""
    model, reference = entry.cls(), entry.reference
    current = np.linspace(0.0, 2.0 * reference.drive, count)
    cells = Population("cells", model, count, stimuli=(Constant(current),))
    simulation = Simulation(Network((cells,)), dt=reference.dt, method="euler", backend="numpy", fuse="off")
    simulation.run(200 * reference.dt)
    s = model.State(*(x.astype(dtype) for x in simulation.state("cells").values()))
    bound = bind(model, {name: np.asarray(value, dtype=dtype) for name, value in model.values().items()})
    return bound, s, current.astype(dtype)


@pytest.mark.parametrize("method", [name for name, method in INTEGRATORS.items() if method.order])
@pytest.mark.parametrize(
    ("model", "current", "duration"),
    [(FitzHughNagumo(), 0.5, 4.0), (HodgkinHuxley(), 2.0, 4.0)],
    ids=["FitzHughNagumo", "HodgkinHuxley"],
)
def test_the_error_falls_with_the_order(model, current, duration, method):
    truth = end_state(model, dt=duration / 1024, duration=duration, method="rk4", current=current)
    steps = np.array([64, 128, 256]) if method != "rk4" else np.array([40, 80, 160])
    ends = [end_state(model, dt=duration / k, duration=duration, method=method, current=current) for k in steps]
    errors = [np.abs(end - truth).max() for end in ends]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, get_integrator(method).order, atol=0.3)


@given(
    dt=st.sampled_from([0.01, 0.1, 0.25, 1.0, 5.0]),
    tau_m=st.floats(5.0, 50.0),
    current=st.floats(-3.0, 1.4),
    begin=st.floats(-90.0, -51.0),
)
@settings(max_examples=15, deadline=None)
def test_exact_is_the_formula_for_any_step(dt, tau_m, current, begin):
    duration = 5.0
    got = end_state(LIF(tau_m=tau_m), dt=dt, duration=duration, method="exact", current=current, init={"v": begin})
    v_inf = -65.0 + 10.0 * current
    assert got[0, 0] == pytest.approx(v_inf + (begin - v_inf) * np.exp(-duration / tau_m), rel=1e-12)


@pytest.mark.parametrize("dt", [0.1, 1.0, 4.0])
def test_exact_solves_coupled_variables(dt):
    tau_m, tau_syn = np.array([10.0, 20.0, 5.0]), np.array([3.0, 20.0, 0.5])  # one with equal time constants
    current, duration = 0.7, 12.0
    model = PulseNeuron(tau_m=tau_m, tau_syn=tau_syn)
    got = end_state(model, dt=dt, duration=duration, method="exact", current=current, n=3)
    for k in range(3):
        drift = (-65.0 + 10.0 * current) / tau_m[k]
        rows = [-1 / tau_m[k], 10.0 / tau_m[k], drift], [0.0, -1 / tau_syn[k], 0.0], [0.0, 0.0, 0.0]
        system = np.array(rows)
        expected = expm(system * duration) @ [-65.0, 1.0, 1.0]
        np.testing.assert_allclose(got[:, k], expected[:2], rtol=1e-12)


@given(st.lists(st.floats(-20.0, 20.0), min_size=9, max_size=9))
@settings(max_examples=50, deadline=None)
def test_our_exponential_of_a_matrix_is_scipys(values):
    matrix = np.reshape(values, (3, 3))
    expected = expm(matrix)
    np.testing.assert_allclose(our_expm(matrix), expected, atol=1e-11 * np.abs(expected).max())


@MODELS
def test_exact_takes_linear_models_and_refuses_others(entry):
    model, s, current = states(entry, 6, "float64")
    other = type(s)(*(x[::-1] + 0.1 for x in s))
    middle = type(s)(*((x + y) / 2 for x, y in zip(s, other, strict=True)))
    slopes = (model.derivatives(np, point, current) for point in (s, middle, other))
    linear = all(np.allclose(at, (a + b) / 2, rtol=1e-9) for a, at, b in zip(*slopes, strict=True))
    cells = Population("cells", entry.cls(), 2)
    if linear:
        Simulation(Network((cells,)), dt=0.1, method="exact", fuse="off").run(1.0)
        return
    words = f"method='exact' needs a linear model.*{entry.name} is not linear: write method="
    with pytest.raises(UsageError, match=words):
        Simulation(Network((cells,)), dt=0.1, method="exact", fuse="off")


def test_a_variable_without_a_rate_takes_an_euler_step():
    start = {"v": np.array([-60.0, -20.0]), "u": np.array([-10.0, 3.0])}
    steps = {
        method: end_state(Izhikevich(), dt=0.25, duration=0.25, method=method, current=4.0, init=start, n=2)
        for method in ("euler", "exponential_euler")
    }
    v, u = 0, 1
    assert np.array_equal(steps["euler"][v], steps["exponential_euler"][v])  # the model is not linear in v
    assert not np.array_equal(steps["euler"][u], steps["exponential_euler"][u])
    target = 0.2 * start["v"]
    np.testing.assert_allclose(
        steps["exponential_euler"][u], target + (start["u"] - target) * np.exp(-0.02 * 0.25), rtol=1e-13
    )


def test_a_rate_of_zero_is_no_division_by_zero():
    class Integrator(NeuronModel):
        class State(NamedTuple):
            v: Annotated[object, "mV"]

        leak: float = param(0.0, "1/ms", "leak")

        def init(self, xp):
            return self.State(0.0)

        def derivatives(self, xp, s, i_syn):
            return self.State(i_syn - self.leak * s.v)

        def threshold(self, xp, s):
            return s.v > 1e9

    got = end_state(
        Integrator(leak=[0.0, 1e-9, 0.5]), dt=0.5, duration=1.0, method="exponential_euler", current=2.0, n=3
    )
    leak = np.array([1.0, 1e-9, 0.5])
    expected = -np.expm1(-leak) * 2.0 / leak
    np.testing.assert_allclose(got[0], [2.0, *expected[1:]], rtol=1e-12)


@pytest.mark.parametrize("fuse", ["off", "require"])
def test_parameters_may_have_any_name(fuse):
    class Named(NeuronModel):
        class State(NamedTuple):
            v: Annotated[object, "mV"]

        current: float = param(1.0, "mV/ms", "of its own")
        step: float = param(0.1, "1/ms", "leak")
        dt: float = param(3.0, "mV/ms", "another one")

        def init(self, xp):
            return self.State(0.0)

        def derivatives(self, xp, s, i_syn):
            return self.State(i_syn + self.current + self.dt - self.step * s.v)

        def threshold(self, xp, s):
            return s.v > 1e9

    got = end_state(Named(), dt=0.5, duration=1.0, method="exponential_euler", current=2.0, n=1, fuse=fuse)
    np.testing.assert_allclose(got[0], 6.0 / 0.1 * -np.expm1(-0.1), rtol=1e-12)


def linear_part(model, s, current):
    """Slopes, rates and rests at a state."""
    graph, dtype = Graph(), str(current.dtype)
    traced, at = symbols(graph, type(model), options_of(model), dtype)
    slopes = linear_slopes(graph, traced, at, graph.input("current", dtype))
    inputs = model.values() | s._asdict() | {"current": current}

    def values(traced):
        found = iter(evaluate(graph, [x.index for x in traced if x is not None], np, inputs))
        return [None if x is None else next(found) for x in traced]

    return tuple(values([getattr(slope, part) for slope in slopes]) for part in ("whole", "rate", "rest"))


@MODELS
def test_rates_are_the_difference_of_slopes(entry):
    model, s, current = states(entry, 6, "float64")
    direct = model.derivatives(np, s, current)
    for name, slope, rate, rest in zip(s._fields, *linear_part(model, s, current), strict=True):
        np.testing.assert_array_equal(slope, getattr(direct, name))

        def f(x, name=name):
            values = s._replace(**{name: np.full(6, x)})
            return getattr(model.derivatives(np, values, current), name)

        at_0, at_half, at_1 = f(0.0), f(0.5), f(1.0)
        scale = np.abs(at_0) + np.abs(at_1) + 1.0
        bend = np.abs(at_1 - 2.0 * at_half + at_0) / scale
        if rate is None:
            assert bend.max() > 1e-6 or np.array_equal(at_0, at_1), f"{name} is linear and has no rate"
        else:
            assert bend.max() < 1e-12
            np.testing.assert_allclose(np.broadcast_to(rate, 6), at_1 - at_0, atol=1e-12 * scale.max())
            np.testing.assert_allclose(0.0 if rest is None else rest, at_0, rtol=1e-12, atol=1e-14)


@MODELS
def test_rates_in_single_precision_keep_their_digits(entry):
    wide = linear_part(*states(entry, 6, "float64"))[1]
    narrow = linear_part(*states(entry, 6, "float32"))[1]
    for a, b in zip(wide, narrow, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert np.asarray(b).dtype == np.float32
            # The state itself is rounded, and exp of it takes 1e-7 of its exponent.
            np.testing.assert_allclose(b, a, rtol=3e-5)


def test_an_unknown_method_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=re.escape("unknown method 'exponental_euler'")) as caught:
        get_integrator("exponental_euler")
    assert "exponential_euler" in str(caught.value)
