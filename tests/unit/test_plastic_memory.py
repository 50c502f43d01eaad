"""What plastic synapses take besides weights is known before anything is allocated."""

import pytest
from plastic import DT, RULES

from neurosim import Network, Population, Projection, Simulation, connect
from neurosim.backends import threads
from neurosim.models import LIF
from neurosim.receptors import Delta


def learning(rule, n=6000):
    """Two populations, joined both ways by synapses that follow one rule, and within by such that do not."""
    receptors = {"excitatory": Delta()}
    populations = [Population(name, LIF(), size, receptors=receptors) for name, size in (("a", n), ("b", n // 3))]
    tenth = connect.fixed_probability(0.01)
    return Network(
        populations,
        [
            Projection("a", "b", tenth, 0.1, 1.5, plasticity=rule),
            Projection("b", "a", tenth, 0.1, 4.0, plasticity=rule),
            Projection("a", "a", tenth, 0.1, 2.0),
        ],
    )


@pytest.mark.parametrize("rule", ["additive", "triplet", "short-term"])
@pytest.mark.parametrize(("fuse", "owners"), [("require", 1), ("require", 3), ("off", 1)])
def test_the_estimate_is_what_they_take(monkeypatch, rule, fuse, owners):
    monkeypatch.setattr(threads, "threads_for", lambda neurons: owners)
    simulation = Simulation(learning(RULES[rule]), dt=DT, backend="numpy", fuse=fuse)
    assert simulation.kernels
    rows = simulation._synapses.wiring.nbytes
    plastic = simulation._loop._plastic
    kept = plastic.nbytes if fuse == "require" else sum(of.nbytes for of in plastic.values())
    assert simulation.memory_estimate.synapses == pytest.approx(rows + kept, rel=0.1)
    assert kept > 0.5 * rows  # or the estimate were as good without it


def test_it_grows_with_the_spikes_in_flight():
    """Long delays: what travels with the spikes is most of it."""

    def estimate(delay):
        net = learning(RULES["additive"], 60_000)
        joined = [Projection("a", "b", connect.fixed_total_number(60_000), 0.1, delay, plasticity=RULES["additive"])]
        return Network(net.populations, joined).memory_estimate("numpy", dt=DT).synapses

    short, long = estimate(1.0), estimate(100.0)
    spikes = 60_000 * 10.0 * 0.1  # 10 Hz for 100 ms
    assert long - short >= 3 * 8 * (spikes - 4096)


def test_without_rules_nothing_is_added():
    assert (
        learning(None).memory_estimate("numpy").synapses
        < 0.8 * learning(RULES["additive"]).memory_estimate("numpy").synapses
    )
