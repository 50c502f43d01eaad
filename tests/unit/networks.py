"""Random small networks, and what a simulation of one leaves behind."""

import numpy as np
import pytest
from hypothesis import strategies as st

from neurosim import Constant, Network, Population, Projection, Record, Simulation, SpikeSource, connect
from neurosim.backends import threads
from neurosim.models import LIF, Izhikevich
from neurosim.receptors import (
    AlphaConductance,
    AlphaCurrent,
    BiexponentialConductance,
    Delta,
    ExponentialConductance,
    ExponentialCurrent,
)

DT = 0.1
CURRENTS = {"exc": ExponentialCurrent(3.0), "slow": AlphaCurrent(1.5), "jump": Delta()}
CONDUCTANCES = {
    "exc": ExponentialConductance(3.0),
    "slow": BiexponentialConductance(0.7, 4.0, -80.0),
    "alpha": AlphaConductance(1.5, -75.0),
}
# few kinds, so that few kernels are compiled
KINDS = {
    "lif": lambda name, n: Population(
        name, LIF(), n, stimuli=(Constant(np.linspace(1.4, 2.6, n)),), t_ref=1.2, receptors=CURRENTS
    ),
    "free": lambda name, n: Population(
        name, LIF(tau_m=7.0), n, stimuli=(Constant(np.linspace(2.6, 1.4, n)),), receptors={"jump": Delta()}
    ),
    "izhikevich": lambda name, n: Population(
        name, Izhikevich(), n, stimuli=(Constant(np.linspace(5.0, 15.0, n)),), receptors={"exc": CURRENTS["exc"]}
    ),
    "conductance": lambda name, n: Population(
        name, LIF(), n, stimuli=(Constant(np.linspace(1.4, 2.6, n)),), t_ref=1.2, receptors=CONDUCTANCES
    ),
}
SCALE = {"exc": 1.0, "slow": 0.7, "jump": 2.0, "alpha": 0.7}  # of weights, in their units


def population(kind, name, n):
    """A population of a kind."""
    return KINDS[kind](name, n)


def synapses(rng, source, target, receptor, count, *, delays=(1, 12), weights="float64", name=None):
    """So many synapses between any neurons: autapses and multapses among them."""
    scale = SCALE[receptor] * (0.02 if target.receptors[receptor].weight_sign else 1.0)
    low = 0.0 if target.receptors[receptor].weight_sign else -0.5 * scale
    weight = rng.uniform(low, scale, count)
    if weights == "float32":
        weight = weight.astype(np.float32).astype(np.float64)
    return Projection(
        source.name,
        target.name,
        connect.from_arrays(rng.integers(source.n, size=count), rng.integers(target.n, size=count)),
        weight=scale / 3 if weights == "constant" else weight,
        delay=DT * rng.integers(delays[0], delays[1] + 1, None if delays[0] == delays[1] else count),
        receptor=receptor,
        name=name,
    )


def sources(rng, n, duration=20.0):
    """Neurons that spike at random times."""
    count = 10 * n
    return Population("source", SpikeSource(rng.uniform(DT, duration, count), rng.integers(n, size=count)), n)


@st.composite
def networks(draw, kinds=("lif", "free", "izhikevich")):
    """Several populations of these kinds, all of whose receptors are reached, maybe by no synapse at all."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = st.sampled_from([1, 2, 9, 40, 270, 500])  # a block has 240 neurons or fewer
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    members = [population(kind, f"p{k}", draw(sizes)) for k, kind in enumerate(chosen)]
    senders = list(members)
    if draw(st.booleans()):
        given = sources(rng, draw(sizes))
        senders.append(given)
        members.insert(draw(st.integers(0, len(members))), given)
    shortest = draw(st.integers(1, 4))
    projections = []
    for target in members:
        for receptor in target.receptors:
            for _ in range(draw(st.integers(1, 2))):
                source = draw(st.sampled_from(senders))
                count = draw(st.sampled_from([0, 1, 3])) * (target.n + source.n)
                longest = draw(st.sampled_from([shortest, 5, 12]))
                weights = draw(st.sampled_from(["float64", "float32", "constant"]))
                projections.append(
                    synapses(rng, source, target, receptor, count, delays=(shortest, longest), weights=weights)
                )
    return Network(tuple(members), tuple(projections))


def everything(net):
    """Records of all spikes, and of some state now and then."""
    records = [Record(p.name, "spikes") for p in net.populations]
    return records + [
        Record(p.name, name, every=3, neurons=slice(0, None, 2))
        for p in net.populations
        for name in p.neuron.State._fields
    ]


def ran(net, durations, *, owners=1, records=None, prepare=None, **options):
    """Results of runs in a row, and the state that they leave."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "threads_for", lambda neurons: owners)
        simulation = Simulation(net, dt=DT, **options)
        if prepare is not None:
            prepare(patch, simulation)
        records = [everything(net)] * len(durations) if records is None else records
        results = [simulation.run(d, record=r) for d, r in zip(durations, records, strict=True)]
        if options.get("fuse") == "require" and net.projections:
            assert simulation._loop.threads == owners
        state = {p.name: simulation.state(p.name) for p in net.populations}
    return results, state


def flat(results, state):
    """All of it by name: spikes of runs in a row and their samples put together."""
    found = {}
    for result in results:
        for name, spikes in result.spikes.items():
            found.setdefault(f"{name} spikes t", []).append(spikes.t)
            found.setdefault(f"{name} spikes i", []).append(spikes.i)
        for name, traces in result.traces.items():
            for variable, values in traces.items():
                found.setdefault(f"{name} {variable}", []).append(values)
    joined = {name: np.concatenate(parts) for name, parts in found.items()}
    return joined | {f"{p} {name} at the end": x for p, values in state.items() for name, x in values.items()}


def spikes(result):
    """Of all populations: name → (steps, neurons)."""
    return {name: (np.rint(s.t / DT).astype(int).tolist(), s.i.tolist()) for name, s in result.spikes.items()}
