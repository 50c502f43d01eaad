"""Synapses that are drawn anew give the spikes of those that are stored."""

import numpy as np
import pytest

from neurosim import (
    Constant,
    Network,
    Population,
    Projection,
    Record,
    Simulation,
    SlowPathWarning,
    UsageError,
    connect,
)
from neurosim.distributions import Normal, Uniform
from neurosim.models import LIF
from neurosim.plasticity import STDP
from neurosim.receptors import ExponentialCurrent

DT = 0.1
CONNECTORS = {
    "fixed_probability": connect.fixed_probability(0.1),
    "fixed_out_degree": connect.fixed_out_degree(12),
    "fixed_total_number": connect.fixed_total_number(1500),
    "all_to_all": connect.all_to_all(),
    "one_to_one": connect.one_to_one(),
}


def network(stored, connector, weight=0.1, delay=1.5):
    n = 120
    receptors = {"excitatory": ExponentialCurrent(3.0), "inhibitory": ExponentialCurrent(5.0)}
    cells = [
        Population(name, LIF(), n, stimuli=(Constant(np.linspace(1.4, 2.2, n)),), t_ref=1.0, receptors=receptors)
        for name in "ab"
    ]
    joined = [Projection(s, t, connector, weight, delay, "excitatory", stored=stored) for s in "ab" for t in "ab"]
    joined.append(
        Projection("b", "a", connect.fixed_probability(0.05), Uniform(-0.2, 0.0), 0.4, "inhibitory")
    )  # stored in either case
    return Network(tuple(cells), tuple(joined))


def ran(net, durations=(60.0,), **options):
    simulation = Simulation(net, dt=DT, backend="numpy", seed=4, method="exact", **options)
    results = [simulation.run(d, record=[Record(p, "spikes") for p in "ab"]) for d in durations]
    return simulation, {p: np.concatenate([np.stack(r.spikes[p]) for r in results], axis=1) for p in "ab"}


@pytest.mark.parametrize("name", CONNECTORS)
@pytest.mark.parametrize("drawn", [False, True], ids=["constant", "drawn"])
@pytest.mark.parametrize("fuse", ["off", "require"])
def test_the_same_spikes(name, drawn, fuse):
    values = {"weight": Normal(0.1, 0.03, low=0.0), "delay": Normal(2.0, 1.0, low=DT)} if drawn else {}
    _, expected = ran(network(True, CONNECTORS[name], **values), fuse="require")
    with pytest.warns(SlowPathWarning, match="synapses that are not stored are drawn in a loop in Python"):
        simulation, found = ran(network(False, CONNECTORS[name], **values), durations=(25.0, 35.0), fuse=fuse)
    assert expected["a"].shape[1] > 100
    for population in "ab":
        np.testing.assert_array_equal(found[population], expected[population])
    assert all(len(rows._drawn) < 100 for rows in simulation._loop._drawn)


def test_memory():
    fixed = connect.fixed_probability(0.1)
    all_stored, few_stored = (network(s, fixed).memory_estimate("numpy").synapses for s in (True, False))
    assert few_stored < all_stored / 2


def test_refusals(refuses):
    with refuses("stored=False"):
        network(False, connect.fixed_in_degree(3))
    with refuses("plastic weights must be stored: write stored=True"):
        Projection(
            "a", "b", connect.all_to_all(), 0.1, 1.0, stored=False, plasticity=STDP(20.0, 20.0, 0.01, 0.01, w_max=1.0)
        )


def test_the_warning_is_one_of_ours():
    assert issubclass(SlowPathWarning, UserWarning)
    assert not issubclass(SlowPathWarning, UsageError)
