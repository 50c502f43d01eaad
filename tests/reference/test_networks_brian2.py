"""Networks against brian2: the same synapses in both, typed by hand there.

A spike found in the step from k·dt to (k + 1)·dt has the time (k + 1)·dt here and k·dt there, so that it arrives
after a delay of d steps at the end of step k + d in both. A refractory period of R steps is one of R + 1 there.
"""

import importlib.util
import re

import numpy as np
import pytest

from neurosim import Constant, Network, Population, Projection, Record, Simulation, SpikeSource, analysis, connect
from neurosim.connect import CONNECTORS
from neurosim.distributions import Uniform
from neurosim.layout import layout
from neurosim.models import LIF
from neurosim.projection import names
from neurosim.receptors import RECEPTORS
from neurosim.reference import _quiet_brian2
from neurosim.wiring import connections, wire

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed"),
]
DT, DURATION = 0.1, 210.0
N, N_SOURCES = 40, 8
TOLERANCE = 1e-9  # mV

# Per receptor: its own equations in brian2's notation, typed from the sources in its docstring; the current into
# LIF; what a spike does. Times in ms, as in LIF's equation below.
EQUATIONS = {
    "Delta": ("", "0", "v_post += w"),
    "ExponentialCurrent": ("di/dt = -i/(tau*ms) : 1", "i", "i_post += w"),
    "AlphaCurrent": (
        """
        di/dt = (h - i)/(tau*ms) : 1
        dh/dt = -h/(tau*ms) : 1
        """,
        "i",
        "h_post += w*exp(1)",
    ),
    "ExponentialConductance": ("dg/dt = -g/(tau*ms) : 1", "g*(e_rev - v)", "g_post += w"),
    "AlphaConductance": (
        """
        dg/dt = (h - g)/(tau*ms) : 1
        dh/dt = -h/(tau*ms) : 1
        """,
        "g*(e_rev - v)",
        "h_post += w*exp(1)",
    ),
    "BiexponentialConductance": (
        """
        da/dt = -a/(tau_decay*ms) : 1
        db/dt = -b/(tau_rise*ms) : 1
        """,
        "(a - b)*(e_rev - v)",
        # 1/(e^(−t/tau_decay) − e^(−t/tau_rise)) at its peak, for 0.5 and 5 ms: t = (5/9)·ln 10 ms
        """
        a_post += w*1.435055183349871
        b_post += w*1.435055183349871
        """,
    ),
}
# our state variable → brian2's expression
STATES = {
    "Delta": {},
    "ExponentialCurrent": {"i": "i"},
    "AlphaCurrent": {"i": "i", "rise": "h/tau"},
    "ExponentialConductance": {"g": "g"},
    "AlphaConductance": {"g": "g", "rise": "h/tau"},
    "BiexponentialConductance": {"decay": "a", "rise": "b"},
}

WEIGHT = {
    "Delta": 1.0,
    "ExponentialCurrent": 0.2,
    "AlphaCurrent": 0.3,
    "ExponentialConductance": 0.004,
    "AlphaConductance": 0.005,
    "BiexponentialConductance": 0.004,
}  # of excitation, strong enough that the spikes of each neuron decide on those of others


def cells(name, n, receptors, t_ref, seed, stimuli=()):
    """Neurons that fire by themselves, each with a rate of its own."""
    rng = np.random.default_rng(seed)
    drive = Constant(np.linspace(1.3, 2.2, n))
    init = {"v": rng.uniform(-65.0, -50.0, n)}
    return Population(name, LIF(), n, (drive, *stimuli), t_ref=t_ref, init=init, receptors=receptors)


def given_spikes(seed):
    rng = np.random.default_rng(seed)
    steps = rng.choice(round(DURATION / DT) - 1, 60, replace=False) + 1
    return Population("given", SpikeSource(steps * DT, rng.integers(0, N_SOURCES, 60)), N_SOURCES)


def synapses_of(net, seed=0):
    """Source, target, weight and delay of each synapse of each projection, as the engine has them."""
    where = layout(net, 1)
    wiring = wire(net, where, DT, seed, "float64")
    return {name: connections(wiring, where, net, DT, name) for name in names(net.projections)}


class Ours:
    """A run here."""

    def __init__(self, net, method, fuse):
        neurons = [p for p in net.populations if p.name != "given"]
        records = [Record(p.name, "spikes") for p in net.populations]
        records += [Record(p.name, name) for p in neurons for name in p.neuron.State._fields]
        result = Simulation(net, dt=DT, method=method, fuse=fuse).run(DURATION, record=records)
        self.traces = result.traces
        self.spikes = {name: (np.rint(s.t / DT).astype(int) - 1, s.i) for name, s in result.spikes.items()}


class Brian2:
    """The same network there."""

    def __init__(self, net, method, extra=""):
        with _quiet_brian2() as brian2:
            ms = brian2.ms
            groups, monitors, objects = {}, {}, []
            for p in net.populations:
                if p.name == "given":
                    steps = np.rint(p.model.t / DT) - 1
                    groups[p.name] = brian2.SpikeGeneratorGroup(p.n, p.model.i, steps * DT * ms, dt=DT * ms)
                    monitors[p.name] = brian2.SpikeMonitor(groups[p.name]), None
                    continue
                groups[p.name] = self._group(brian2, p, method, extra)
                observed = ["v"] + [
                    f"{name}_{variable}" for name, r in p.receptors.items() for variable in STATES[type(r).__name__]
                ]
                spikes = brian2.SpikeMonitor(groups[p.name])
                monitors[p.name] = spikes, brian2.StateMonitor(groups[p.name], observed, record=True)
            for (i, j, w, delay), projection in zip(synapses_of(net).values(), net.projections, strict=True):
                receptor = net[projection.target].receptors[projection.receptor]
                on_pre = _renamed(EQUATIONS[type(receptor).__name__][2], projection.receptor)
                synapses = brian2.Synapses(
                    groups[projection.source], groups[projection.target], "w : 1", on_pre=on_pre, dt=DT * ms
                )
                synapses.connect(i=i, j=j)
                synapses.w, synapses.delay = w, delay * ms
                objects.append(synapses)
            objects += [*groups.values(), *(m for pair in monitors.values() for m in pair if m is not None)]
            brian2.Network(*objects).run(DURATION * ms, namespace={})
            self.spikes = {
                name: (np.rint(np.asarray(spikes.t / ms) / DT).astype(int), np.array(spikes.i))
                for name, (spikes, _) in monitors.items()
            }
            self.traces = {
                name: {x: np.array(getattr(traces, x)).T for x in traces.record_variables}
                for name, (_, traces) in monitors.items()
                if traces is not None
            }

    @staticmethod
    def _group(brian2, p, method, extra):
        step = DT * brian2.ms
        lines, currents, namespace = [], [], {}
        for name, receptor in p.receptors.items():
            equations, current, _ = EQUATIONS[type(receptor).__name__]
            lines.append(_renamed(equations, name))
            currents.append(f"({_renamed(current, name)})")
            namespace |= {f"{name}_{parameter}": value for parameter, value in receptor.values().items()}
            lines += [
                f"{name}_{ours} = {_renamed(theirs, name)} : 1"
                for ours, theirs in STATES[type(receptor).__name__].items()
                if f"{name}_{ours}" != _renamed(theirs, name)
            ]
        total = " + ".join(["drive", *currents, *([extra] if extra else [])])
        group = brian2.NeuronGroup(
            p.n,
            f"dv/dt = (-65 - v + 10*({total}))/(10*ms) : 1 (unless refractory)\ndrive : 1 (constant)\n"
            + "\n".join(lines),
            threshold="v > -50",
            reset="v = -65",
            refractory=(round(p.t_ref / DT) + 1) * step if p.t_ref else False,
            method=method,
            dt=step,
            namespace=namespace,
        )
        group.drive, group.v = p.stimuli[0].values()["amplitude"], p.init["v"]
        return group


_NAMES = r"\b(i|h|g|a|b|tau|e_rev|tau_rise|tau_decay|(?:i|h|g|a|b)_post)\b"


def _renamed(text, name):
    """The variables of a receptor, behind its name; differentials too."""
    text = re.sub(r"\bd(i|h|g|a|b)/dt", rf"d{name}_\1/dt", text)
    return re.sub(_NAMES, rf"{name}_\1", text)


def judged(net, method="exponential_euler", fuse="off", extra=""):
    """Both runs, whose spikes are the same one by one; the largest difference of each variable."""
    ours, theirs = Ours(net, method, fuse), Brian2(net, method, extra)
    for name in theirs.spikes:
        (steps, neurons), (their_steps, their_neurons) = ours.spikes[name], theirs.spikes[name]
        order = np.lexsort((their_neurons, their_steps))
        np.testing.assert_array_equal(steps, their_steps[order], name)
        np.testing.assert_array_equal(neurons, their_neurons[order], name)
    differences = {
        f"{name}.{x}": float(np.abs(ours.traces[name][x] - values).max())
        for name, traces in theirs.traces.items()
        for x, values in traces.items()
    }
    assert max(differences.values()) <= TOLERANCE, differences
    return ours


def recurrent(receptors, t_ref, seed, n=N, strength=1.0):
    """Synapses of each receptor within one population, and from given spikes; delays from 1 to 30 steps."""
    rng = np.random.default_rng(seed)
    population, given = cells("cells", n, receptors, t_ref, seed), given_spikes(seed)
    projections = []
    for name, receptor in receptors.items():
        scale = strength * WEIGHT[type(receptor).__name__]
        low = 0.0 if receptor.weight_sign else -0.5 * scale
        for source in (population, given):
            count = n * (8 if source is population else 2)
            projections.append(
                Projection(
                    source.name,
                    "cells",
                    connect.from_arrays(rng.integers(0, source.n, count), rng.integers(0, n, count)),
                    weight=rng.uniform(low, scale, count),
                    delay=DT * rng.integers(1, 31, count),
                    receptor=name,
                )
            )
    return Network((population, given), tuple(projections))


def listened(ours, net):
    """Whether the synapses matter: without them the spikes are others; and how many there are."""
    alone = Ours(Network(net.populations), "exponential_euler", "off")
    assert len(ours.spikes["cells"][0]) > 200
    return not np.array_equal(ours.spikes["cells"][1], alone.spikes["cells"][1])


@pytest.mark.parametrize("name", list(RECEPTORS))
def test_a_recurrent_network_of_each_receptor(name):
    net = recurrent({"syn": RECEPTORS[name]()}, 2.0, seed=3)
    assert listened(judged(net), net)


@pytest.mark.parametrize(("method", "t_ref", "fuse"), [("exponential_euler", 0.0, "require"), ("rk4", 0.1, "off")])
def test_all_receptors_of_one_neuron(method, t_ref, fuse):
    """Shunting inhibition too, with parameters of its own; a refractory period of one step, and none."""
    receptors = {name.lower(): cls() for name, cls in RECEPTORS.items()}
    receptors["gaba"] = RECEPTORS["ExponentialConductance"](tau=8.0, e_rev=-80.0)
    net = recurrent(receptors, t_ref, seed=4, n=25, strength=0.15)
    assert listened(judged(net, method, fuse), net)


def test_exact_integration():
    receptors = {"exc": RECEPTORS["ExponentialCurrent"](2.0), "slow": RECEPTORS["ExponentialCurrent"](12.0)}
    net = recurrent(receptors, 2.0, seed=5)
    assert listened(judged(net, "exact", "require"), net)


def connectors(tmp_path):
    """Every registered connector between populations of 24 and 30 neurons."""
    rng = np.random.default_rng(8)
    np.savetxt(tmp_path / "synapses.csv", np.stack([rng.integers(0, 24, 50), rng.integers(0, 30, 50)], 1), fmt="%d")
    x, y = np.sort(rng.random(24)), np.sort(rng.random(30))
    return {
        "all_to_all": connect.all_to_all(),
        "one_to_one": None,
        "fixed_probability": connect.fixed_probability(0.2),
        "fixed_in_degree": connect.fixed_in_degree(4),
        "fixed_out_degree": connect.fixed_out_degree(4),
        "fixed_total_number": connect.fixed_total_number(150),
        "distance_dependent": connect.distance_dependent(x, connect.gaussian(0.1, 0.6), y, periodic=1.0),
        "from_arrays": connect.from_arrays(rng.integers(0, 24, 60), rng.integers(0, 30, 60)),
        "from_matrix": connect.from_matrix(rng.random((24, 30)) < 0.1),
        "from_file": connect.from_file(tmp_path / "synapses.csv"),
    }


def test_every_connector_in_one_network(tmp_path):
    """Between populations with and without refractory periods, weights and delays from distributions, compiled."""
    given, receptors = given_spikes(9), {"syn": RECEPTORS["ExponentialCurrent"](4.0), "jump": RECEPTORS["Delta"]()}
    populations = cells("cells", 24, receptors, 0.0, 1), given, cells("others", 30, receptors, 1.5, 2)
    examples = connectors(tmp_path)
    assert set(examples) == set(CONNECTORS), "a new connector needs its example here"
    projections = [
        Projection(
            "cells",
            "others" if connector is not None else "cells",
            connector or connect.one_to_one(),
            weight=Uniform(-0.02, 0.06) if k % 2 else 0.05,
            delay=Uniform(0.1, 2.0) if k % 3 else 1.2,
            receptor="jump" if k % 4 == 3 else "syn",
            name=name,
        )
        for k, (name, connector) in enumerate(examples.items())
    ]
    projections += [
        Projection("others", "cells", connect.fixed_probability(0.2), -0.05, 0.5, "syn", name="back"),
        Projection("given", "others", connect.fixed_probability(0.3), 3.0, 0.1, "jump", name="given"),
    ]
    net = Network(populations, tuple(projections))
    assert all(len(i) > 20 for i, *_ in synapses_of(net).values())
    ours = judged(net, fuse="require")
    assert all(len(ours.spikes[name][0]) > 150 for name in ("cells", "others"))


# -- each draws its own synapses

N_EXC, N_INH, STOP, SETTLED = 320, 80, 600.0, 100.0
P, W_EXC, W_INH = 0.1, 0.6, -4.0  # probability, mV
SEEDS = range(6)


def statistics(t, i):
    """Mean rate, CV of the intervals, mean pairwise correlation of 60 neurons, after the beginning."""
    kept = t > SETTLED
    t, i = t[kept], i[kept]
    n = N_EXC + N_INH
    pairs = analysis.correlations(t, i, range(0, n, 7), bin=10.0, start=SETTLED, stop=STOP)
    return (
        analysis.rates(t, i, n, start=SETTLED, stop=STOP).mean(),
        np.nanmean(analysis.cv(t, i, n)),
        np.nanmean(pairs[np.triu_indices_from(pairs, 1)]),
    )


def our_statistics(seed):
    rng = np.random.default_rng(seed)
    populations = [
        Population(
            name,
            LIF(),
            n,
            (Constant(np.linspace(1.8, 2.6, n)),),
            t_ref=2.0,
            init={"v": rng.uniform(-65.0, -50.0, n)},
            receptors={"jump": RECEPTORS["Delta"]()},
        )
        for name, n in (("exc", N_EXC), ("inh", N_INH))
    ]
    projections = [
        Projection(source, target, connect.fixed_probability(P), weight, 1.5, "jump")
        for source, weight in (("exc", W_EXC), ("inh", W_INH))
        for target in ("exc", "inh")
    ]
    net = Network(tuple(populations), tuple(projections))
    simulation = Simulation(net, dt=DT, seed=seed, fuse="require")
    result = simulation.run(STOP, record=[Record("exc", "spikes"), Record("inh", "spikes")])
    exc, inh = result.spikes["exc"], result.spikes["inh"]
    return statistics(np.concatenate([exc.t, inh.t]), np.concatenate([exc.i, inh.i + N_EXC]))


def brian2_statistics(seed):
    with _quiet_brian2() as brian2:
        ms, n = brian2.ms, N_EXC + N_INH
        brian2.seed(seed + 100)
        group = brian2.NeuronGroup(
            n,
            """
            dv/dt = (-65 - v + 10*drive)/(10*ms) : 1 (unless refractory)
            drive : 1 (constant)
            """,
            threshold="v > -50",
            reset="v = -65",
            refractory=2.1 * ms,
            method="exponential_euler",
            dt=DT * ms,
        )
        group.v = "-65 + 15*rand()"
        group.drive = np.concatenate([np.linspace(1.8, 2.6, N_EXC), np.linspace(1.8, 2.6, N_INH)])
        objects = [group, brian2.SpikeMonitor(group)]
        for part, weight in ((group[:N_EXC], W_EXC), (group[N_EXC:], W_INH)):
            synapses = brian2.Synapses(part, group, on_pre=f"v_post += {weight}", delay=1.5 * ms, dt=DT * ms)
            synapses.connect(p=P)
            objects.append(synapses)
        brian2.Network(*objects).run(STOP * ms, namespace={})
        return statistics(np.asarray(objects[1].t / ms) + DT, np.array(objects[1].i))


@pytest.mark.slow
def test_random_networks_are_alike():
    """Rates, irregularity and correlations, where each program draws its own synapses and initial potentials."""
    ours, theirs = (np.array([f(seed) for seed in SEEDS]) for f in (our_statistics, brian2_statistics))
    error = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / len(SEEDS))
    difference = ours.mean(axis=0) - theirs.mean(axis=0)
    # enough to see a rate or a CV that is wrong by 15 and 10 %, and a correlation by 0.04
    assert np.all(3.5 * error < [0.15 * theirs[:, 0].mean(), 0.1 * theirs[:, 1].mean(), 0.04])
    assert np.all(np.abs(difference) < 3.5 * error), (difference, error)
