"""The benchmarks of Brette et al. 2007 in brian2: with the same synapses and the same state at the beginning, both
simulators give the same spikes, until rounding makes chaos of it.

What is written for brian2 here is also what the ``REFERENCE`` of the scenarios was made with, there with
``connect(p=0.02)`` and brian2's own initial state.
"""

import importlib.util

import numpy as np
import pytest

from neurosim import Network, Projection, Record, connect, simulate
from neurosim.reference import _quiet_brian2
from neurosim.scenarios import coba, cobahh, cuba
from neurosim.scenarios._brette import DELAY, DT, EXC, INH, N_EXC, N_INH, network

DURATION = 100.0  # ms
CONDUCTANCES = """
    dexcitatory/dt = -excitatory/(5*ms) : 1
    dinhibitory/dt = -inhibitory/(10*ms) : 1
"""
FORMULAS = {
    "coba": (
        "dv/dt = ((-60 - v) + 100*(excitatory*(0 - v) + inhibitory*(-80 - v)))/(20*ms) : 1 (unless refractory)",
        {"threshold": "v > -50", "reset": "v = -60", "refractory": 5.1},
    ),
    "cuba": (
        "dv/dt = ((-49 - v) + excitatory + inhibitory)/(20*ms) : 1 (unless refractory)",
        {"threshold": "v > -50", "reset": "v = -60", "refractory": 5.1},
    ),
    "cobahh": (
        """
        dv/dt = (0.05*(-60 - v) + excitatory*(0 - v) + inhibitory*(-80 - v)
                 - 100*(m*m*m)*h*(v - 50) - 30*(n*n*n*n)*(v + 90))/ms : 1
        dm/dt = (alpha_m*(1 - m) - beta_m*m)/ms : 1
        dh/dt = (alpha_h*(1 - h) - beta_h*h)/ms : 1
        dn/dt = (alpha_n*(1 - n) - beta_n*n)/ms : 1
        alpha_m = 0.32*4/exprel((-50 - v)/4) : 1
        beta_m = 0.28*5/exprel((v + 23)/5) : 1
        alpha_h = 0.128*exp((-46 - v)/18) : 1
        beta_h = 4/(1 + exp((-23 - v)/5)) : 1
        alpha_n = 0.032*5/exprel((-48 - v)/5) : 1
        beta_n = 0.5*exp((-53 - v)/40) : 1
        """,
        {"threshold": "v > -20", "refractory": "v > -20"},
    ),
}
SCENARIOS = {"coba": coba, "cuba": cuba, "cobahh": cobahh}


def in_brian2(name, source, target):
    """Steps and neurons of the spikes."""
    benchmark = SCENARIOS[name].BENCHMARK
    equations, options = FORMULAS[name]
    options = options | {"method": "exact" if benchmark.method == "exact" else "exponential_euler"}
    with _quiet_brian2() as brian2:
        ms = brian2.ms
        if not isinstance(options["refractory"], str):
            options["refractory"] = options["refractory"] * ms
        neurons = brian2.NeuronGroup(N_EXC + N_INH, equations + CONDUCTANCES, dt=DT * ms, **options)
        for variable, value in benchmark.begin(np.random.default_rng(1), N_EXC + N_INH).items():
            setattr(neurons, variable.removesuffix("_g"), value)
        spikes = brian2.SpikeMonitor(neurons)
        objects = [neurons, spikes]
        excites = source < N_EXC
        for receptor, weight, rows in zip(benchmark.receptors, benchmark.weights, (excites, ~excites), strict=True):
            objects.append(brian2.Synapses(neurons, neurons, on_pre=f"{receptor} += {weight!r}", delay=DELAY * ms))
            objects[-1].connect(i=source[rows], j=target[rows])
        brian2.Network(*objects).run(DURATION * ms, namespace={})
        return set(zip(np.rint(np.asarray(spikes.t / ms) / DT).astype(int), np.asarray(spikes.i), strict=True))


def here(name, source, target):
    """Steps and neurons of the spikes."""
    benchmark = SCENARIOS[name].BENCHMARK
    drawn = network(benchmark, 1)
    offset = {EXC: 0, INH: N_EXC}
    size = {EXC: N_EXC, INH: N_INH}
    projections = []
    for projection in drawn.projections:
        of, to = projection.source, projection.target
        kept = (source >= offset[of]) & (source < offset[of] + size[of])
        kept &= (target >= offset[to]) & (target < offset[to] + size[to])
        listed = connect.from_arrays(source[kept] - offset[of], target[kept] - offset[to])
        projections.append(Projection(of, to, listed, projection.weight, projection.delay, projection.receptor))
    net = Network(drawn.populations, tuple(projections))
    record = [Record(EXC, "spikes"), Record(INH, "spikes")]
    result = simulate(net, duration=DURATION, dt=DT, method=benchmark.method, record=record, backend="numpy")
    found = set()
    for population in (EXC, INH):
        t, i = result.spikes[population]
        found |= set(zip(np.rint(t / DT).astype(int) - 1, i + offset[population], strict=True))
    return found


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed")
@pytest.mark.parametrize("name", FORMULAS)
def test_same_synapses_same_spikes(name):
    n = N_EXC + N_INH
    source, target = np.nonzero(np.random.default_rng(5).random((n, n)) < 0.02)
    ours, theirs = here(name, source, target), in_brian2(name, source, target)
    assert len(theirs) > 1000
    assert ours == theirs
