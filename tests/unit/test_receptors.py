"""Receptors: their closed forms, what arrives when, and their composition with every model."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from neurosim import Constant, Network, Population, Projection, Record, Simulation, SpikeSource, connect, simulate
from neurosim.models import LIF, all_models
from neurosim.neuron import compose
from neurosim.receptors import (
    RECEPTORS,
    AlphaCurrent,
    BiexponentialConductance,
    Delta,
    ExponentialConductance,
    ExponentialCurrent,
    Receptor,
    register,
)

DT = 0.1
SPIKE, DELAY = 2.0, 1.5
ARRIVAL = SPIKE + DELAY
E = np.e
FUSE = pytest.mark.parametrize("fuse", ["require", "off"])
EACH = pytest.mark.parametrize("name", list(RECEPTORS))


def heard(receptor, weight, *, n=1, arrival=ARRIVAL, duration=40.0, dt=DT, model=None, cell=None, **options):
    """What neurons at rest do when one spike reaches them, with all their traces."""
    net = Network(
        (
            Population("source", SpikeSource([arrival - DELAY]), 1),
            Population("cell", model or LIF(), n, receptors={"syn": receptor}, **(cell or {})),
        ),
        (Projection("source", "cell", connect.all_to_all(), weight=weight, delay=DELAY, receptor="syn"),),
    )
    records = [Record("cell", name) for name in ("spikes", *net["cell"].neuron.State._fields)]
    return simulate(net, duration=duration, dt=dt, record=records, **({"fuse": "off", "method": "rk4"} | options))


# -- closed forms: current into LIF() or conductance, at time s after the arrival, typed by hand from the sources

TAUS = np.array([1.3, 2.0, 5.5])
WIDE = {  # parameters per neuron, what the state gives, the same in closed form, where it peaks
    "ExponentialCurrent": (
        {"tau": TAUS},
        lambda x: x["syn_i"],
        lambda s: np.exp(-s / TAUS),
        np.zeros(3),
    ),
    "AlphaCurrent": (
        {"tau": TAUS},
        lambda x: x["syn_i"],
        lambda s: s / TAUS * np.exp(1 - s / TAUS),
        TAUS,
    ),
    "ExponentialConductance": (
        {"tau": TAUS, "e_rev": [0.0, -80.0, 10.0]},
        lambda x: x["syn_g"],
        lambda s: np.exp(-s / TAUS),
        np.zeros(3),
    ),
    "AlphaConductance": (
        {"tau": TAUS, "e_rev": [0.0, -80.0, 10.0]},
        lambda x: x["syn_g"],
        lambda s: s / TAUS * np.exp(1 - s / TAUS),
        TAUS,
    ),
    "BiexponentialConductance": (
        {"tau_rise": TAUS / 2.5, "tau_decay": TAUS, "e_rev": [0.0, -80.0, 10.0]},
        lambda x: x["syn_decay"] - x["syn_rise"],
        # tau_decay = 2.5 tau_rise: the peak of one is at ln 2.5 · tau_decay/1.5
        lambda s: (np.exp(-s / TAUS) - np.exp(-2.5 * s / TAUS)) / (2.5 ** (-2 / 3) - 2.5 ** (-5 / 3)),
        TAUS * np.log(2.5) / 1.5,
    ),
    "Delta": ({}, None, None, None),
}


def arrived(result):
    """Times since the arrival of the samples at and after it, and the traces there."""
    begin = round(ARRIVAL / DT)
    t = result.times("cell", "v")[begin:] - ARRIVAL
    return t, {name: values[begin:] for name, values in result.traces["cell"].items()}


@pytest.mark.parametrize("name", [name for name in RECEPTORS if name != "Delta"])
def test_a_single_arrival_is_the_closed_form(name):
    """State and potential, with other parameters in every neuron; the potential by an integral of its own."""
    parameters, of_state, unit, peak = WIDE[name]  # a new receptor needs its closed form here
    receptor = RECEPTORS[name](**parameters)
    weight = 0.01 if RECEPTORS[name].weight_unit == "µS" else 0.4
    result = heard(receptor, weight, n=3)
    t, traces = arrived(result)
    before = result.traces["cell"]["v"][: round(ARRIVAL / DT) + 1]
    np.testing.assert_array_equal(before, -65.0)
    np.testing.assert_allclose(of_state(traces), weight * unit(t[:, None]), rtol=0.0, atol=2e-5 * weight)

    # the peak is the weight, and it is where it should be
    np.testing.assert_allclose(unit(peak), 1.0, rtol=1e-12)
    highest = of_state(traces).max(axis=0)
    np.testing.assert_allclose(highest, weight, rtol=(DT / TAUS.min()) ** 2)
    np.testing.assert_allclose(t[of_state(traces).argmax(axis=0)], peak, atol=0.5 * DT + 1e-9)

    def slope(s, v):
        drive = weight * unit(s)
        current = drive if receptor.weight_unit == "nA" else drive * (np.array(receptor.e_rev) - v)
        return (-65.0 - v + 10.0 * current) / 10.0

    expected = solve_ivp(slope, (0.0, t[-1]), np.full(3, -65.0), method="DOP853", t_eval=t, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(traces["v"], expected.y.T, atol=1e-5)
    assert np.all(np.abs(traces["v"] + 65.0).max(axis=0) > 0.1)
    assert not len(result.spikes["cell"].t)


@EACH
def test_exponential_euler_comes_to_the_same_with_smaller_steps(name):
    """The default method, of first order: a fifth of the step leaves a fifth of the difference."""
    receptor = RECEPTORS[name]()
    weight = 0.01 if receptor.weight_unit == "µS" else 0.5
    errors = []
    for dt in (0.1, 0.02):
        own, fine = (
            heard(receptor, weight, dt=dt, duration=15.0, method=method).traces["cell"]["v"]
            for method in ("exponential_euler", "rk4")
        )
        errors.append(np.abs(own - fine).max())
    if name == "Delta":
        assert max(errors) < 1e-10
    else:
        assert errors[0] < 0.15
        assert errors[1] == pytest.approx(0.2 * errors[0], rel=0.1)


def test_exponential_decays_are_exact_with_the_default_method():
    tau = np.array([0.3, 5.0])
    for receptor, variable in ((ExponentialCurrent(tau), "syn_i"), (ExponentialConductance(tau), "syn_g")):
        t, traces = arrived(heard(receptor, 0.01, n=2, method="exponential_euler"))
        np.testing.assert_allclose(traces[variable], 0.01 * np.exp(-t[:, None] / tau), rtol=1e-12)


@FUSE
def test_delta_jumps_by_its_weight_and_decays_with_the_membrane(fuse):
    result = heard(Delta(), [3.0, -2.0], n=2, fuse=fuse, method="exponential_euler")
    t, traces = arrived(result)
    np.testing.assert_allclose(traces["v"] + 65.0, np.array([3.0, -2.0]) * np.exp(-t[:, None] / 10.0), atol=1e-12)
    assert result.traces["cell"]["v"][round(ARRIVAL / DT) - 1, 0] == -65.0


def test_arrivals_add_up():
    """Two spikes of one source, two sources and two synapses of one source: their weights are summed."""
    net = Network(
        (
            Population("source", SpikeSource([1.0, 1.0, 3.0], [0, 1, 0]), 2),
            Population("cell", LIF(), 1, receptors={"syn": ExponentialCurrent(tau=4.0)}),
        ),
        (
            Projection(
                "source",
                "cell",
                connect.from_arrays([0, 0, 1], [0, 0, 0]),
                weight=[0.1, 0.02, 0.003],
                delay=[1.0, 1.0, 2.0],
                receptor="syn",
            ),
        ),
    )
    result = simulate(net, duration=8.0, dt=DT, record=Record("cell", "syn_i"), fuse="off")
    t = result.times("cell", "syn_i")
    expected = np.zeros_like(t)
    for weight, at in ((0.12, 2.0), (0.003, 3.0), (0.12, 4.0)):
        expected += np.where(t > at - 1e-9, weight * np.exp(-(t - at) / 4.0), 0.0)
    np.testing.assert_allclose(result.traces["cell"]["syn_i"][:, 0], expected, atol=1e-15)


# -- exact integration


@FUSE
def test_exact_is_the_exponential_of_the_matrix(fuse):
    """LIF with both linear currents and a constant one, arrivals at several times, against SciPy's propagators."""
    taus, tau_m, r_m = (3.0, 1.7), 8.0, 12.0
    times, delays, weights = np.array([1.0, 4.3, 4.4, 20.0]), (0.7, 2.0), (0.3, -0.45)
    receptors = {"a": ExponentialCurrent(taus[0]), "b": AlphaCurrent(taus[1])}
    net = Network(
        (
            Population("source", SpikeSource(times), 1),
            Population("cell", LIF(tau_m=tau_m, r_m=r_m), 1, receptors=receptors, stimuli=(Constant(0.8),)),
        ),
        tuple(
            Projection("source", "cell", connect.one_to_one(), weight=w, delay=d, receptor=name)
            for name, w, d in zip("ab", weights, delays, strict=True)
        ),
    )
    variables = ["v", "a_i", "b_i", "b_rise"]
    records = [Record("cell", name) for name in variables]
    result = simulate(net, duration=40.0, dt=DT, record=records, method="exact", fuse=fuse)
    matrix = np.zeros((5, 5))  # v, a_i, b_i, b_rise, 1
    matrix[0] = [-1 / tau_m, r_m / tau_m, r_m / tau_m, 0.0, (-65.0 + r_m * 0.8) / tau_m]
    matrix[1, 1] = -1 / taus[0]
    matrix[2, 2:4] = -1 / taus[1], 1.0
    matrix[3, 3] = -1 / taus[1]
    jumps = {}
    for t in times:
        for place, delay, jump in ((1, delays[0], weights[0]), (3, delays[1], weights[1] * E / taus[1])):
            jumps.setdefault(round((t + delay) / DT), []).append((place, jump))
    x, expected = np.array([-65.0, 0.0, 0.0, 0.0, 1.0]), []
    propagator = expm(matrix * DT)
    for step in range(400):
        for place, jump in jumps.get(step, ()):
            x[place] += jump
        expected.append(x[:4].copy())
        x = propagator @ x
    actual = np.stack([result.traces["cell"][name][:, 0] for name in variables], axis=1)
    assert np.ptp(actual[:, 0]) > 1.0
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [n for n, cls in RECEPTORS.items() if cls.weight_unit == "µS"])
def test_exact_refuses_conductances(name, refuses):
    with refuses(
        "method='exact' needs a linear model, and dv/dt of LIF is not linear: write method='exponential_euler' or 'rk4'"
    ):
        heard(RECEPTORS[name](), 0.01, method="exact")


def test_exact_takes_delta():
    t, traces = arrived(heard(Delta(), 3.0, method="exact"))
    np.testing.assert_allclose(traces["v"][:, 0] + 65.0, 3.0 * np.exp(-t / 10.0), atol=1e-12)


# -- with the spikes of the neuron


@FUSE
def test_jumps_are_lost_during_the_refractory_period(fuse):
    """Spike at 0.1 ms, refractory for 2 ms: arrivals up to 2.1 ms are lost, the first at 2.2 ms counts."""
    for arrival, counts in ((1.6, False), (2.0, False), (2.1, False), (2.2, True), (5.0, True)):
        cell = {"t_ref": 2.0, "init": {"v": 0.0}}
        result = heard(Delta(), 4.0, arrival=arrival, cell=cell, fuse=fuse, method="exponential_euler", duration=8.0)
        assert list(result.spikes["cell"].t) == pytest.approx([0.1])
        v = result.traces["cell"]["v"][:, 0]
        place = round(arrival / DT)
        np.testing.assert_array_equal(v[1:place], -65.0)
        np.testing.assert_allclose(v[place], -61.0 if counts else -65.0, atol=1e-12)


@FUSE
def test_currents_go_on_during_the_refractory_period(fuse):
    cell = {"t_ref": 2.0, "init": {"v": 0.0}}
    result = heard(
        ExponentialCurrent(4.0), 0.5, arrival=1.7, cell=cell, fuse=fuse, method="exponential_euler", duration=8.0
    )
    i, v = (result.traces["cell"][name][:, 0] for name in ("syn_i", "v"))
    t = result.times("cell", "v")
    np.testing.assert_allclose(i, np.where(t > 1.7 - 1e-9, 0.5 * np.exp(-(t - 1.7) / 4.0), 0.0), atol=1e-12)
    np.testing.assert_array_equal(v[1:22], -65.0)  # held until 2.1 ms
    assert v[22] > -65.0


FIRST = 2.3  # 2 nA take LIF(tau_m=1.59) from −65 mV over −50 mV after 1.59·ln 4 = 2.204 ms


@FUSE
@pytest.mark.parametrize("t_ref", [0.0, 1.0])
@pytest.mark.parametrize("receptor", [Delta(), ExponentialCurrent(5.0)], ids=["Delta", "ExponentialCurrent"])
def test_an_arrival_in_the_step_of_a_spike(fuse, t_ref, receptor):
    """It comes after the threshold and before the reset: a jump is lost in the reset, a current stays."""
    cell = {"t_ref": t_ref, "stimuli": (Constant(2.0),)}
    options = {"model": LIF(tau_m=1.59), "cell": cell, "fuse": fuse, "method": "exponential_euler", "duration": 4.0}
    result = heard(receptor, 30.0, arrival=FIRST, **options)
    assert result.spikes["cell"].t[0] == pytest.approx(FIRST)
    place = round(FIRST / DT)
    assert result.traces["cell"]["v"][place, 0] == -65.0
    if "syn_i" in result.traces["cell"]:
        assert result.traces["cell"]["syn_i"][place, 0] == 30.0
    else:  # nothing is left of it
        without = heard(receptor, 0.0, arrival=FIRST, **options)
        np.testing.assert_array_equal(result.traces["cell"]["v"], without.traces["cell"]["v"])


@FUSE
def test_a_jump_over_the_threshold_is_a_spike_of_the_next_step(fuse):
    result = heard(Delta(), 20.0, fuse=fuse, method="exponential_euler", duration=8.0)
    place = round(ARRIVAL / DT)
    np.testing.assert_allclose(result.traces["cell"]["v"][place, 0], -45.0)
    np.testing.assert_allclose(result.spikes["cell"].t, ARRIVAL + DT)
    assert result.traces["cell"]["v"][place + 1, 0] == -65.0


# -- with every model

WITH_V = [entry for entry in all_models().values() if "v" in entry.cls.State._fields]
MODELS = pytest.mark.parametrize("entry", WITH_V, ids=lambda entry: entry.name)
ALL = {f"syn{k}": cls() for k, cls in enumerate(RECEPTORS.values())}


def numbers(model, n=5):
    """The model with numbers bound, and a state away from rest."""
    rng = np.random.default_rng(7)
    s = model.init(np)
    return type(s)(*(np.broadcast_to(x, n) * rng.uniform(0.9, 1.1, n) + rng.uniform(0.01, 0.1, n) for x in s))


@MODELS
def test_composition_adds_currents_and_leaves_the_model_alone(entry):
    model = entry.cls()
    both = compose(model, ALL)
    s = numbers(both)
    own = model.State(*(getattr(s, name) for name in model.State._fields))
    current = np.linspace(0.1, 0.5, 5)
    injected, slopes, arrived_values = current, {}, {}
    v = s.v
    weights = {name: np.linspace(0.2, 0.6, 5) + k for k, name in enumerate(ALL)}
    for name, receptor in ALL.items():
        r = receptor.State(*(getattr(s, f"{name}_{x}") for x in receptor.State._fields))
        given = receptor.current(np, r, s.v)
        injected = injected if given is None else injected + given
        slopes |= {f"{name}_{x}": y for x, y in receptor.derivatives(np, r)._asdict().items()}
        r, v = receptor.arrive(np, r, v, weights[name])
        arrived_values |= {f"{name}_{x}": y for x, y in r._asdict().items()}
    assert np.all(injected != current)

    derivatives = both.derivatives(np, s, current)._asdict()
    expected = model.derivatives(np, own, injected)._asdict() | slopes
    assert list(derivatives) == list(expected) == list(both.State._fields)
    for name, value in expected.items():
        np.testing.assert_array_equal(derivatives[name], value, name)

    np.testing.assert_array_equal(both.threshold(np, s), model.threshold(np, own))
    after = both.arrive(np, s, weights)._asdict()
    for name, value in (own._asdict() | {"v": v} | arrived_values).items():
        np.testing.assert_array_equal(after[name], value, name)
    np.testing.assert_array_equal(v, s.v + weights["syn0"])  # of Delta alone
    assert both.resets() == model.resets()
    if model.resets():
        fresh = both.reset(np, s)
        assert fresh[len(own) :] == s[len(own) :], "receptors go on through a spike"
        for x, y in zip(fresh, model.reset(np, own), strict=False):
            np.testing.assert_array_equal(x, y)
    assert both.max_dt() == min(model.max_dt(), *(receptor.max_dt() for receptor in ALL.values()))


@MODELS
def test_an_arrival_moves_every_model(entry):
    """Up for excitation and down for inhibition, from its arrival on and no earlier."""
    dt = min(0.02, entry.reference.dt)
    units = entry.cls().current_unit
    weight = 0.2 * entry.reference.drive
    arrival = SPIKE + DELAY
    place = round(arrival / dt)
    v = {}
    for sign in (-1.0, 0.0, 1.0):
        options = {"dt": dt, "duration": 5.0, "method": entry.reference.method, "model": entry.cls()}
        result = heard(ExponentialCurrent(3.0), sign * weight, arrival=arrival, **options)
        v[sign] = result.traces["cell"]["v"][:, 0]
    for sign in (-1.0, 1.0):
        np.testing.assert_array_equal(v[sign][: place + 1], v[0.0][: place + 1])
        assert np.all(sign * (v[sign] - v[0.0])[place + 1 : place + 10] > 0.0), units


# -- names, units, refusals


def test_state_variables_are_named_after_the_receptor():
    receptors = {"ampa": BiexponentialConductance(), "gaba": ExponentialConductance(), "gap": Delta()}
    population = Population("cells", LIF(), 2, receptors=receptors)
    assert population.neuron.State._fields == ("v", "ampa_decay", "ampa_rise", "gaba_g")
    net = Network((population,))
    records = [Record("cells", name) for name in population.neuron.State._fields]
    result = simulate(net, duration=1.0, dt=DT, record=records, fuse="off")
    assert result.unit("cells", "gaba_g") == "µS"
    assert result.unit("cells", "v") == "mV"
    assert list(Simulation(net, dt=DT, fuse="off").state("cells")) == list(population.neuron.State._fields)


def test_one_class_for_one_kind():
    """So that populations of one kind share a kernel, whatever their parameters."""
    one, two = (compose(LIF(tau_m=x), {"syn": ExponentialCurrent(x)}) for x in (5.0, 7.0))
    assert type(one) is type(two)
    assert (one.tau_m, two.syn_tau) == (5.0, 7.0)
    assert type(compose(LIF(), {"other": ExponentialCurrent()})) is not type(one)
    model = LIF()
    assert compose(model, {}) is model


@EACH
def test_units_and_signs_of_weights(name):
    cls = RECEPTORS[name]
    assert (cls.weight_unit, cls.weight_sign) == {
        "Delta": ("mV", 0),
        "ExponentialCurrent": ("nA", 0),
        "AlphaCurrent": ("nA", 0),
    }.get(name, ("µS", 1))


@EACH
def test_a_weight_below_zero(name, refuses):
    def network(weight):
        return Network(
            (Population("cells", LIF(), 2, receptors={"syn": RECEPTORS[name]()}),),
            (Projection("cells", "cells", connect.all_to_all(), weight=weight, delay=1.0, receptor="syn"),),
        )

    if RECEPTORS[name].weight_sign == 0:
        assert network(-1.0).projections
    else:
        with refuses("weight = -1 is below 0", f"{name} 'syn' takes weights of at least 0", "reversal potential"):
            network(-1.0)


TIMES = [(cls, name) for cls in RECEPTORS.values() for name in cls().values() if name.startswith("tau")]


@pytest.mark.parametrize(("cls", "name"), TIMES, ids=lambda x: getattr(x, "__name__", x))
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_time_constants_are_positive(cls, name, value, refuses):
    with refuses(f"{cls.__name__}.{name} = {value:g} ms: must be"):
        cls(**{name: value})


def test_bad_values(refuses):
    with refuses("tau_decay = 1.0 ms is not above tau_rise = 1.0 ms", "AlphaConductance(tau) where they are equal"):
        BiexponentialConductance(tau_rise=1.0, tau_decay=1.0)
    with refuses("BiexponentialConductance: tau_decay = "):
        BiexponentialConductance(tau_rise=[1.0, 6.0], tau_decay=[3.0, 5.0])
    with refuses("ExponentialCurrent.tau = 'fast' is no number"):
        ExponentialCurrent("fast")
    with refuses("ExponentialConductance has no parameter 'e_ref': ", "e_rev"):
        ExponentialConductance().replace(e_ref=3.0)


def test_receptors_of_a_population_that_cannot_be(refuses):
    def population(receptors, model=None, n=3):
        return Population("cells", model or LIF(), n, receptors=receptors)

    with refuses(
        "population 'cells': receptors = ", "write for example receptors={'excitatory': ExponentialCurrent()}"
    ):
        population((Delta(),))
    with refuses("population 'cells': receptor name 'fast one' is no identifier"):
        population({"fast one": Delta()})
    with refuses("population 'cells': receptor 'syn' is ", "write for example Delta()"):
        population({"syn": Delta})
    with refuses("population 'cells': receptor 'syn' is 3.0, no Receptor"):
        population({"syn": 3.0})
    with refuses("population 'cells': ExponentialCurrent.tau has 2 values for 3 neurons"):
        population({"syn": ExponentialCurrent([1.0, 2.0])})
    with refuses("population 'cells': PoissonSource has no membrane potential v for receptors to act on"):
        population({"syn": Delta()}, all_models()["PoissonSource"].cls())
    with refuses("population 'cells': SpikeSource has no membrane potential v"):
        population({"syn": Delta()}, SpikeSource([1.0]))
    with refuses("two things would be named 'a_b_i': give the receptor another name"):
        population({"a": Underlined(), "a_b": ExponentialCurrent()})
    with refuses("dt = 0.5 ms is too large for population 'cells': "):
        Simulation(Network((population({"syn": ExponentialCurrent(0.2)}),)), dt=0.5)


class Underlined(Receptor):
    """Its state in population x has the name of another's in x_b."""

    class State(NamedTuple):
        b_i: object

    def arrive(self, xp, s, v, weight):
        return s, v


def test_a_name_is_registered_once(refuses):
    with refuses("receptor 'Delta' is registered already: give the class another name"):
        register(type("Delta", (Receptor,), {"arrive": Delta.arrive}))
