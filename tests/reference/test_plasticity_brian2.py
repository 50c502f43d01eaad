"""Every rule of plasticity against brian2: the same spikes, synapses and delays, weights to 1e-9."""

import importlib.util

import numpy as np
import pytest

from neurosim import Network, Population, Projection, Record, Simulation, SpikeSource, connect
from neurosim.models import LIF
from neurosim.plasticity import STDP, TripletSTDP, TsodyksMarkram
from neurosim.receptors import Delta
from neurosim.reference import _quiet_brian2

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed"),
]
DT, DURATION, SOURCES, TARGETS = 0.1, 200.0, 12, 10
PAIR = STDP(tau_plus=16.8, tau_minus=33.7, a_plus=0.03, a_minus=0.035, w_max=1.0, w_min=0.1)
TRIPLET = TripletSTDP(16.8, 101.0, 33.7, 125.0, 0.01, 0.02, 0.03, 0.01, w_max=1.0, w_min=0.1)
TRACES = """
w : 1
dr1/dt = -r1/(16.8*ms) : 1 (event-driven)
dr2/dt = -r2/(101*ms) : 1 (event-driven)
do1/dt = -o1/(33.7*ms) : 1 (event-driven)
do2/dt = -o2/(125*ms) : 1 (event-driven)
"""
# rule → on_pre, on_post, typed from the papers; a spike arrives with the weight before it changes
RULES = {
    "additive": (
        PAIR,
        "w = clip(w - 0.035*o1*0.9, 0.1, 1); r1 += 1",
        "w = clip(w + 0.03*r1*0.9, 0.1, 1); o1 += 1",
    ),
    "additive, nearest": (
        PAIR.replace(pairing="nearest"),
        "w = clip(w - 0.035*o1*0.9, 0.1, 1); r1 = 1",
        "w = clip(w + 0.03*r1*0.9, 0.1, 1); o1 = 1",
    ),
    "multiplicative": (
        PAIR.replace(dependence="multiplicative"),
        "w = clip(w - 0.035*o1*(w - 0.1), 0.1, 1); r1 += 1",
        "w = clip(w + 0.03*r1*(1 - w), 0.1, 1); o1 += 1",
    ),
    "multiplicative, nearest": (
        PAIR.replace(dependence="multiplicative", pairing="nearest"),
        "w = clip(w - 0.035*o1*(w - 0.1), 0.1, 1); r1 = 1",
        "w = clip(w + 0.03*r1*(1 - w), 0.1, 1); o1 = 1",
    ),
    "triplet": (
        TRIPLET,
        "w = clip(w - o1*(0.03 + 0.01*r2)*0.9, 0.1, 1); r1 += 1; r2 += 1",
        "w = clip(w + r1*(0.01 + 0.02*o2)*0.9, 0.1, 1); o1 += 1; o2 += 1",
    ),
    "triplet, nearest": (
        TRIPLET.replace(pairing="nearest"),
        "w = clip(w - o1*(0.03 + 0.01*r2)*0.9, 0.1, 1); r1 = 1; r2 = 1",
        "w = clip(w + r1*(0.01 + 0.02*o2)*0.9, 0.1, 1); o1 = 1; o2 = 1",
    ),
}
SHORT_TERM = {
    "depression": TsodyksMarkram(U=0.5, tau_rec=80.0),
    "facilitation": TsodyksMarkram(U=0.1, tau_rec=20.0, tau_facil=150.0),
}


def synapses(delays):
    """Sources, targets, weights and delays in steps: autapse-free pairs, some more than once."""
    rng = np.random.default_rng(8)
    pairs = [rng.integers(size, size=70) for size in (SOURCES, TARGETS)]
    return *pairs, rng.uniform(0.1, 1.0, 70), rng.choice(delays, 70)


def given_spikes(n, seed, first=1):
    """Steps and neurons of random spikes, at most one in four steps of a neuron."""
    rng = np.random.default_rng(seed)
    steps = np.concatenate([np.cumsum(rng.integers(4, 150, 60)) + first for _ in range(n)])
    neurons = np.repeat(np.arange(n), 60)
    within = steps < DURATION / DT - 1
    return steps[within], neurons[within]


def ours(rule, pre, post, listed, fuse, receptor_scale):
    """The network here; a teacher makes the targets spike in the given steps."""
    source, target, weight, delay = listed
    receptors = {"teacher": Delta(), "plastic": Delta()}
    cells = LIF(tau_m=1e13, v_rest=-70.0, v_thresh=-50.0, v_reset=-70.0)
    teacher = SpikeSource((post[0] - 1) * DT, post[1])  # its spikes arrive a step later, and cross a step after that
    net = Network(
        (
            Population("pre", SpikeSource((pre[0] + 1) * DT, pre[1]), SOURCES),
            Population("teacher", teacher, TARGETS),
            Population("post", cells, TARGETS, receptors=receptors),
        ),
        (
            Projection("teacher", "post", connect.one_to_one(), 1e4, DT, "teacher"),
            Projection(
                "pre",
                "post",
                connect.from_arrays(source, target),
                weight * receptor_scale,
                delay * DT,
                "plastic",
                plasticity=rule,
                name="syn",
            ),
        ),
    )
    simulation = Simulation(net, dt=DT, backend="numpy", fuse=fuse)
    records = [Record("post", "spikes"), Record("post", "v")]
    if rule.learns:
        records.append(Record("syn", "weight"))
    return simulation, simulation.run(DURATION, record=records)


def theirs(model, on_pre, on_post, pre, post, listed, variables):
    """The same in brian2, and its traces of each synapse, in the order of the list."""
    source, target, weight, delay = listed
    with _quiet_brian2() as b:
        step = DT * b.ms
        sources = b.SpikeGeneratorGroup(SOURCES, pre[1], pre[0] * step, dt=step)
        targets = b.SpikeGeneratorGroup(TARGETS, post[1], post[0] * step, dt=step)
        made = b.Synapses(sources, targets, model, on_pre=on_pre, on_post=on_post, dt=step)
        made.connect(i=source, j=target)
        made.w, made.pre.delay = weight, delay * step
        if "x" in variables:
            made.x = 1.0
        kept = b.StateMonitor(made, variables, record=True, dt=step)
        b.Network(sources, targets, made, kept).run(DURATION * b.ms, namespace={})
        return {name: np.array(getattr(kept, name)).T for name in variables}


@pytest.mark.parametrize("fuse", ["off", "require"])
@pytest.mark.parametrize("delays", [[3], [1, 4, 30, 77]], ids=["equal delays", "delays"])
@pytest.mark.parametrize("name", RULES)
def test_weights_are_brian2s(name, delays, fuse):
    rule, on_pre, on_post = RULES[name]
    pre, post, listed = given_spikes(SOURCES, 1), given_spikes(TARGETS, 2, first=3), synapses(delays)
    expected = theirs(TRACES, on_pre, on_post, pre, post, listed, ["w"])["w"]

    scale = 1e-6  # mV: the plastic synapses have no say in when their targets spike
    small = rule.replace(w_max=rule.w_max * scale, w_min=rule.w_min * scale)
    simulation, result = ours(small, pre, post, listed, fuse, scale)
    order = np.lexsort((post[1], post[0]))
    np.testing.assert_array_equal(result.spikes["post"].i, post[1][order])
    np.testing.assert_array_equal(np.rint(result.spikes["post"].t / DT).astype(int) - 1, post[0][order])

    order = np.lexsort((listed[3], listed[1], listed[0]))
    found = simulation.weights("syn")
    np.testing.assert_array_equal(found.source, listed[0][order])
    np.testing.assert_array_equal(found.target, listed[1][order])
    # a sample is of the beginning of a step in both
    np.testing.assert_allclose(result.traces["syn"]["weight"] / scale, expected[:, order], rtol=0, atol=1e-9)
    assert (expected[-1] != expected[0]).mean() > 0.9
    assert ((expected > 0.1) & (expected < 1.0)).any(axis=0).all()
    assert name.startswith("multi") or (expected == 0.1).any() or (expected == 1.0).any()


@pytest.mark.parametrize("fuse", ["off", "require"])
@pytest.mark.parametrize("delays", [[3], [1, 4, 30, 77]], ids=["equal delays", "delays"])
@pytest.mark.parametrize("name", SHORT_TERM)
def test_short_term_plasticity_is_brian2s(name, delays, fuse):
    """By what has arrived at each neuron so far: nothing else moves their membrane potential."""
    rule = SHORT_TERM[name]
    pre, listed = given_spikes(SOURCES, 3), synapses(delays)
    nothing = np.empty(0, int), np.empty(0, int)
    facilitation = f"du/dt = -u/({rule.tau_facil}*ms) : 1 (event-driven)" if rule.tau_facil else "u : 1"
    model = f"w : 1\narrived : 1\n{facilitation}\ndx/dt = (1 - x)/({rule.tau_rec}*ms) : 1 (event-driven)"
    fresh = "" if rule.tau_facil else "u = 0; "
    on_pre = f"{fresh}u += {rule.U}*(1 - u); arrived += w*u*x; x -= u*x"
    expected = theirs(model, on_pre, "", pre, nothing, listed, ["arrived", "x"])["arrived"]
    per_neuron = np.stack([expected[:, listed[1] == n].sum(axis=1) for n in range(TARGETS)], axis=1)

    scale = 1e-3  # mV: the targets stay below their threshold
    _, result = ours(rule, pre, nothing, listed, fuse, scale)
    assert len(result.spikes["post"].t) == 0
    np.testing.assert_allclose((result.traces["post"]["v"] + 70.0) / scale, per_neuron, rtol=0, atol=1e-9)
    assert per_neuron[-1].min() > 0.5
